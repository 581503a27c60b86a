import type { ClosedInput, NodePorts } from "../../actors/node/node-ports.ts";
import type { ChainSourceConfig, Config } from "../config/config.ts";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { type LocalNode, sha256 } from "../node.ts";
import { chainAnchorOf } from "../plan/anchor.ts";
import type { TrustedBlock } from "../runtime/plan.ts";
import type { BlockFiles } from "../sources/chain/block-files.ts";
import type { Endpoints } from "../sources/chain/endpoints.ts";
import { anchorMismatch } from "../sources/chain/failure.ts";
import type { HeadFollower } from "../sources/chain/head-follower.ts";
import { type BlockHead, type ChainFormat, headersOf, type TrustedHash } from "../sources/chain/kind.ts";
import { type ForgetRows, isFollowed } from "./chains.ts";
import { epochOf } from "./members.ts";
import type { RunOptions } from "./options.ts";
import { wasRefused } from "./refused-input.ts";

/** A source whose head a run follows. */
export interface FollowedChain {
  readonly source: ChainSourceConfig;
  readonly chain: string;
  readonly from: number;
  readonly follower: HeadFollower;
  readonly files: BlockFiles;
  readonly format: ChainFormat;
  readonly endpoints: Endpoints;
  /** See `forget` of a chain's input. */
  readonly forget?: ForgetRows | undefined;
}

const SEALED_KEY = "followed/sealed";

/**
 * The epoch of a run: a new one where it is asked for, where a run that follows a head was sealed and is to go on, and where the
 * input of the one before was refused.
 */
export async function epochToRun(config: Config, submitter: LocalNode, fresh: boolean): Promise<number> {
  const epoch = await epochOf(submitter, fresh);
  if (!fresh && (await wasRefused(submitter, epoch))) return epochOf(submitter, true);
  if (!config.sources.some(isFollowed)) return epoch;
  const sealed = await submitter.store.meta.get(SEALED_KEY);
  const isSealed = sealed !== undefined && Number(new TextDecoder().decode(sealed)) === epoch;
  return isSealed ? epochOf(submitter, true) : epoch;
}

/** Remembers that the epoch of a run that follows a head was sealed. */
export async function rememberSealed(config: Config, submitter: LocalNode, epoch: number): Promise<void> {
  if (config.sources.some(isFollowed))
    await submitter.store.meta.put(SEALED_KEY, new TextEncoder().encode(String(epoch)));
}

/** Begins to follow heads. Rejects when one cannot be followed any further; else it stays pending. */
export function startFollowing(
  chains: ReadonlyMap<string, object>,
  signal: AbortSignal,
  { onFollow }: Pick<RunOptions, "onFollow">,
): Promise<never> {
  const followers = [...followedOf(chains).values()].map(({ follower }) => follower);
  for (const follower of followers) follower.start(signal);
  if (followers.length === 0) return new Promise(() => undefined);
  onFollow?.(() => {
    for (const follower of followers) follower.end();
  });
  return Promise.race(followers.map(({ failed }) => failed));
}

/** Resolves when no head is followed any more, once their signal has aborted: nothing is written to their folders from then on. */
export async function followingEnded(chains: ReadonlyMap<string, object>): Promise<void> {
  await Promise.all([...followedOf(chains).values()].map(({ follower }) => follower.ended));
}

/** The chains whose head is followed, by source. */
export function followedOf(chains: ReadonlyMap<string, object>): ReadonlyMap<string, FollowedChain> {
  const followed = [...chains].filter((entry): entry is [string, FollowedChain] => "follower" in entry[1]);
  return new Map(followed);
}

/** What nodes need where chains are read, and where heads are followed. */
export function followPorts(
  chains: ReadonlyMap<string, object>,
  fresh: boolean,
): Pick<NodePorts, "closeInput" | "remembers"> {
  const followed = followedOf(chains);
  if (followed.size === 0) return chains.size === 0 ? {} : { remembers: !fresh };
  const closeInput = (name: string, rows: number): ClosedInput => {
    const chain = followed.get(name);
    if (chain === undefined) throw new IpdmError("INVARIANT", `input ${name} is followed`);
    return closedInput(chain, rows);
  };
  return { closeInput, remembers: !fresh };
}

/** What a followed chain came to hold: its first `rows` final blocks. Throws `CHAIN_ANCHOR_MISMATCH`, `CHAIN_EMPTY`. */
function closedInput({ source, chain, from, follower, format, endpoints }: FollowedChain, rows: number): ClosedInput {
  const heads = follower.heads.slice(0, rows);
  const last = heads.at(-1);
  if (last === undefined || heads.length < rows) {
    throw new IpdmError("CHAIN_EMPTY", `no block of ${source.name} was final when following ended`, {
      kind: "config",
      where: `sources.${source.name}`,
      hint: `let it follow for longer, or set a smaller finality than ${source.finality}`,
    });
  }
  const hashes = heads.map(({ hash }) => format.hashBytes(hash) as Uint8Array);
  const content = { kind: source.kind, chain, from, to: last.number, hashes, headers: headersOf(heads.length, heads) };
  const { anchor, block, parts, headers } = chainAnchorOf(content, sha256);
  const isCompared = endpoints.count > 1 && endpoints.mode === "compare";
  const trusted: TrustedBlock | null =
    source.anchor !== null
      ? givenBlock(source.anchor, heads, format)
      : isCompared
        ? { block: last.number, hash: hashes.at(-1) as Uint8Array, by: "compared", endpoints: endpoints.count }
        : null;
  return { anchor, anchorBlock: block, parts, headers, trusted };
}

function givenBlock(anchor: TrustedHash, heads: readonly BlockHead[], format: ChainFormat): TrustedBlock {
  const hash = format.hashBytes(anchor.hash) as Uint8Array;
  const isIt = (text: string): boolean => equalBytes(format.hashBytes(text) as Uint8Array, hash);
  const first = heads[0] as BlockHead;
  const found = isIt(first.parent) ? first.parentNumber : heads.find((head) => isIt(head.hash))?.number;
  if (found !== undefined && (anchor.block === null || anchor.block === found))
    return { block: found, hash, by: "given", endpoints: 0 };
  throw anchorMismatch(
    `the trusted hash ${anchor.hash} is not that of ${anchor.block === null ? "any block" : `block ${anchor.block}`}`,
    {
      hash: anchor.hash,
    },
  );
}
