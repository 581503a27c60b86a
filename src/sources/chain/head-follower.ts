import { setTimeout as delay } from "node:timers/promises";
import { hasCode, IpdmError } from "../../core/errors.ts";
import type { BlockFiles } from "./block-files.ts";
import type { Endpoints } from "./endpoints.ts";
import { missingBlock } from "./failure.ts";
import { FinalHeads } from "./final-heads.ts";
import type { BlockHead, ChainFormat } from "./kind.ts";
import type { FetchedBlock } from "./rpc.ts";

/** How often the endpoints are asked for a newer block, in milliseconds. */
const POLL_MS = 1000;
/** Looks in a row at which endpoints may disagree before it counts. */
const DISAGREED_MAX = 60;
/** Blocks that are asked for together, and groups that are under way at once, while the head is far away. */
const GROUP_BLOCKS = 10;
const GROUPS_MAX = 4;

/** What a follower works with. */
export interface FollowPorts {
  readonly endpoints: Endpoints;
  readonly files: BlockFiles;
  readonly format: ChainFormat;
  /** Number of the first block. */
  readonly from: number;
  /** Blocks that must follow a block before it is final. */
  readonly finality: number;
  readonly pollMs?: number | undefined;
}

/** Who is told how the head moves: that a block came, from which number on blocks are gone, up to which one they are final. */
export interface HeadListener {
  added(head: BlockHead): void;
  removed(from: number): void;
  final(number: number): void;
  /** An endpoint gave no answer, however often it was asked; it is asked again. */
  unreachable?(error: IpdmError): void;
}

/**
 * Follows the head of a chain: fetches its blocks in order, keeps them in files, and counts a block as final once `finality` others
 * follow it. When the chain is reorganised, blocks that are not final are given up and those that took their place are fetched.
 * Starts where it ended before. One follower serves all nodes of a process.
 */
