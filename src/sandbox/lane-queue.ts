import { interrupted, laneClosed, laneOverloaded } from "./errors.ts";
import type { CallResult, Handed, LaneCall, MakeWork, SessionLink } from "./lane-call.ts";
import { BROKEN, faultOf, LaneSession } from "./lane-call.ts";
import type { Outcome, ThreadCall } from "./lane-messages.ts";
import type { Thread, ThreadEvents } from "./lane-thread.ts";
import { FAULT_RETRIES, IN_FLIGHT_BYTES_MAX, IN_FLIGHT_MAX, QUEUE_MAX, STARTS_MAX } from "./limits.ts";
import type { Loaded } from "./load.ts";
import type { Image } from "./state/image.ts";

/** Starts a thread that reports to the given events, later and never before it returns. */
export type StartThread = (events: ThreadEvents) => Thread;

/**
 * Calls before one thread, which runs them one after the other. A thread that hangs, faults or dies is replaced, and the calls behind
 * go to the new one. The thread starts with the first call and keeps the process alive only while calls wait.
 */
export class LaneQueue {
  private readonly modules: Loaded[] = [];
  private readonly sessions = new Set<LaneSession>();
  private readonly start: StartThread;
  private sessionsOpened = 0;
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

  /** Opens a session of a stateful module, at an image or at the beginning. Throws `LANE_CLOSED`. */
  open(module: number, image: Image | null): SessionLink {
    if (this.isClosed) throw laneClosed();
    const session = new LaneSession(module, this.sessionsOpened++, image);
    this.sessions.add(session);
    return {
      call: (work, signal) => this.call(module, work, signal, session),
      rollback: () => {
        this.dropCallsOf(session);
        session.reset();
      },
      close: () => this.forget(session),
    };
  }

  private forget(session: LaneSession): void {
    this.sessions.delete(session);
    this.breakOff(session);
    if (session.thread === this.thread) this.thread?.closeSession(session.number);
  }

  /** Runs a call, of a session where one is given. Rejects with `INTERRUPTED`, `LANE_CLOSED` and `LANE_OVERLOADED`; all else is a result. */
  call(module: number, work: MakeWork, signal: AbortSignal | undefined, session?: LaneSession): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(laneClosed());
      if (session?.isBroken === true) return resolve(BROKEN);
      const refusal =
        signal?.aborted === true ? interrupted(signal) : this.queue.length >= QUEUE_MAX ? laneOverloaded() : undefined;
      if (refusal !== undefined) {
        // What comes behind a call that is left out would find another state than it asked for.
        if (session !== undefined) this.breakOff(session);
        return reject(refusal);
      }
      const timeoutMs = this.modules[module]?.timeoutMs ?? 0;
      const onAbort = (): void => {
        entry.isDropped = true;
        this.queue = this.queue.filter((waiting) => waiting !== entry);
        if (signal !== undefined) entry.fail(interrupted(signal));
        if (session !== undefined) this.breakOff(session);
      };
      const over = (): void => signal?.removeEventListener("abort", onAbort);
      const entry: LaneCall = {
        module,
        session,
        timeoutMs,
        work,
        faults: 0,
        isDropped: false,
        isRedone: false,
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
    this.sessions.clear();
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
    const calls: Handed[] = [];
    while (this.queue.length > 0 && this.hasRoom()) {
      const call = this.queue.shift() as LaneCall;
      const message = this.messageOf(call, thread);
      if (message === undefined) continue;
      const { work } = message;
      call.sizeBytes = work.type === "process" ? work.batch.byteLength : 0;
      this.underWayBytes += call.sizeBytes;
      this.underWay.push(call);
      calls.push({ call, message });
    }
    if (calls.length === 0) return;
    this.post(thread, calls);
    if (this.underWay.length === 0) return this.pump();
    if (wasIdle) this.arm();
  }

  /** Posts calls in one message. Where that fails, each goes by itself, and those that cannot go have failed. */
  private post(thread: Thread, calls: readonly Handed[]): void {
    try {
      thread.call(calls.map(({ message }) => message));
    } catch (error) {
      const [only] = calls;
      if (only === undefined || calls.length > 1) {
        for (const one of calls) this.post(thread, [one]);
        return;
      }
      const { call } = only;
      this.underWay = this.underWay.filter((other) => other !== call);
      this.underWayBytes -= call.sizeBytes;
      this.conclude(call, faultOf(error));
    }
  }

