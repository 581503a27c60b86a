import type { CID } from "multiformats/cid";
import { IpdmError } from "../../src/core/errors.ts";
import type { Block } from "../../src/dag/block.ts";
import type { BlockStore } from "../../src/journal/port.ts";
import type { Network } from "../../src/network/port.ts";

/** Bytes of blocks kept in memory for the next reader. */
export const HOT_BYTES_DEFAULT = 64 * 1024 * 1024;

/** How long a peer may be silent while it sends a block, in milliseconds. */
const FETCH_TIMEOUT_MS = 10_000;

/**
 * Where a node finds blocks: in memory (the lake's hot tier: least recently used goes first), in its store, or with its
 * peers. What peers give is checked against its CID, and kept in memory only.
 */
export class BlockReader {
  private readonly store: BlockStore;
  private readonly network: Network | undefined;
  private readonly hotBytesMax: number;
  private readonly hot = new Map<string, Uint8Array>();
  private hotBytes = 0;

  constructor(store: BlockStore, network: Network | undefined, hotBytesMax = HOT_BYTES_DEFAULT) {
    this.store = store;
    this.network = network;
    this.hotBytesMax = hotBytesMax;
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

  /** The block's bytes from wherever they are. Throws `NEEDS_DATA` (kind `unreachable`) naming the CID. */
  async read(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const found = await this.find(cid);
    if (found !== undefined) return found;
    for (const peer of this.network?.peers() ?? []) {
      signal?.throwIfAborted();
      const block = await this.fetch(peer, cid, signal);
      if (block !== undefined) return block;
    }
    throw new IpdmError("NEEDS_DATA", `block ${cid.toString()} is neither here nor with a peer`, { kind: "unreachable", where: cid.toString(), retry: "later" });
  }

  private async fetch(peer: Uint8Array, cid: CID, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    try {
      const options = signal === undefined ? { timeoutMs: FETCH_TIMEOUT_MS } : { signal, timeoutMs: FETCH_TIMEOUT_MS };
      for await (const block of (this.network as Network).fetchBlocks(peer, [cid], options)) {
        this.keep(block);
        return block.bytes;
      }
    } catch {
      // The next peer may have it; when none has, the caller is told so.
    }
    signal?.throwIfAborted();
    return undefined;
  }
}
