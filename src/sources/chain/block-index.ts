import { isUtf8 } from "node:buffer";
import { basename } from "node:path";
import { HEADERS_MAX } from "../../consensus/chain-anchor.ts";
import { overLimit } from "../failure.ts";
import { readingError, SourceFile } from "../file.ts";
import { chainBytes } from "./chain-bytes.ts";
import { duplicateBlock, incompleteBlock, malformedBlock, missingBlock } from "./failure.ts";
import { chainFormat } from "./formats.ts";
import { jsonValues, type ValueFault } from "./json-values.ts";
import type { BlockHead, BlockPart, ChainFormat, ChainSpec } from "./kind.ts";
import { CHAIN_BLOCKS_MAX, ROW_BYTES_MAX, WHOLE_FILE_BYTES_MAX } from "./limits.ts";
import { type ChainFile, chainFiles } from "./places.ts";

/** Where a text stands: in a file, by its number, at bytes of what the file holds decompressed. */
export interface TextPlace {
  readonly file: number;
  readonly from: number;
  readonly to: number;
}

/** A block and where the texts of its row stand. */
export interface IndexedBlock extends BlockHead {
  readonly texts: readonly TextPlace[];
}

/** All blocks of a chain source, in order. Plain data. */
export interface BlockIndex {
  readonly files: readonly ChainFile[];
  readonly blocks: readonly IndexedBlock[];
  /** Name of the chain: what was said, else what the first block that says it says. */
  readonly chain: string | null;
  /** Bytes of the texts of all rows. */
  readonly bytes: number;
}

/**
 * Finds the blocks of files: reads them once from end to end, at the speed of a byte scanner, and holds one value in memory.
 * Throws what {@link chainFiles} does and, of kind `verification`, `CHAIN_BLOCK_MALFORMED`, `CHAIN_INCOMPLETE`, `CHAIN_DUPLICATE`,
 * `CHAIN_GAP`; and `SOURCE_LIMIT`, `SOURCE_CHANGED`, `SOURCE_UNREADABLE`.
 */
export async function indexBlocks(spec: ChainSpec, signal?: AbortSignal): Promise<BlockIndex> {
  const format = chainFormat(spec.kind);
  const files = await chainFiles(spec.places);
  const gathering = new Gathering(format, files, spec);
  // While one file is looked through, the next is read.
  let ahead = wholeFile(files[0]);
  for (const [number, file] of files.entries()) {
    const whole = await ahead;
    ahead = wholeFile(files[number + 1]);
    // Whoever stops at this file does not wait for the next.
    ahead.catch(() => undefined);
    await gathering.read(number, file, whole, signal);
  }
  return gathering.index();
}

/** The bytes of a plain file of usual size; others come in chunks. */
async function wholeFile(file: ChainFile | undefined): Promise<Buffer | undefined> {
  if (file === undefined || file.compression !== "none" || file.version.size > WHOLE_FILE_BYTES_MAX) return undefined;
  const source = new SourceFile(file.version);
  const handle = await source.open();
  try {
    const bytes = await handle.readFile();
    await source.check(handle);
    return bytes;
  } catch (error) {
    throw readingError(source.path, error);
  } finally {
    await handle.close();
  }
}

