import { interrupted, laneClosed, laneOverloaded } from "./errors.ts";
import type { CallResult, MakeWork, SessionLink } from "./lane-call.ts";
import type { LaneQueue } from "./lane-queue.ts";
import { ACTIVE_MS, IN_FLIGHT_MAX, QUEUE_MAX, SLICE_MS, SLOW_MS } from "./limits.ts";
import type { Loaded } from "./load.ts";
import type { Image } from "./state/image.ts";

interface Waiting {
  readonly work: MakeWork;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: CallResult) => void;
  readonly reject: (error: unknown) => void;
  onAbort: (() => void) | undefined;
}

/** What the pool knows of a module: its calls that wait, and the time of lanes that it has had. */
interface Share {
  readonly loaded: Loaded;
  waiting: Waiting[];
  /** Time of lanes used, in milliseconds; a module that comes back starts where the others are. */
  usedMs: number;
  /** Milliseconds of its last call, or undefined before the first. */
  callMs: number | undefined;
  lanes: number;
  running: number;
  lastAt: number;
}

/** A lane of the pool. Its calls under way are of one module, so that no call waits behind a call of another. */
interface Slot {
  readonly queue: LaneQueue;
  /** The number of each module in this lane. */
  readonly modules: Map<Share, number>;
  share: Share | undefined;
  inFlight: number;
  since: number;
}

/**
 * Shares several lanes among modules. The module that has had the least time of lanes comes next. A call never stands behind
 * a call of another module, and while several modules are at work, those whose calls are long, or unknown, leave one
 * lane to the others: a runaway module holds up its own calls alone. Time decides where a call runs and when, never what it gives.
 */
export class FairQueue {
  private readonly lanesMax: number;
  private readonly openQueue: () => LaneQueue;
  private readonly shares: Share[] = [];
  private readonly slots: Slot[] = [];
  private readonly sessions = new Set<LaneQueue>();
  private waiting = 0;
  private isClosed = false;

  constructor(lanesMax: number, openQueue: () => LaneQueue) {
    this.lanesMax = lanesMax;
    this.openQueue = openQueue;
  }

  /** How many lanes have been opened. */
  get lanes(): number {
    return this.slots.length;
  }

  add(loaded: Loaded): number {
    const lastAt = performance.now();
    return this.shares.push({ loaded, waiting: [], usedMs: 0, callMs: undefined, lanes: 0, running: 0, lastAt }) - 1;
  }

