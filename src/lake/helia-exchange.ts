import { withBitswap } from "@helia/bitswap";
import type { Libp2p } from "@libp2p/interface";
import { createHeliaLight } from "helia";
import type { CID } from "multiformats/cid";
import { concat } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, checkBlock } from "../dag/block.ts";
import type { HeliaBlockstore } from "./helia-blockstore.ts";

/** Largest blob that fits into a bitswap message, in bytes (the limit of @helia/bitswap). */
export const BLOB_SIZE_MAX_BYTES = 4_193_648;
/** How long a blob is looked for unless told otherwise, in milliseconds. */
export const BLOB_TIMEOUT_MS = 30_000;

// Bitswap asks each peer once, and forgets a want when another of the same CID was cancelled a moment before; peers say
// nothing when a block becomes public without being provided. So a want is renewed, after 1 s, 2 s, 4 s, then every 8 s.
const RENEW_FIRST_MS = 1_000;
const RENEW_LAST_MS = 8_000;

/** What a {@link BlobExchange} runs on. */
export interface BlobExchangeOptions {
  /** A started node; starting and stopping it stays its owner's business. */
  readonly libp2p: Libp2p;
  readonly blockstore: HeliaBlockstore;
  readonly hash: Hash;
}

/** Blobs (modules) by CID, from whichever connected peer has them. */
export interface BlobExchange extends AsyncDisposable {
  /** Stores a blob and tells the peers that wait for it, if it is public. Throws `BLOB_TOO_LARGE`, `DAG_CID_MISMATCH`. */
  provide(blob: Block): Promise<void>;
  /**
   * The blob's bytes: from the own store, else from a peer, checked and stored. Throws `BLOB_UNAVAILABLE` when no peer
   * gave it within `timeoutMs` (default {@link BLOB_TIMEOUT_MS}), the signal's reason, `BLOB_EXCHANGE_CLOSED`.
   */
  fetch(cid: CID, options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Announcer {
  announce?(cid: CID): Promise<void>;
}

/**
 * Starts bitswap, by helia, over a libp2p node that runs already. Helia's own `withLibp2p` would build a second node;
 * bitswap only needs to find one at `helia.libp2p`, so it is put there and helia never starts or stops it.
 */
export async function createBlobExchange({ libp2p, blockstore, hash }: BlobExchangeOptions): Promise<BlobExchange> {
  const helia = Object.assign(createHeliaLight({ blockstore }), { libp2p });
  // The two waits gather wants and blocks into fewer messages, 10 ms each: too long for a module that a task waits for.
  withBitswap(helia, { sendWantlistDebounce: 0, sendBlocksDebounce: 0 });
  await helia.start();
  // Helia announces a new block before it is stored, and a waiting peer is then told that it is not there.
  const announcers = (helia as unknown as { readonly blockBrokers: readonly Announcer[] }).blockBrokers;
  const closing = new AbortController();
  let closed: Promise<unknown> | undefined;

  async function fetch(
    cid: CID,
    { signal, timeoutMs = BLOB_TIMEOUT_MS }: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<Uint8Array> {
    const caller = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
    caller.throwIfAborted();
    const own = await blockstore.store.get(cid);
    if (own !== undefined) return own;
    const limit = AbortSignal.any([caller, AbortSignal.timeout(timeoutMs)]);
    let cause: unknown;
    for (let renewMs = RENEW_FIRST_MS; !limit.aborted; renewMs = Math.min(2 * renewMs, RENEW_LAST_MS)) {
      const turn = AbortSignal.any([limit, AbortSignal.timeout(renewMs)]);
      try {
        return await want(cid, turn);
      } catch (error) {
        // A want that fails before its time is up would fail again at once.
        if (!turn.aborted) throw error instanceof IpdmError ? error : unavailable(cid, timeoutMs, error);
        cause = error;
      }
    }
    caller.throwIfAborted();
    throw unavailable(cid, timeoutMs, cause);
  }

  async function want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of helia.blockstore.get(cid, { signal })) parts.push(part);
    const bytes = concat(...parts);
    checkBlock(hash, { cid, bytes });
    return bytes;
  }

  async function close(): Promise<void> {
    if (closed === undefined) {
      closing.abort(new IpdmError("BLOB_EXCHANGE_CLOSED", "the blob exchange is closed", { kind: "interrupted" }));
      closed = helia.stop();
    }
    await closed;
  }

  return {
    async provide(blob) {
      closing.signal.throwIfAborted();
      if (blob.bytes.length > BLOB_SIZE_MAX_BYTES) {
        throw new IpdmError(
          "BLOB_TOO_LARGE",
          `a blob of ${blob.bytes.length} bytes is larger than ${BLOB_SIZE_MAX_BYTES}`,
          { where: blob.cid.toString() },
        );
      }
      checkBlock(hash, blob);
      await blockstore.store.put(blob);
      if (await blockstore.has(blob.cid)) await Promise.all(announcers.map(async (one) => one.announce?.(blob.cid)));
    },
    fetch,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function unavailable(cid: CID, timeoutMs: number, cause: unknown): IpdmError {
  return new IpdmError("BLOB_UNAVAILABLE", `no connected peer gave ${cid.toString()} within ${timeoutMs} ms`, {
    kind: "unreachable",
    where: cid.toString(),
    hint: "check that a node which has it runs and makes it public",
    retry: "later",
    cause,
  });
}