async function* alone(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

interface Waiting {
  readonly head: BlockHead | undefined;
  readonly of: string | undefined;
  readonly texts: readonly (TextPlace | undefined)[];
}

class Gathering {
  private readonly format: ChainFormat;
  private readonly files: readonly ChainFile[];
  private readonly spec: ChainSpec;
  private readonly blocks: IndexedBlock[] = [];
  /** Parts that lack another one. */
  private waiting: Waiting[] = [];
  /** The part before, if it may belong to the next one of the same file. */
  private last: Waiting | undefined;
  /** Parts that follow each other, of which one says that it belongs to another block. */
  private readonly doubtful: (readonly [Waiting, Waiting])[] = [];
  private chain: string | null;

  constructor(format: ChainFormat, files: readonly ChainFile[], spec: ChainSpec) {
    this.format = format;
    this.files = files;
    this.spec = spec;
    this.chain = spec.chain;
  }

  async read(
    number: number,
    { version, compression }: ChainFile,
    whole: Buffer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    const { path } = version;
    const chunks = whole === undefined ? chainBytes(new SourceFile(version), compression, { signal }) : alone(whole);
    this.last = undefined;
    let found = 0;
    for await (const value of jsonValues(chunks)) {
      if ("fault" in value) throw faultyValue(path, value);
      const { bytes, from, to, offset } = value;
      const parts = this.format.scan(bytes, { from, to }, basename(path));
      if (typeof parts === "string") throw malformedBlock(path, offset, parts);
      for (const part of parts) this.add(path, number, bytes, offset - from, part);
      found++;
    }
    if (found === 0) throw malformedBlock(path, 0, "the file is empty");
  }

  index(): BlockIndex {
    this.joinByHash();
    this.joinDoubtful();
    const [lone] = this.waiting;
    if (lone !== undefined) throw this.incomplete(lone);
    const { from, to } = this.spec;
    const inRange = this.blocks.filter(
      ({ number }) => (from === null || number >= from) && (to === null || number <= to),
    );
    inRange.sort((a, b) => a.number - b.number);
    this.check(inRange, this.behind());
    const bytes = inRange.reduce((sum, block) => sum + bytesOf(block), 0);
    return { files: this.files, blocks: inRange, chain: this.chain, bytes };
  }

  private add(path: string, file: number, bytes: Uint8Array, base: number, part: BlockPart): void {
    const texts = part.texts.map((text) => text && { file, from: base + text.from, to: base + text.to });
    for (const text of part.texts) {
      if (text === undefined || isUtf8(bytes.subarray(text.from, text.to))) continue;
      throw malformedBlock(path, base + text.from, "it is not UTF-8");
    }
    const size = part.texts.reduce((sum, text) => sum + (text === undefined ? 0 : text.to - text.from), 0);
    if (size > ROW_BYTES_MAX)
      throw overLimit(path, String(base), `a block of more than ${ROW_BYTES_MAX} bytes with what belongs to it`);
    const [main] = part.texts;
    if (this.chain === null && main !== undefined) this.chain = this.format.chainOf(bytes, main) ?? null;
    const waiting: Waiting = { head: part.head, of: part.of, texts };
    if (texts.includes(undefined)) this.join(waiting);
    else this.take(waiting);
  }

  /** Two parts that follow each other belong together, when together they are a block. */
  private join(part: Waiting): void {
    const before = this.last;
    if (before !== undefined && fit(before, part) && saysOther(before, part)) this.doubtful.push([before, part]);
    else if (before !== undefined && fit(before, part)) {
      this.last = undefined;
      this.waiting.splice(this.waiting.indexOf(before), 1);
      this.take(joined(before, part));
      return;
    }
    this.waiting.push(part);
    this.last = part;
    if (this.waiting.length > CHAIN_BLOCKS_MAX) throw this.tooMany();
  }

  /** What stands in another file, or further away, is found by the hash that it names. */
  private joinByHash(): void {
    const blocks = new Map<string, Waiting>();
    for (const part of this.waiting) if (part.head !== undefined) blocks.set(part.head.hash, part);
    const done = new Set<Waiting>();
    for (const part of this.waiting) {
      const block = part.head === undefined && part.of !== undefined ? blocks.get(part.of) : undefined;
      if (block === undefined || done.has(block) || !fit(block, part)) continue;
      done.add(block).add(part);
      this.take(joined(block, part));
    }
    this.waiting = this.waiting.filter((part) => !done.has(part));
  }

  /** Neighbours that are still alone belong together after all: no hash commits to what a part says of its block. */
  private joinDoubtful(): void {
    if (this.doubtful.length === 0) return;
    const alone = new Set(this.waiting);
    for (const [before, part] of this.doubtful)
      if (alone.has(before) && alone.has(part)) {
        alone.delete(before);
        alone.delete(part);
        this.take(joined(before, part));
      }
    this.waiting = [...alone];
  }

  /** Of more blocks than a receipt shows the headers of, the further ones are not kept. */
  private take({ head, texts }: Waiting): void {
    const { header, ...rest } = head as BlockHead;
    const kept = header === undefined || this.blocks.length >= HEADERS_MAX ? rest : { ...rest, header };
    this.blocks.push({ ...kept, texts: texts as TextPlace[] });
    if (this.blocks.length > CHAIN_BLOCKS_MAX) throw this.tooMany();
  }

  /** The first block behind the range: its parent tells whether blocks at the end of the range are missing. */
  private behind(): IndexedBlock | undefined {
    const { to } = this.spec;
    let first: IndexedBlock | undefined;
    for (const block of this.blocks)
      if (to !== null && block.number > to && block.number < (first?.number ?? Number.POSITIVE_INFINITY)) first = block;
    return first;
  }

  private check(blocks: readonly IndexedBlock[], behind: IndexedBlock | undefined): void {
    const { from, to } = this.spec;
    const [first] = blocks;
    const last = blocks.at(-1);
    if (first === undefined || last === undefined)
      throw missingBlock(
        from ?? to ?? 0,
        this.blocks.length === 0 ? "there is no block" : `the blocks are ${span(this.blocks)}`,
      );
    for (const [i, block] of blocks.entries()) {
      const before = blocks[i - 1];
      if (before === undefined) continue;
      if (before.number === block.number) throw duplicateBlock(block.number, this.placeOf(before), this.placeOf(block));
      const gap = this.format.gap(before, block);
      if (gap !== undefined) throw missingBlock(gap.missing, `${before.number} is followed by ${block.number}`);
    }
    if (from !== null && this.format.gap({ ...first, number: from - 1 }, first) !== undefined)
      throw missingBlock(from, `the blocks begin with ${first.number}`);
    const end = to === null ? undefined : (behind ?? { ...last, number: to + 1, parentNumber: to });
    if (end !== undefined && last.number !== to && this.format.gap(last, end) !== undefined)
      throw missingBlock(last.number + 1, `the blocks end with ${last.number}`);
  }

  private placeOf({ texts }: IndexedBlock): string {
    const [at] = texts;
    return at === undefined ? "?" : `${this.files[at.file]?.version.path ?? "?"} at byte ${at.from}`;
  }

  private incomplete({ head, of, texts }: Waiting): Error {
    const lacks = this.format.texts.filter((_, i) => texts[i] === undefined).join(", ");
    const at = texts.find((text) => text !== undefined);
    const file = this.files[at?.file ?? 0]?.version.path ?? "?";
    const what =
      head === undefined
        ? `something without ${lacks}${of === undefined ? "" : ` that says it belongs to block ${of}`}`
        : `block ${head.number} without ${lacks}`;
    return incompleteBlock(file, at?.from ?? 0, what);
  }

  private tooMany(): Error {
    return overLimit(this.spec.places.join(", "), "blocks", `more than ${CHAIN_BLOCKS_MAX} blocks`);
  }
}

/** True when each has what the other lacks. */
function fit(one: Waiting, other: Waiting): boolean {
  return (
    (one.head === undefined) !== (other.head === undefined) &&
    one.texts.every((text, i) => (text === undefined) !== (other.texts[i] === undefined))
  );
}

/** True when the part beside a block says that it belongs to a block of another hash. */
function saysOther(one: Waiting, other: Waiting): boolean {
  const [head, of] = one.head === undefined ? [other.head, one.of] : [one.head, other.of];
  return of !== undefined && of !== head?.hash;
}

function joined(one: Waiting, other: Waiting): Waiting {
  return { head: one.head ?? other.head, of: undefined, texts: one.texts.map((text, i) => text ?? other.texts[i]) };
}

function bytesOf({ texts }: IndexedBlock): number {
  return texts.reduce((sum, { from, to }) => sum + to - from, 0);
}

function span(blocks: readonly IndexedBlock[]): string {
  let low = Number.MAX_SAFE_INTEGER;
  let high = 0;
  for (const { number } of blocks) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return `${low} to ${high}`;
}

function faultyValue(path: string, { offset, fault }: ValueFault): Error {
  if (fault === "large") return overLimit(path, String(offset), "a value of more than 256 MiB: write one block a line");
  const why = fault === "cut" ? "the JSON is cut short" : "it is not JSON";
  return malformedBlock(path, offset, why);
}