  /** A call's message. Where this node has no memory for it, the call has failed, and those behind it go on. */
  private messageOf(call: LaneCall, thread: Thread): ThreadCall | undefined {
    const { module, session } = call;
    try {
      if (session !== undefined && session.thread !== thread) {
        thread.openSession(session.number, module, session.image);
        session.thread = thread;
      }
      return { module, session: session?.number ?? null, work: call.work(thread.spare) };
    } catch (error) {
      this.conclude(call, faultOf(error));
      return undefined;
    }
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
    this.conclude(call, outcome);
    this.arm();
    this.pump();
  }

  /** A call has come to its result. Behind one that did not end well, its session takes no more. */
  private conclude(call: LaneCall, result: CallResult): void {
    const { session } = call;
    call.settle(result);
    if (session === undefined || call.isDropped) return;
    session.conclude(call, result);
    if (session.isBroken) this.breakOff(session);
  }

  private breakOff(session: LaneSession): void {
    session.isBroken = true;
    this.dropCallsOf(session);
  }

  /** Ends the wait for a session's calls; those under way still come to an outcome, which nobody reads. */
  private dropCallsOf(session: LaneSession): void {
    for (const call of [...this.underWay, ...this.queue]) {
      if (call.session !== session || call.isDropped) continue;
      call.isDropped = true;
      call.settle(BROKEN);
    }
    this.queue = this.queue.filter((call) => call.session !== session);
    session.since = [];
  }

  private lose(thread: Thread, message: string): void {
    if (!thread.isReady && ++this.failedStarts >= STARTS_MAX) {
      this.thread = undefined;
      this.failedStarts = 0;
      for (const call of this.queue.splice(0)) this.conclude(call, { type: "crash", message });
      return;
    }
    const [head] = this.underWay;
    if (head !== undefined && head.faults >= FAULT_RETRIES) this.conclude(head, { type: "crash", message });
    this.replaceThread({ retry: head !== undefined && head.faults < FAULT_RETRIES });
  }

  /**
   * Lets the thread go and hands what was under way to the next one. The oldest call is tried again or counts as settled;
   * those behind it had no part in the fault, and calls have no effects but on their session's state, so they simply run again:
   * behind those that the state in the thread was made of since it was saved.
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
    const waiting = [...others, ...this.queue].filter((call) => !call.isDropped && !call.isRedone);
    this.underWay = [];
    this.underWayBytes = 0;
    this.queue = [...Array.from(this.sessions, ({ since }) => since).flat(), ...waiting];
    // The old thread runs no host code any more; when its end fails there is nothing left to do about it.
    old?.end().catch(() => undefined);
    this.pump();
  }

  /** Starts the clock of the oldest call under way. */
  private arm(delays = 0): void {
    clearTimeout(this.timer);
    const [call] = this.underWay;
    if (call === undefined) return;
    const due = performance.now() + call.timeoutMs;
    this.timer = setTimeout(() => {
      // A timer that comes late shows that this thread was busy, and may not have handed the call over: its time begins again.
      if (performance.now() > due + TIMER_LATE_MS && delays < TIMER_DELAYS_MAX) this.arm(delays + 1);
      else this.timeUp(call);
    }, call.timeoutMs);
  }

  private timeUp(call: LaneCall): void {
    const thread = this.thread;
    const isStuck = (): boolean => this.thread === thread && this.underWay[0] === call;
    // When this thread was busy, a finished call may look late; its outcome is read first.
    thread?.hasUnread((isUnread) => {
      if (!isStuck()) return;
      if (isUnread) return this.arm();
      this.conclude(call, { type: "timeout" });
      this.replaceThread({ retry: false });
    });
  }
}

/** Milliseconds after which a timer is late, and how often a call's time begins again for it. */
const TIMER_LATE_MS = 50;
const TIMER_DELAYS_MAX = 3;
