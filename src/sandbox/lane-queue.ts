import { interrupted, sandboxError } from "./errors.ts";
import type { Outcome, Work } from "./lane-messages.ts";
import type { Thread, ThreadEvents } from "./lane-thread.ts";
import { FAULT_RETRIES, IN_FLIGHT_BYTES_MAX, IN_FLIGHT_MAX, QUEUE_MAX, STARTS_MAX } from "./limits.ts";
import type { Loaded } from "./load.ts";

/** What a call came to, also where the worker could not say it itself. */
export type CallResult = Outcome | { readonly type: "timeout" } | { readonly type: "crash"; readonly message: string };

/** Starts a thread that reports to the given events, later and never before it returns. */
export type StartThread = (events: ThreadEvents) => Thread;

interface LaneCall {
  readonly module: number;
  readonly timeoutMs: number;
  /** Makes the message; called again when the call is tried again, since its buffers are transferred. */
  readonly work: () => Work;
  readonly settle: (result: CallResult) => void;
  readonly fail: (error: unknown) => void;
  faults: number;
  isDropped: boolean;
  sizeBytes: number;
}

/**
 * Calls before one thread, which runs them one after the other. A thread that hangs, faults or dies is replaced, and the calls behind
 * go to the new one. The thread starts with the first call and keeps the process alive only while calls wait.
 */
export class LaneQueue {
  private readonly modules: Loaded[] = [];
  private readonly start: StartThread;
  private queue: LaneCall[] = [];
  private underWay: LaneCall[] = [];
  private underWayBytes = 0;
  private thread: Thread | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failedStarts = 0;
  private isClosed = false;

  constructor(start: StartThread) {
    this.start = start;
  }

  /** Makes a module known to this thread and those after it; gives its number here. */
  add(loaded: Loaded): number {
    const module = this.modules.push(loaded) - 1;
    this.thread?.load(module, loaded);
    return module;
  }

  /** Runs a call. Rejects with `INTERRUPTED`, `LANE_CLOSED` and `LANE_OVERLOADED`; all else is a result. */
  call(module: number, work: () => Work, signal: AbortSignal | undefined): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted(signal));
      if (this.isClosed) return reject(laneClosed());
      if (this.queue.length >= QUEUE_MAX) return reject(laneOverloaded());
      const timeoutMs = this.modules[module]?.timeoutMs ?? 0;
      const onAbort = (): void => {
        entry.isDropped = true;
        this.queue = this.queue.filter((waiting) => waiting !== entry);
        if (signal !== undefined) entry.fail(interrupted(signal));
      };
      const over = (): void => signal?.removeEventListener("abort", onAbort);
      const entry: LaneCall = {
        module,
        timeoutMs,
        work,
        faults: 0,
        isDropped: false,
        sizeBytes: 0,
        settle: (result) => (over(), resolve(result)),
        fail: (error) => (over(), reject(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.queue.push(entry);
      this.pump();
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const thread = this.thread;
    this.thread = undefined;
    clearTimeout(this.timer);
    for (const call of [...this.underWay, ...this.queue]) call.fail(laneClosed());
    this.underWay = [];
    this.queue = [];
    await thread?.end();
  }

  /** Hands waiting calls to the thread, several in one message, starting one if there is none. */
  private pump(): void {
    if (this.isClosed) return;
    if (this.queue.length > 0) this.thread ??= this.startThread();
    const thread = this.thread;
    if (thread === undefined) return;
    // A message costs as much as several small calls, so room for one call alone is left until there is more.
    if (thread.isReady && this.underWay.length <= IN_FLIGHT_MAX / 2) this.hand(thread);
    thread.hold(this.underWay.length + this.queue.length > 0);
  }

  private hand(thread: Thread): void {
    const wasIdle = this.underWay.length === 0;
    const calls: { module: number; work: Work }[] = [];
    while (this.queue.length > 0 && this.hasRoom()) {
      const call = this.queue.shift() as LaneCall;
      const work = call.work();
      call.sizeBytes = work.type === "process" ? work.batch.byteLength : 0;
      this.underWayBytes += call.sizeBytes;
      calls.push({ module: call.module, work });
      this.underWay.push(call);
    }
    if (calls.length === 0) return;
    thread.call(calls);
    if (wasIdle) this.arm();
  }

  private hasRoom(): boolean {
    const { length } = this.underWay;
    // Two at least, so that the thread does not wait for this one.
    return length < 2 || (length < IN_FLIGHT_MAX && this.underWayBytes < IN_FLIGHT_BYTES_MAX);
  }

  private startThread(): Thread {
    const thread = this.start({
      ready: () => {
        this.failedStarts = 0;
        this.pump();
      },
      outcome: (outcome) => this.finish(outcome),
      lost: (message) => this.lose(thread, message),
    });
    for (const [module, loaded] of this.modules.entries()) thread.load(module, loaded);
    return thread;
  }

  /** The oldest call under way has come to an outcome. */
  private finish(outcome: Outcome): void {
    const [call] = this.underWay;
    if (call === undefined) return;
    if (outcome.type === "fault" && call.faults < FAULT_RETRIES && !call.isDropped)
      return this.replaceThread({ retry: true });
    this.underWay.shift();
    this.underWayBytes -= call.sizeBytes;
    call.settle(outcome);
    this.arm();
    this.pump();
  }

  private lose(thread: Thread, message: string): void {
    if (!thread.isReady && ++this.failedStarts >= STARTS_MAX) {
      this.thread = undefined;
      this.failedStarts = 0;
      for (const call of this.queue.splice(0)) call.settle({ type: "crash", message });
      return;
    }
    const [head] = this.underWay;
    if (head !== undefined && head.faults >= FAULT_RETRIES) head.settle({ type: "crash", message });
    this.replaceThread({ retry: head !== undefined && head.faults < FAULT_RETRIES });
  }

  /**
   * Lets the thread go and hands what was under way to the next one. The oldest call is tried again or counts as settled;
   * those behind it had no part in the fault, and calls have no effects, so they simply run again.
   */
  private replaceThread({ retry }: { readonly retry: boolean }): void {
    clearTimeout(this.timer);
    const old = this.thread;
    this.thread = undefined;
    const [head, ...others] = this.underWay;
    if (head !== undefined && retry) {
      head.faults++;
      others.unshift(head);
    }
    this.underWay = [];
    this.underWayBytes = 0;
    this.queue.unshift(...others.filter((call) => !call.isDropped));
    // The old thread runs no host code any more; when its end fails there is nothing left to do about it.
    old?.end().catch(() => undefined);
    this.pump();
  }

  /** Starts the clock of the oldest call under way. */
  private arm(): void {
    clearTimeout(this.timer);
    const [call] = this.underWay;
    if (call !== undefined) this.timer = setTimeout(() => this.timeUp(call), call.timeoutMs);
  }

  private timeUp(call: LaneCall): void {
    const thread = this.thread;
    const isStuck = (): boolean => this.thread === thread && this.underWay[0] === call;
    // When this thread was busy, a finished call may look late; its outcome is read first.
    thread?.hasUnread((isUnread) => {
      if (!isStuck()) return;
      if (isUnread) return this.arm();
      call.settle({ type: "timeout" });
      this.replaceThread({ retry: false });
    });
  }
}

/** The error of a call on a closed lane. */
export function laneClosed(): Error {
  return sandboxError("LANE_CLOSED", "the lane is closed", { hint: "open another lane" });
}

/** The error of a call too many. */
export function laneOverloaded(): Error {
  return sandboxError("LANE_OVERLOADED", `more than ${QUEUE_MAX} calls wait for a lane`, { retry: "later" });
}
