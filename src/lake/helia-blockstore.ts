import type { Blockstore, InputPair, Pair } from "interface-blockstore";
import { NotFoundError } from "interface-store";
import type { CID } from "multiformats/cid";
import { concat } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { checkBlock } from "../dag/block.ts";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import type { BlockStore } from "../journal/port.ts";

/** Bytes of blocks that a process takes from peers through helia by default. */
export const FETCHED_BYTES_MAX = 1024 * 1024 * 1024;

/** What a {@link HeliaBlockstore} stands on. */
export interface HeliaBlockstoreOptions {
  readonly store: BlockStore;
  /** Says which blocks strangers may have. Asked at every look-up, so it must be cheap. */
  readonly isPublic: (cid: CID) => boolean;
  readonly hash: Hash;
  /** Bytes of new blocks that helia may put into the store, {@link FETCHED_BYTES_MAX} by default; counted from when it was made. */
  readonly fetchedBytesMax?: number;
}

/** Our block store as helia sees it, and the store behind it. */
export interface HeliaBlockstore extends Blockstore {
  readonly store: BlockStore;
}

/**
 * Shows a node's block store to helia. To helia, and so to every peer that asks it, only public blocks exist; nothing can
 * be deleted (`BLOCK_UNDELETABLE`), since journals and receipts link these blocks; nothing is listed, so that helia's
 * garbage collection finds nothing to collect. What helia fetched is checked against its CID and put into the store, up to a quota
 * (`BLOCK_QUOTA`).
 */
export function createHeliaBlockstore({
  store,
  isPublic,
  hash,
  fetchedBytesMax = FETCHED_BYTES_MAX,
}: HeliaBlockstoreOptions): HeliaBlockstore {
  let fetchedBytes = 0;

  async function bytesOf(cid: CID): Promise<Uint8Array> {
    const bytes = isPublic(cid) ? await store.get(cid) : undefined;
    if (bytes === undefined) throw new NotFoundError(`block ${cid.toString()} is not here for others`);
    return bytes;
  }

  async function put(cid: CID, value: InputPair["bytes"]): Promise<CID> {
    const bytes = await gathered(cid, value);
    checkBlock(hash, { cid, bytes });
    if (await store.has(cid)) return cid;
    if (fetchedBytes + bytes.length > fetchedBytesMax) throw overQuota(cid, fetchedBytesMax);
    fetchedBytes += bytes.length;
    await store.put({ cid, bytes });
    return cid;
  }

  return {
    store,
    has: async (cid) => isPublic(cid) && (await store.has(cid)),
    put,
    async *putMany(pairs) {
      for await (const { cid, bytes } of pairs) yield await put(cid, bytes);
    },
    async *get(cid) {
      yield await bytesOf(cid);
    },
    async *getMany(cids) {
      for await (const cid of cids) {
        const bytes = await bytesOf(cid);
        yield { cid, bytes: one(bytes) };
      }
    },
    delete: async (cid) => refuseDelete(cid),
    // A generator that only throws: helia iterates what it deletes.
    async *deleteMany(cids): AsyncGenerator<CID> {
      for await (const cid of cids) refuseDelete(cid);
    },
    async *getAll(): AsyncGenerator<Pair> {},
  };
}

function refuseDelete(cid: CID): never {
  throw new IpdmError(
    "BLOCK_UNDELETABLE",
    `block ${cid.toString()} belongs to this node's history and is not helia's to delete`,
    {
      where: cid.toString(),
    },
  );
}

function overQuota(cid: CID, max: number): IpdmError {
  return new IpdmError(
    "BLOCK_QUOTA",
    `block ${cid.toString()} is not taken: more than ${max} bytes of blocks came from peers`,
    {
      where: cid.toString(),
      hint: "start the node again, if so many blocks are wanted from peers",
      facts: { max },
    },
  );
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function gathered(cid: CID, value: InputPair["bytes"]): Promise<Uint8Array> {
  if (value instanceof Uint8Array) return value;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of value) {
    size += part.length;
    if (size > BLOCK_SIZE_MAX) {
      throw new IpdmError("DAG_MALFORMED", `block ${cid.toString()} has more than ${BLOCK_SIZE_MAX} bytes`, {
        kind: "verification",
        where: cid.toString(),
      });
    }
    parts.push(part);
  }
  return concat(...parts);
}
