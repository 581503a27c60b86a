import { join } from "node:path";
import { isEndpoint } from "../config/chain-source.ts";
import { type ChainSourceConfig, type Config, isChainSource, type SourceConfig } from "../config/config.ts";
import { IpdmError, located } from "../core/errors.ts";
import { BlockFiles } from "../sources/chain/block-files.ts";
import { Endpoints } from "../sources/chain/endpoints.ts";
import { fetchRange } from "../sources/chain/fetch.ts";
import { chainFormat } from "../sources/chain/formats.ts";
import { HeadFollower } from "../sources/chain/head-follower.ts";
import type { ChainContent, ChainFormat, ChainSpec } from "../sources/chain/kind.ts";
import { KnownBlocks } from "../sources/chain/known-blocks.ts";
import type { FollowedChain } from "./following.ts";

/** A chain source as its files say it: those that the user named, or those that what endpoints gave is kept in. */
export interface ChainInput {
  readonly spec: ChainSpec;
  /** Its blocks, for all who open it in this process. */
  readonly known: KnownBlocks;
  /** The block that several endpoints agree on, where no hash was given. */
  readonly compared: { readonly block: number; readonly endpoints: number } | null;
  /** Removes what is kept of the blocks in these rows, where endpoints gave them: the next run asks for them again. */
  readonly forget?: ForgetRows | undefined;
}

/** Removes what is kept of the blocks in rows from one to another. */
export type ForgetRows = (from: number, to: number) => Promise<void>;

/** What fetching reports to. */
export interface FetchWatch {
  readonly signal: AbortSignal;
  readonly onFetch?: (source: string, there: number, of: number) => void;
  /** How often an endpoint is asked for a newer block, in milliseconds. */
  readonly pollMs?: number | undefined;
}

/** True for a source whose head the run follows: one of endpoints without a last block. */
export function isFollowed(source: SourceConfig): source is ChainSourceConfig {
  return isChainSource(source) && source.to === null && source.places.some(isEndpoint);
}

/**
 * The chain inputs of a configuration, by source. What is read from endpoints is fetched first, into the folder `chain` of the data
 * folder, where another run finds it; a head that is to be followed is taken up. Throws what `fetchRange` does, and `RANGE_MISSING`
 * (kind `config`).
 */
export async function chainInputs(
  config: Config,
  dataDir: string,
  watch: FetchWatch,
): Promise<ReadonlyMap<string, ChainInput | FollowedChain>> {
  const inputs = new Map<string, ChainInput | FollowedChain>();
  for (const source of config.sources) {
    if (!isChainSource(source)) continue;
    const { name, places } = source;
    const open = async (): Promise<ChainInput | FollowedChain> => {
      if (!places.some(isEndpoint))
        return {
          spec: chainSpec(
            source,
            places.map(({ path }) => path),
          ),
          known: new KnownBlocks(),
          compared: null,
        };
      const opened = await openEndpoints(source, dataDir, watch.signal);
      return source.to === null ? followed(source, opened, watch) : fetched(source, source.to, opened, watch);
    };
    inputs.set(name, await located(`sources.${name}`, open));
  }
  return inputs;
}

function chainSpec({ kind, from, to, anchor, chain }: ChainSourceConfig, places: readonly string[]): ChainSpec {
  return { kind, places, from, to, anchor, chain };
}

interface OpenEndpoints {
  readonly endpoints: Endpoints;
  readonly files: BlockFiles;
  readonly format: ChainFormat;
  /** Name of the chain in receipts, and the one that the endpoints say. */
  readonly chain: string;
  readonly told: string;
  readonly from: number;
}

async function openEndpoints(source: ChainSourceConfig, dataDir: string, signal: AbortSignal): Promise<OpenEndpoints> {
  const { name, kind, places, from } = source;
  if (from === null) {
    throw new IpdmError("RANGE_MISSING", `sources.${name} has no range.from: an endpoint has all blocks of its chain`, {
      kind: "config",
      where: `sources.${name}`,
      hint: `add range: { from: <first block>, to: <last block> }, or pass --range ${name}=<first>..<last>`,
    });
  }
  const endpoints = new Endpoints(
    kind,
    places.map(({ path }) => path),
    source.endpoints,
  );
  const told = await endpoints.chain(signal);
  const format = chainFormat(kind);
  const chain = source.chain ?? told;
  return {
    endpoints,
    files: await BlockFiles.open(join(dataDir, "chain", kind, folderName(chain)), format),
    format,
    chain,
    told,
    from,
  };
}

async function fetched(
  source: ChainSourceConfig,
  to: number,
  { endpoints, files, format, chain, told, from }: OpenEndpoints,
  { signal, onFetch }: FetchWatch,
): Promise<ChainInput> {
  const onProgress = (there: number, of: number): void => onFetch?.(source.name, there, of);
  const spec = { ...chainSpec(source, []), chain };
  const known = new KnownBlocks();
  const range = await fetchRange({ endpoints, files, format, known, signal, onProgress }, spec, from, to);
  checkName(told, range.said);
  const { blocks } = range;
  const last = blocks.length === 0 ? to : blocks.number(blocks.length - 1);
  const isCompared = endpoints.count > 1 && endpoints.mode === "compare";
  return {
    spec: { ...spec, places: range.places },
    known,
    compared: isCompared ? { block: last, endpoints: endpoints.count } : null,
    forget: forgetting(files, () => Array.from({ length: blocks.length }, (_, row) => blocks.number(row))),
  };
}

/** What transactions were signed for is the chain that they are of, whatever an endpoint says. */
function checkName(told: string, said: string | null): void {
  if (said === null || said === told) return;
  throw new IpdmError(
    "ENDPOINT_ODD",
    `the endpoint says that it is of chain ${told}, and gives blocks of chain ${said}`,
    {
      kind: "verification",
      hint: "use another endpoint",
      facts: { told, said },
    },
  );
}

function forgetting(files: BlockFiles, numbers: () => readonly number[]): ForgetRows {
  return async (first, last) => {
    for (const number of numbers().slice(first, last + 1)) await files.drop(number);
  };
}

async function followed(
  source: ChainSourceConfig,
  opened: OpenEndpoints,
  { signal, pollMs }: FetchWatch,
): Promise<FollowedChain> {
  const { endpoints, files, format, from } = opened;
  const ports = { endpoints, files, format, from, finality: source.finality, pollMs };
  const follower = await HeadFollower.open(ports, signal);
  const forget = forgetting(files, () => follower.heads.map(({ number }) => number));
  return { source, ...opened, follower, forget };
}

/** A chain's name may be anything; a folder's may not. */
function folderName(chain: string): string {
  return encodeURIComponent(chain).replaceAll(".", "%2E");
}

/** What identifies a chain input, with the block that endpoints agree on as its anchor where none was given. */
export function anchoredContent(content: ChainContent, { compared }: ChainInput): ChainContent {
  const hash = content.hashes.at(-1);
  if (content.anchor !== null || compared === null || hash === undefined) return content;
  return { ...content, anchor: { ...compared, hash, by: "compared" } };
}
