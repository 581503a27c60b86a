import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Block } from "../dag/block.ts";
import type { BlockStore } from "../journal/port.ts";
import { type Timers, wallTimers } from "../network/deadline.ts";
import type { Network } from "../network/port.ts";

/** Bytes of blocks kept in memory for the next reader. */
export const HOT_BYTES_DEFAULT = 64 * 1024 * 1024;

/** How long a peer may be silent while it sends a block, in milliseconds. */
const FETCH_TIMEOUT_MS = 10_000;
/** Rounds of asking all peers for a block, and the time between two, in milliseconds: peers restart, networks split and heal. */
const FETCH_ROUNDS_MAX = 120;
const FETCH_PAUSE_MS = 500;

/**
 * Where a node finds blocks: in memory (the lake's hot tier: least recently used goes first), in its store, or with its
 * peers. What peers give is checked against its CID, and kept in memory only.
 */
export class BlockReader {
  private readonly store: BlockStore;
  private readonly network: Network | undefined;
  private readonly hotBytesMax: number;
  private readonly hot = new Map<string, Uint8Array>();
  private readonly timers: Timers;
  private readonly stop = new AbortController();
  private hotBytes = 0;

  constructor(
    store: BlockStore,
    network: Network | undefined,
    hotBytesMax = HOT_BYTES_DEFAULT,
    timers: Timers = wallTimers,
  ) {
    this.store = store;
    this.network = network;
    this.hotBytesMax = hotBytesMax;
    this.timers = timers;
  }

  /** Ends every wait for peers. */
  close(): void {
    this.stop.abort(new IpdmError("READER_CLOSED", "the node is closing", { kind: "interrupted" }));
  }

  /** Keeps a block in memory; its durable copy, if it needs one, is the caller's business. */
  keep({ cid, bytes }: Block): void {
    const key = cid.toString();
    if (this.hot.delete(key)) this.hotBytes -= bytes.length;
    this.hot.set(key, bytes);
    this.hotBytes += bytes.length;
    for (const [oldest, old] of this.hot) {
      if (this.hotBytes <= this.hotBytesMax) break;
      this.hot.delete(oldest);
      this.hotBytes -= old.length;
    }
  }

  /** The block's bytes from memory or store. */
  async find(cid: CID): Promise<Uint8Array | undefined> {
    const key = cid.toString();
    const kept = this.hot.get(key);
    if (kept !== undefined) {
      this.hot.delete(key);
      this.hot.set(key, kept);
      return kept;
    }
    return this.store.get(cid);
  }

  /** The block's bytes from wherever they are; peers are asked for a minute. Throws `NEEDS_DATA` (kind `unreachable`) naming the CID. */
  async read(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const bound = signal === undefined ? this.stop.signal : AbortSignal.any([signal, this.stop.signal]);
    const rounds = this.network === undefined ? 1 : FETCH_ROUNDS_MAX;
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await this.pause(bound);
      const found = await this.find(cid);
      if (found !== undefined) return found;
      for (const peer of this.network?.peers() ?? []) {
        bound.throwIfAborted();
        const block = await this.fetch(peer, cid, bound);
        if (block !== undefined) return block;
      }
    }
    throw new IpdmError("NEEDS_DATA", `block ${cid.toString()} is neither here nor with a peer`, {
      kind: "unreachable",
      where: cid.toString(),
      retry: "later",
    });
  }

  private pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      const cancel = this.timers.after(FETCH_PAUSE_MS, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  private async fetch(peer: Uint8Array, cid: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const options = { signal, timeoutMs: FETCH_TIMEOUT_MS };
      for await (const block of (this.network as Network).fetchBlocks(peer, [cid], options)) {
        this.keep(block);
        return block.bytes;
      }
    } catch {
      // The next peer may have it; when none has, the caller is told so.
    }
    signal.throwIfAborted();
    return undefined;
  }
}