  /** Runs a call in some lane. Rejects as {@link LaneQueue.call} does. */
  call(module: number, work: MakeWork, signal: AbortSignal | undefined): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted(signal));
      if (this.isClosed) return reject(laneClosed());
      const share = this.shares[module] as Share;
      // Counted for each module: one that asks for much does not turn the others away.
      if (share.waiting.length >= QUEUE_MAX) return reject(laneOverloaded());
      const entry: Waiting = { work, signal, resolve, reject, onAbort: undefined };
      if (signal !== undefined) {
        entry.onAbort = () => {
          share.waiting = share.waiting.filter((other) => other !== entry);
          this.waiting--;
          reject(interrupted(signal));
        };
        signal.addEventListener("abort", entry.onAbort, { once: true });
      }
      if (share.waiting.length + share.running === 0) this.catchUp(share);
      share.waiting.push(entry);
      this.waiting++;
      this.pump();
    });
  }

  /**
   * Opens a session of a stateful module in a lane of its own, whose thread ends with it: a state is bound to one thread, and its calls
   * neither wait for others nor hold them up. Throws `LANE_CLOSED`.
   */
  open(module: number, image: Image | null): SessionLink {
    if (this.isClosed) throw laneClosed();
    const queue = this.openQueue();
    this.sessions.add(queue);
    const link = queue.open(queue.add((this.shares[module] as Share).loaded), image);
    return {
      ...link,
      close: () => {
        link.close();
        this.sessions.delete(queue);
        // What the session held is gone; when the end of its thread fails there is nothing left to do about it.
        queue.close().catch(() => undefined);
      },
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const share of this.shares) {
      for (const entry of share.waiting) {
        forget(entry);
        entry.reject(laneClosed());
      }
      share.waiting = [];
    }
    this.waiting = 0;
    await Promise.all([...this.slots.map(({ queue }) => queue), ...this.sessions].map((queue) => queue.close()));
  }

  /** A module that had nothing to do has no claim to the time it left to others. */
  private catchUp(share: Share): void {
    let least = Number.POSITIVE_INFINITY;
    for (const other of this.shares) if (other !== share && isBusy(other)) least = Math.min(least, other.usedMs);
    if (least !== Number.POSITIVE_INFINITY) share.usedMs = Math.max(share.usedMs, least);
  }

  /** Hands out what may be handed out, a call at a time: to lanes that have nothing to do, then to those with the least, then to new ones. */
  private pump(): void {
    if (this.isClosed) return;
    while (this.waiting > 0) {
      const idle = this.slots.find(({ inFlight }) => inFlight === 0);
      if (!(idle !== undefined && this.begin(idle)) && !this.topUp() && !this.beginNew()) return;
    }
  }

  /** Gives a free lane to the module whose turn it is. False when there is none. */
  private begin(slot: Slot): boolean {
    const share = this.next();
    if (share === undefined) return false;
    slot.share = share;
    slot.since = performance.now();
    share.lanes++;
    this.hand(slot, share);
    return true;
  }

  /** Begins a lane, where the others have enough to do. */
  private beginNew(): boolean {
    if (this.slots.length === this.lanesMax || this.next() === undefined) return false;
    return this.begin(this.openSlot());
  }

  /** Hands a call to the lane at work that has the fewest, of those that may have another. False when there is none. */
  private topUp(): boolean {
    let least: Slot | undefined;
    for (const slot of this.slots)
      if (this.hasRoom(slot) && slot.inFlight < (least?.inFlight ?? Number.POSITIVE_INFINITY)) least = slot;
    if (least?.share === undefined) return false;
    this.hand(least, least.share);
    return true;
  }

  /** Whether a lane may have another call of the module it is at work for: as long as no other module has a better claim. */
  private hasRoom({ share, inFlight }: Slot): boolean {
    if (share === undefined || share.waiting.length === 0 || inFlight === 0 || inFlight >= depthOf(share)) return false;
    return !this.shares.some((other) => other.waiting.length > 0 && other.usedMs < share.usedMs);
  }

  /** The module whose turn it is for a free lane, or undefined when there is none of either. */
  private next(): Share | undefined {
    if (this.waiting === 0) return undefined;
    const free = this.lanesMax - this.slots.filter(({ inFlight }) => inFlight > 0).length;
    if (free === 0) return undefined;
    let best: Share | undefined;
    for (const share of this.shares) {
      if (share.waiting.length === 0 || (free === 1 && this.mustLeaveOne(share))) continue;
      if (best === undefined || share.usedMs < best.usedMs) best = share;
    }
    return best;
  }

  /** Whether a module may not have the last free lane: others are at work, and its calls may take long. */
  private mustLeaveOne(share: Share): boolean {
    if (this.lanesMax === 1 || share.lanes === 0) return false;
    const now = performance.now();
    if (!this.shares.some((other) => other !== share && (isBusy(other) || now - other.lastAt < ACTIVE_MS)))
      return false;
    return (
      share.callMs === undefined ||
      share.callMs > SLOW_MS ||
      this.slots.some((slot) => slot.share === share && now - slot.since > SLOW_MS)
    );
  }

  private openSlot(): Slot {
    const slot: Slot = { queue: this.openQueue(), modules: new Map(), share: undefined, inFlight: 0, since: 0 };
    this.slots.push(slot);
    return slot;
  }

  private hand(slot: Slot, share: Share): void {
    let module = slot.modules.get(share);
    if (module === undefined) {
      module = slot.queue.add(share.loaded);
      slot.modules.set(share, module);
    }
    const entry = share.waiting.shift() as Waiting;
    forget(entry);
    this.waiting--;
    slot.inFlight++;
    share.running++;
    void slot.queue
      .call(module, entry.work, entry.signal)
      .then(entry.resolve, entry.reject)
      .then(() => this.over(slot, share));
  }

  private over(slot: Slot, share: Share): void {
    const now = performance.now();
    share.callMs = now - slot.since;
    share.usedMs += share.callMs;
    share.lastAt = now;
    share.running--;
    slot.since = now;
    slot.inFlight--;
    if (slot.inFlight === 0) {
      share.lanes--;
      slot.share = undefined;
    }
    this.pump();
  }
}

function isBusy(share: Share): boolean {
  return share.waiting.length + share.running > 0;
}

function forget({ signal, onAbort }: Waiting): void {
  if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
}

/**
 * Calls of a module that a lane holds at once: one until it is known how long they take; then two, so that the lane has one while the outcome
 * of another is read, or as many short ones as fill a slice of time; of long ones one.
 */
function depthOf({ callMs }: Share): number {
  if (callMs === undefined || callMs > SLOW_MS) return 1;
  return Math.max(2, Math.min(IN_FLIGHT_MAX, Math.floor(SLICE_MS / callMs)));
}
