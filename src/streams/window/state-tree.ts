import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { IpdmError } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import type { Block, Ipld } from "../../dag/block.ts";
import { checkBlock, rawBlock } from "../../dag/block.ts";
import { decodeCbor } from "../../dag/cbor.ts";
import { BLOCK_SIZE_MAX } from "../../dag/limits.ts";
import type { Run } from "./chunks.ts";
import { cutRuns } from "./chunks.ts";
import type { Groups } from "./groups.ts";
import type { Cursor, Progress, WindowState } from "./snapshot.ts";
import { groupBytes, readProgress, readRuns, writeProgress, writeRuns } from "./snapshot.ts";
import { malformed, partOf } from "./state-bytes.ts";

/** A saved state as blocks. */
export interface SavedState {
  /** All of it, or the links of its chunks. */
  readonly root: Block;
  /** Chunks that the state saved or loaded before did not have; with those of that state they are all that the root links. */
  readonly fresh: readonly Block[];
}

/** A saved state to be restored: the CID of its root, and where its blocks are. */
export interface StateSource {
  readonly root: CID;
  readonly hash: Hash;
  readonly read: (cid: CID) => Promise<Uint8Array>;
}

/** A saved state whose blocks were read, checked and decoded. */
export interface LoadedState {
  readonly root: CID;
  readonly hash: Hash;
  readonly node: Ipld;
  readonly chunks: readonly Ipld[];
}

/** A root that is the whole state, and one that links chunks. */
const WHOLE = 1;
const TREE = 2;

/** A chunk of the state saved last, by its first slot. */
interface KnownChunk {
  readonly last: number;
  readonly link: CID;
}

/**
 * Saves the state of a window operator as a small tree of raw blocks, in a form that the rows so far alone decide: what
 * {@link writeRuns} writes of all groups in the root, or, when {@link cutRuns} makes more than one chunk of them, of each chunk
 * in a block of its own that the root links in order. A chunk without a changed group is neither encoded nor given again.
 */
export class StateTree {
  private known = new Map<number, KnownChunk>();

  /** Throws `WINDOW_STATE_FULL` when a single key makes a block too large. */
  save(hash: Hash, state: WindowState): SavedState {
    const { groups, keys, columns } = state.core;
    const runs = state.windows.runs();
    const chunks = cutRuns(runs, groups, keys.store, groupBytes(columns));
    const known = new Map<number, KnownChunk>();
    const fresh: Block[] = [];
    if (chunks.length > 1) {
      for (const chunk of chunks) {
        const { first, last } = endsOf(chunk);
        let link = this.unchanged(chunk, groups);
        if (link === undefined) {
          const made = block(hash, writeRuns(state, chunk));
          fresh.push(made);
          link = made.cid;
        }
        known.set(first, { last, link });
      }
    }
    this.known = known;
    groups.touched.fill(0);
    const links = Array.from(known.values(), ({ link }) => link);
    const content = chunks.length > 1 ? { v: TREE, chunks: links } : { v: WHOLE, ...writeRuns(state, runs) };
    return { root: block(hash, { ...content, ...writeProgress(state.core) }), fresh };
  }

  /** Fills an empty state with a saved one; says where it was in its input. Throws `WINDOW_SNAPSHOT_MALFORMED`, `WINDOW_STATE_FULL`. */
  load({ node, chunks }: LoadedState, state: WindowState): Progress {
    const last: Cursor = { start: Number.NEGATIVE_INFINITY, id: undefined };
    if (partOf(node, "v") === WHOLE) readRuns(node, state, last);
    else for (const chunk of chunks) readRuns(chunk, state, last);
    return readProgress(node);
  }

  /** What was loaded must give the same root when it is saved again. Throws `WINDOW_SNAPSHOT_MALFORMED`. */
  check({ root, hash }: LoadedState, state: WindowState): void {
    if (!this.save(hash, state).root.cid.equals(root)) throw malformed("another form of the same state");
  }

  /**
   * The link of a chunk that is as it was in the state saved last: no group of it was touched since. Then all of them were
   * there, in this order; between the same ends nothing is gone either, since windows close from the front.
   */
  private unchanged(chunk: readonly Run[], groups: Groups): CID | undefined {
    const { first, last } = endsOf(chunk);
    const known = this.known.get(first);
    if (known?.last !== last) return undefined;
    for (const { slots } of chunk) for (const slot of slots) if (groups.touched[slot] !== 0) return undefined;
    return known.link;
  }
}

function block(hash: Hash, content: Ipld): Block {
  const made = rawBlock(hash, dagCbor.encode(content));
  if (made.bytes.length <= BLOCK_SIZE_MAX) return made;
  throw new IpdmError("WINDOW_STATE_FULL", `a part of the state has ${made.bytes.length} bytes, more than a block`, {
    hint: "shorten the values of the key",
    facts: { size: made.bytes.length, max: BLOCK_SIZE_MAX },
  });
}

/**
 * Reads the blocks of a saved state. Bytes come from outside: each block must hash to its CID. Throws
 * `WINDOW_SNAPSHOT_MALFORMED`, `DAG_CID_MISMATCH`, `DAG_MALFORMED`, and what `read` throws.
 */
export async function fetchState(source: StateSource): Promise<LoadedState> {
  const { root, hash } = source;
  const node = await nodeOf(source, root);
  const version = partOf(node, "v");
  if (version === WHOLE) return { root, hash, node, chunks: [] };
  const links = partOf(node, "chunks");
  if (version !== TREE || !Array.isArray(links)) throw malformed("version");
  const chunks: Ipld[] = [];
  for (const link of links as readonly Ipld[]) {
    const cid = CID.asCID(link);
    if (cid === null) throw malformed("link");
    chunks.push(await nodeOf(source, cid));
  }
  return { root, hash, node, chunks };
}

async function nodeOf({ hash, read }: StateSource, cid: CID): Promise<Ipld> {
  const bytes = await read(cid);
  checkBlock(hash, { cid, bytes });
  try {
    return decodeCbor(bytes) as Ipld;
  } catch {
    throw malformed("encoding");
  }
}

/** First and last slot of a chunk. */
function endsOf(chunk: readonly Run[]): { readonly first: number; readonly last: number } {
  return { first: chunk[0]?.slots[0] ?? 0, last: chunk.at(-1)?.slots.at(-1) ?? 0 };
}
