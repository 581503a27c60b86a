import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Block } from "../dag/block.ts";
import type { BlockStore } from "../journal/port.ts";
import { abortable, startDeadline, type Timers, wallTimers } from "../network/deadline.ts";
import type { Network } from "../network/port.ts";

/** Bytes of blocks kept in memory for the next reader. */
export const HOT_BYTES_DEFAULT = 64 * 1024 * 1024;

/** How long one read may take, in milliseconds: peers restart, networks split and heal. */
export const READ_TIMEOUT_MS = 60_000;
/** How long a peer has before the next one is asked as well, in milliseconds: silent peers are not waited for one by one. */
export const HEAD_START_MS = 500;
/** How long a peer may be silent while it sends a block, in milliseconds. */
const FETCH_TIMEOUT_MS = 10_000;
/** Time between two rounds of asking all peers, in milliseconds. */
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

  /**
   * The block's bytes from wherever they are; peers are asked for {@link READ_TIMEOUT_MS}. Throws `NEEDS_DATA` (kind
   * `unreachable`) naming the CID, and the signal's reason at once, whatever is under way.
   */
  async read(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const found = await this.find(cid);
    if (found !== undefined) return found;
    const { network } = this;
    if (network === undefined) throw needsData(cid);
    using deadline = startDeadline({
      signals: [signal, this.stop.signal],
      timers: this.timers,
      timeoutMs: READ_TIMEOUT_MS,
      onTimeout: () => needsData(cid),
    });
    for (;;) {
      const block = (await this.ask(network, cid, deadline.signal)) ?? (await this.find(cid));
      if (block !== undefined) return block;
      await this.pause(FETCH_PAUSE_MS, deadline.signal);
    }
  }

  /** Asks the peers one after the other, each with a head start before the next; the first that has the block is enough. */
  private async ask(network: Network, cid: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const enough = new AbortController();
    const bound = AbortSignal.any([signal, enough.signal]);
    const asked: Promise<Uint8Array | undefined>[] = [];
    try {
      for (const peer of network.peers()) {
        signal.throwIfAborted();
        asked.push(this.fetch(network, peer, cid, bound));
        const answered = firstOf(asked);
        const block = await Promise.race([answered, this.pause(HEAD_START_MS, bound).then(() => undefined)]);
        if (block !== undefined) return block;
      }
      return await abortable(firstOf(asked), signal);
    } finally {
      enough.abort(new IpdmError("STREAM_DROPPED", "another peer gave the block"));
    }
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      const cancel = this.timers.after(ms, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** The block from one peer. Never rejects: another peer may have it, and when none has, the caller is told so. */
  private async fetch(
    network: Network,
    peer: Uint8Array,
    cid: CID,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    try {
      for await (const block of network.fetchBlocks(peer, [cid], { signal, timeoutMs: FETCH_TIMEOUT_MS })) {
        this.keep(block);
        return block.bytes;
      }
    } catch {
      // See above.
    }
    return undefined;
  }
}

/** The first block that comes; `undefined` when none does. */
async function firstOf(asked: readonly Promise<Uint8Array | undefined>[]): Promise<Uint8Array | undefined> {
  const given = asked.map(async (one) => (await one) ?? Promise.reject(new Error("the peer does not have it")));
  return Promise.any(given).catch(() => undefined);
}

function needsData(cid: CID): IpdmError {
  return new IpdmError("NEEDS_DATA", `block ${cid.toString()} is neither here nor with a peer`, {
    kind: "unreachable",
    where: cid.toString(),
    retry: "later",
  });
}
