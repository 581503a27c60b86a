import { setImmediate as turn } from "node:timers/promises";
import type { NodePorts } from "../../../actors/node/node-ports.ts";
import { RunNode } from "../../../actors/node/run-node.ts";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import type { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { sha256 } from "../../../src/node.ts";

/** Evidence as a node told it. */
export interface Told {
  readonly kind: string;
  readonly voter: Uint8Array;
}

/** A member that can be killed and started again on what its disk held. */
export class SimNode {
  readonly name: string;
  readonly told: Told[] = [];
  done = false;
  failure: unknown;
  restarts = 0;
  private readonly hub: MemoryHub;
  private readonly base: Omit<NodePorts, "store" | "network" | "name" | "observer">;
  private image: MemoryImage | undefined;
  private stop: AbortController | undefined;
  private node: RunNode | undefined;
  private network: Network | undefined;
  private store: MemoryStore | undefined;

  constructor(name: string, hub: MemoryHub, base: SimNode["base"]) {
    this.name = name;
    this.hub = hub;
    this.base = base;
  }

  get publicKey(): Uint8Array {
    return this.base.signer.publicKey;
  }

  get up(): boolean {
    return this.node !== undefined;
  }

  get running(): RunNode | undefined {
    return this.node;
  }

  start(): void {
    const stop = new AbortController();
    this.store = new MemoryStore({
      hash: sha256,
      sync: () => turn(),
      ...(this.image === undefined ? {} : { image: this.image }),
    });
    this.network = this.hub.join(this.base.signer.publicKey);
    const observer = { evidence: (kind: string, voter: Uint8Array): void => void this.told.push({ kind, voter }) };
    const node = new RunNode({ ...this.base, name: this.name, store: this.store, network: this.network, observer });
    this.stop = stop;
    this.node = node;
    this.done = false;
    void this.live(node, stop.signal);
  }

  private async live(node: RunNode, signal: AbortSignal): Promise<void> {
    try {
      await node.open(signal);
      await node.published(signal);
      this.done = true;
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    }
  }

  /** The power goes: what was durable stays. */
  async kill(): Promise<void> {
    const { node, network, store, stop } = this;
    if (node === undefined || store === undefined) return;
    this.image = store.image();
    this.node = undefined;
    this.restarts++;
    stop?.abort(new Error("killed"));
    await Promise.all([node.close(), network?.close()]);
    await store.close();
  }

  /** What its disk holds. */
  disk(): MemoryImage {
    return this.node === undefined ? (this.image as MemoryImage) : (this.store as MemoryStore).image();
  }
}