export class HeadFollower {
  /** Rejects when following cannot go on; until then it is pending. */
  readonly failed: Promise<never>;
  private readonly ports: FollowPorts;
  private readonly finals: FinalHeads;
  private readonly unfinal: BlockHead[] = [];
  private readonly listeners: HeadListener[] = [];
  private readonly stopping = new AbortController();
  private fail: (error: unknown) => void = () => undefined;
  private waiting: (() => void)[] = [];
  private hasEnded = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(ports: FollowPorts, finals: FinalHeads) {
    this.ports = ports;
    this.finals = finals;
    this.failed = new Promise<never>((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
  }

  /**
   * Takes up what was final before. Throws `CHAIN_REORGANISED` when the endpoints have other blocks in its place, and what
   * {@link Endpoints} does.
   */
  static async open(ports: FollowPorts, signal: AbortSignal): Promise<HeadFollower> {
    const finals = await FinalHeads.open(ports.files.folder, ports.from);
    const last = finals.last;
    if (last !== undefined) {
      const [now] = await ports.endpoints.heads([last.number], signal);
      if (now !== undefined && now.hash !== last.hash) throw tooDeep(last.number, ports.finality);
    }
    const lost = finals.heads.filter(({ number }) => !ports.files.has(number));
    for (let at = 0; at < lost.length; at += GROUP_BLOCKS)
      await restore(ports, lost.slice(at, at + GROUP_BLOCKS), signal);
    return new HeadFollower(ports, finals);
  }

  /** Blocks that are final. */
  get count(): number {
    return this.finals.heads.length;
  }

  /** The final blocks from the first on. */
  get heads(): readonly BlockHead[] {
    return this.finals.heads;
  }

  /** Blocks above the final ones, in order. */
  get above(): readonly BlockHead[] {
    return this.unfinal;
  }

  /** Is told of everything that happens from now on. */
  listen(listener: HeadListener): void {
    this.listeners.push(listener);
  }

  /** Begins to follow; until {@link end}, or until the signal ends it. */
  start(signal: AbortSignal): void {
    const bound = AbortSignal.any([signal, this.stopping.signal]);
    this.running = this.run(bound)
      .catch((error: unknown) => {
        if (!bound.aborted) this.fail(error);
      })
      .finally(() => this.finish());
  }

  /** Ends following: what is final now is all there will be. Where nothing is, it fails with `INTERRUPTED`: there is nothing to seal. */
  end(): void {
    if (this.count === 0) {
      this.fail(
        new IpdmError("INTERRUPTED", "stopped before any block was final; the same command goes on from here", {
          kind: "interrupted",
          retry: "now",
        }),
      );
      return;
    }
    this.stopping.abort(new DOMException("following has ended", "AbortError"));
  }

  /** Resolves when nothing more is asked for or written; to be waited for once it was ended or its signal aborted. Never rejects. */
  get ended(): Promise<void> {
    return this.running;
  }

  /** True when there is no need to wait for the block of a row: it is final, or never will be. */
  isDecided(row: number): boolean {
    return row < this.count || this.hasEnded;
  }

  /** Waits until the block of a row is final; false when following ends before. Rejects with the signal's reason, and as {@link failed}. */
  async isThere(row: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (row < this.count) return true;
      if (this.hasEnded) return false;
      const woken = new Promise<void>((resolve) => this.waiting.push(resolve));
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      await Promise.race([woken, aborted, this.failed]);
    }
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { endpoints, pollMs = POLL_MS } = this.ports;
    let disagreed = 0;
    while (!signal.aborted) {
      try {
        const tip = await endpoints.tip(signal);
        if (await this.approach(tip, signal)) continue;
        disagreed = 0;
      } catch (error) {
        // Endpoints come back; and while a reorganisation spreads, they do not agree on the newest blocks.
        const isPassing = hasCode(error, "ENDPOINTS_DISAGREE") && ++disagreed <= DISAGREED_MAX;
        if (signal.aborted || (!isPassing && !hasCode(error, "ENDPOINT_UNREACHABLE"))) throw error;
        if (!isPassing) for (const listener of this.listeners) listener.unreachable?.(error as IpdmError);
      }
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private finish(): void {
    this.hasEnded = true;
    this.wake();
  }

  /** Goes on towards a tip; false when there is nothing to do before the next look. */
  private async approach(tip: BlockHead, signal: AbortSignal): Promise<boolean> {
    const own = this.at(tip.number);
    if (own !== undefined) {
      // An endpoint that lags shows an earlier block of the same chain.
      if (own.hash !== tip.hash) await this.retreat(tip.number, signal);
      return own.hash !== tip.hash;
    }
    const next = (this.top?.number ?? this.ports.from - 1) + 1;
    if (tip.number < next) return false;
    const blocks = await this.fetch(next, Math.min(tip.number, next + GROUP_BLOCKS * GROUPS_MAX - 1), signal);
    let count = 0;
    for (const block of blocks) {
      if (block === undefined) break;
      const { top } = this;
      if (top !== undefined && block.head.parent !== top.hash) {
        await this.retreat(top.number, signal);
        return true;
      }
      await this.add(block);
      count++;
    }
    return count > 0;
  }

  private async fetch(from: number, to: number, signal: AbortSignal): Promise<readonly (FetchedBlock | undefined)[]> {
    const numbers = await this.ports.endpoints.numbers(from, to, signal);
    const groups: (readonly number[])[] = [];
    for (let at = 0; at < numbers.length; at += GROUP_BLOCKS) groups.push(numbers.slice(at, at + GROUP_BLOCKS));
    return (await Promise.all(groups.map((group) => this.ports.endpoints.blocks(group, signal)))).flat();
  }

  private async add(block: FetchedBlock): Promise<void> {
    await this.ports.files.put(block, true);
    this.unfinal.push(block.head);
    for (const listener of this.listeners) listener.added(block.head);
    const final = this.unfinal.slice(0, Math.max(0, this.unfinal.length - this.ports.finality));
    if (final.length === 0) return;
    await this.finals.append(final);
    this.unfinal.splice(0, final.length);
    for (const listener of this.listeners) listener.final((final.at(-1) as BlockHead).number);
    this.wake();
  }

  /** Gives up blocks from `number` downwards until one is the endpoint's too. Throws `CHAIN_REORGANISED` when that is a final one. */
  private async retreat(number: number, signal: AbortSignal): Promise<void> {
    const { endpoints, files, finality } = this.ports;
    let keep = number;
    for (; ; keep--) {
      const own = this.at(keep);
      if (own === undefined) break;
      const [theirs] = await endpoints.heads([keep], signal);
      if (theirs?.hash === own.hash) break;
      if (this.finals.last?.number === keep) throw tooDeep(keep, finality);
    }
    const gone = this.unfinal.filter((head) => head.number > keep);
    if (gone.length === 0) return;
    this.unfinal.splice(this.unfinal.length - gone.length, gone.length);
    for (const head of gone) await files.drop(head.number);
    for (const listener of this.listeners) listener.removed(keep + 1);
  }

  private get top(): BlockHead | undefined {
    return this.unfinal.at(-1) ?? this.finals.last;
  }

  private at(number: number): BlockHead | undefined {
    const { last } = this.finals;
    return last?.number === number ? last : this.unfinal.find((head) => head.number === number);
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Fetches final blocks again whose files are gone. */
async function restore({ endpoints, files, finality }: FollowPorts, lost: readonly BlockHead[], signal: AbortSignal) {
  const blocks = await endpoints.blocks(
    lost.map(({ number }) => number),
    signal,
  );
  for (const [i, head] of lost.entries()) {
    const block = blocks[i];
    if (block === undefined) throw missingBlock(head.number, "the endpoint does not have it, or not its receipts");
    if (block.head.hash !== head.hash) throw tooDeep(head.number, finality);
    await files.put(block, true);
  }
}

function tooDeep(number: number, finality: number): IpdmError {
  const message = `the chain was reorganised from block ${number} or before, which ${finality} blocks had followed`;
  return new IpdmError("CHAIN_REORGANISED", message, {
    kind: "verification",
    where: `block ${number}`,
    hint: "what was certified stands on blocks that are gone: set a larger finality, and run again with --fresh in another folder",
    facts: { block: number, finality },
  });
}
