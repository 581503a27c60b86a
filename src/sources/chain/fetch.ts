import { IpdmError } from "../../core/errors.ts";
import type { BlockFiles } from "./block-files.ts";
import { indexBlocks } from "./block-index.ts";
import { BlockTable } from "./block-table.ts";
import type { Endpoints } from "./endpoints.ts";
import { missingBlock } from "./failure.ts";
import { indexInThread } from "./index-thread.ts";
import type { BlockHead, ChainFormat, ChainSpec } from "./kind.ts";
import { KnownBlocks } from "./known-blocks.ts";

/** Blocks that are asked for together, and groups of them that are under way at once. */
const GROUP_BLOCKS = 10;
const GROUPS_MAX = 4;
/** How often blocks that do not fit together are fetched again: a reorganisation was under way then. */
const ROUNDS_MAX = 4;

/** What fetching works with. */
export interface FetchPorts {
  readonly endpoints: Endpoints;
  readonly files: BlockFiles;
  readonly format: ChainFormat;
  readonly signal: AbortSignal;
  /** Where what is found in the files is kept for who opens them next. */
  readonly known?: KnownBlocks | undefined;
  /** Look through the files in a thread of its own (default true). */
  readonly worker?: boolean | undefined;
  /** Told how many blocks are there, of how many. */
  readonly onProgress?: ((there: number, of: number) => void) | undefined;
}

/** Blocks of a range: the files that they are kept in, and what was found there. */
export interface FetchedRange {
  readonly places: readonly string[];
  readonly blocks: BlockTable;
  /** Name of the chain that the blocks say themselves. */
  readonly said: string | null;
}

/**
 * Fetches the blocks of a range that are not kept yet. Kept blocks that the endpoint no longer has are
 * fetched again. In the end every block claims the one before as its parent. Throws `CHAIN_GAP`, `CHAIN_REORGANISED` and what
 * {@link Endpoints} does.
 */
export async function fetchRange(ports: FetchPorts, spec: ChainSpec, from: number, to: number): Promise<FetchedRange> {
  const { endpoints, files, signal } = ports;
  const tip = endpoints.mode === "race" ? undefined : await endpoints.tip(signal);
  if (tip !== undefined && to > tip.number) throw missingBlock(tip.number + 1, `the newest block is ${tip.number}`);
  const numbers = await endpoints.numbers(from, to, signal);
  await dropForeign(ports, numbers);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await fetchMissing(ports, numbers);
    const { blocks, said } = await found(ports, spec, numbers);
    const broken = brokenLink(ports.format, blocks);
    if (broken === undefined) return { places: files.places(numbers), blocks, said };
    for (const number of broken) await files.drop(number);
  }
  throw new IpdmError(
    "CHAIN_REORGANISED",
    `blocks ${from} to ${to} do not follow each other, however often they are fetched`,
    {
      kind: "verification",
      where: `blocks ${from} to ${to}`,
      retry: "later",
      hint: "end the range further from the head, or use another endpoint",
      facts: { from, to },
    },
  );
}

async function fetchMissing(ports: FetchPorts, numbers: readonly number[]): Promise<void> {
  const { files, onProgress } = ports;
  const missing = numbers.filter((number) => !files.has(number));
  let there = numbers.length - missing.length;
  onProgress?.(there, numbers.length);
  let at = 0;
  // The first that fails ends the others, and nothing is under way any more when this ends.
  const failing = new AbortController();
  const bound = { ...ports, signal: AbortSignal.any([ports.signal, failing.signal]) };
  const work = async (): Promise<void> => {
    while (at < missing.length) {
      const group = missing.slice(at, at + GROUP_BLOCKS);
      at += GROUP_BLOCKS;
      try {
        await fetchGroup(bound, group);
      } catch (error) {
        failing.abort(error);
        throw error;
      }
      there += group.length;
      onProgress?.(there, numbers.length);
    }
  };
  await Promise.allSettled(Array.from({ length: GROUPS_MAX }, work));
  bound.signal.throwIfAborted();
}

async function fetchGroup({ endpoints, files, signal }: FetchPorts, group: readonly number[]): Promise<void> {
  let wanted = group;
  for (let round = 0; round < ROUNDS_MAX && wanted.length > 0; round++) {
    const blocks = await endpoints.blocks(wanted, signal);
    for (const block of blocks) if (block !== undefined) await files.put(block);
    wanted = wanted.filter((_, i) => blocks[i] === undefined);
  }
  const [lacking] = wanted;
  if (lacking !== undefined) throw missingBlock(lacking, "the endpoint does not have it, or not its receipts");
}

/** Kept blocks of a branch that was given up: they agree with the endpoint up to some block, and from there on none does. */
async function dropForeign({ endpoints, files, signal }: FetchPorts, numbers: readonly number[]): Promise<void> {
  const kept = numbers.filter((number) => files.has(number));
  const isSame = async (number: number): Promise<boolean> => {
    const own = await files.head(number);
    const [theirs] = await endpoints.heads([number], signal);
    return own !== undefined && own.hash === theirs?.hash;
  };
  const last = kept.at(-1);
  if (last === undefined || (await isSame(last))) return;
  let low = 0;
  let high = kept.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await isSame(kept[middle] as number)) low = middle + 1;
    else high = middle;
  }
  for (const number of kept.slice(low)) await files.drop(number);
}

/** The first two blocks of which the second does not claim the first as its parent. */
function brokenLink(format: ChainFormat, blocks: BlockTable): readonly number[] | undefined {
  let before: BlockHead | undefined;
  for (const block of blocks.heads()) {
    if (before !== undefined && (block.parent !== before.hash || format.gap(before, block) !== undefined))
      return [before.number, block.number];
    before = block;
  }
  return undefined;
}

/** Finds the kept blocks; one whose file is damaged is fetched again. */
async function found(
  ports: FetchPorts,
  spec: ChainSpec,
  numbers: readonly number[],
): Promise<Pick<FetchedRange, "blocks" | "said">> {
  const { files, format, signal, worker, known = new KnownBlocks() } = ports;
  const find = worker === false ? indexBlocks : indexInThread;
  for (let round = 0; ; round++) {
    try {
      const own = { ...spec, places: files.places(numbers) };
      const { blocks, said } = await known.of(own, () => find(own, signal));
      return { blocks: new BlockTable(format, blocks), said };
    } catch (error) {
      const number = error instanceof IpdmError ? files.numberOf(String(error.facts["file"])) : undefined;
      if (number === undefined || round === ROUNDS_MAX) throw error;
      await files.drop(number);
      await fetchGroup(ports, [number]);
    }
  }
}
