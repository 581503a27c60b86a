import { equalBytes, toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash, Log } from "../core/ports.ts";
import type { ByteStream } from "./byte-stream.ts";
import { peerUnreachable, protocolUnsupported } from "./errors.ts";
import { MemoryNode } from "./memory-node.ts";
import { MemoryScheduler } from "./memory-scheduler.ts";
import { type MemoryStream, memoryStreamPair } from "./memory-stream.ts";
import { quietLog, sha256 } from "./node-defaults.ts";
import type { Network, PeerKey } from "./port.ts";

/** How a hub behaves. Faults are drawn from `seed` alone; delays need `manual` mode, where time is virtual. */
export interface MemoryHubOptions {
  /** `auto` (default): deliveries happen by themselves. `manual`: only by `step`, `flush` and `advance`. */
  readonly mode?: "auto" | "manual";
  readonly seed?: number;
  /** Share of gossip deliveries that are lost, 0 to 1. Streams are reliable and lose nothing. */
  readonly drop?: number;
  /** Share of gossip deliveries that come twice, as from a publisher that restarted and sends again, 0 to 1. */
  readonly duplicate?: number;
  /** Longest delay of a delivery, in virtual milliseconds; gossip may overtake, a stream keeps its order. */
  readonly delayMsMax?: number;
  readonly hash?: Hash;
  readonly log?: Log;
}

interface Link {
  readonly a: PeerKey;
  readonly b: PeerKey;
  readonly near: MemoryStream;
  readonly far: MemoryStream;
}

/** A network of any number of nodes in one process, without sockets: for tests, simulations, and runs on one node. */
export class MemoryHub {
  readonly #options: MemoryHubOptions;
  readonly #scheduler: MemoryScheduler;
  readonly #nodes = new Map<string, MemoryNode>();
  readonly #links = new Set<Link>();
  #random: number;
  #groups = new Map<string, number>();

  constructor(options: MemoryHubOptions = {}) {
    this.#options = options;
    this.#scheduler = new MemoryScheduler(options.mode ?? "auto");
    this.#random = (options.seed ?? 1) >>> 0;
  }

  /** Virtual milliseconds since the hub began (`manual` mode). */
  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  /** Adds a node; it is connected to every other at once. Throws `PEER_DUPLICATE` when the key is there already. */
  join(self: PeerKey): Network {
    const name = toHex(self);
    if (self.length !== 32)
      throw new IpdmError("KEY_INVALID", `an Ed25519 public key has 32 bytes, not ${self.length}`);
    if (this.#nodes.has(name))
      throw new IpdmError("PEER_DUPLICATE", `${name} has joined this hub already`, { where: name });
    const node = new MemoryNode(self, {
      scheduler: this.#scheduler,
      hash: this.#options.hash ?? sha256,
      log: this.#options.log ?? quietLog,
      others: () => [...this.#nodes.values()].filter((other) => other !== node && this.#reachable(self, other.self)),
      draw: (sender, receiver) => (this.#reachable(sender, receiver) ? this.#drawDeliveries() : []),
      open: (to, protocol) => this.openBytes(self, to, protocol),
      leave: () => {
        this.#nodes.delete(name);
        this.#cutLinks((link) => equalBytes(link.a, self) || equalBytes(link.b, self));
        this.#changed();
      },
    });
    this.#nodes.set(name, node);
    this.#changed();
    return node;
  }

  /** Splits the nodes: only those in the same group reach each other; nodes not named form one more group. Streams across break. */
  partition(...groups: readonly (readonly PeerKey[])[]): void {
    this.#groups = new Map(groups.flatMap((group, index) => group.map((key) => [toHex(key), index + 1] as const)));
    this.#cutLinks((link) => !this.#reachable(link.a, link.b));
    this.#changed();
  }

  /** Ends a partition. */
  heal(): void {
    this.partition();
  }

  /** One delivery (`manual` mode); false when none was left. */
  step(): Promise<boolean> {
    return this.#scheduler.step();
  }

  /** Every delivery, and those they cause (`manual` mode). */
  flush(): Promise<void> {
    return this.#scheduler.flush();
  }

  /** Everything due within the next virtual milliseconds, time-outs included (`manual` mode). */
  advance(durationMs: number): Promise<void> {
    return this.#scheduler.advance(durationMs);
  }

  /** A bare stream from one node to another: what a peer that does not keep to the protocols would use. */
  openBytes(from: PeerKey, to: PeerKey, protocol: string): Promise<ByteStream> {
    const opened = Promise.withResolvers<ByteStream>();
    this.#scheduler.deliver(this.#scheduler.nowMs + this.#drawDelayMs(), () => {
      const target = this.#nodes.get(toHex(to));
      if (target === undefined || equalBytes(from, to))
        return opened.reject(peerUnreachable(to, "it is not on this hub"));
      if (!this.#reachable(from, to)) return opened.reject(peerUnreachable(to, "the network is split"));
      if (!target.answers(protocol)) return opened.reject(protocolUnsupported(protocol));
      const pair = memoryStreamPair(this.#scheduler, () => this.#drawDelayMs());
      const link: Link = { a: from, b: to, ...pair };
      this.#links.add(link);
      pair.near.onGone(() => this.#links.delete(link));
      void target.accept(protocol, from, pair.far);
      opened.resolve(pair.near);
    });
    return opened.promise;
  }

  #reachable(a: PeerKey, b: PeerKey): boolean {
    return (this.#groups.get(toHex(a)) ?? 0) === (this.#groups.get(toHex(b)) ?? 0);
  }

  #cutLinks(chosen: (link: Link) => boolean): void {
    for (const link of [...this.#links]) {
      if (!chosen(link)) continue;
      this.#links.delete(link);
      link.near.cut();
      link.far.cut();
    }
  }

  #changed(): void {
    for (const node of this.#nodes.values()) node.peersChanged();
  }

  /** Due times of one gossip delivery: none when lost, two when doubled. */
  #drawDeliveries(): number[] {
    const { drop = 0, duplicate = 0 } = this.#options;
    const due = (): number => this.#scheduler.nowMs + this.#drawDelayMs();
    if (drop > 0 && this.#draw() < drop) return [];
    return duplicate > 0 && this.#draw() < duplicate ? [due(), due()] : [due()];
  }

  #drawDelayMs(): number {
    const { delayMsMax = 0 } = this.#options;
    return delayMsMax === 0 || this.#scheduler.mode === "auto" ? 0 : Math.floor(this.#draw() * (delayMsMax + 1));
  }

  // mulberry32: 32 bits of state are plenty to choose faults with.
  #draw(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let bits = this.#random;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }
}
