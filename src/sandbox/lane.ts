import { adapterOf, hostTableOf } from "./abi/adapters.ts";
import { NO_OPTIONS } from "./abi/port.ts";
import { interrupted, moduleRefused, sandboxError } from "./errors.ts";
import type { Outcome, Work } from "./lane-messages.ts";
import type { Thread, ThreadEvents } from "./lane-thread.ts";
import { LaneThread } from "./lane-thread.ts";
import { FAULT_RETRIES, IN_FLIGHT_MAX, QUEUE_MAX, STARTS_MAX } from "./limits.ts";
import type { ThreadModule } from "./module-call.ts";
import { LoadedModule } from "./module-handle.ts";
import type { CallOptions, Lane, ModuleHandle, ModuleSpec } from "./port.ts";
import { validateModule } from "./validate.ts";

const ABI_VERSION = 1;

/** What a call came to, also where the worker could not say it itself. */
export type CallResult = Outcome | { readonly type: "timeout" } | { readonly type: "crash"; readonly message: string };

interface LaneCall {
  readonly module: number;
  readonly timeoutMs: number;
  /** Makes the message; called again when the call is tried again, since its buffers are transferred. */
  readonly work: () => Work;
  readonly settle: (result: CallResult) => void;
  readonly fail: (error: unknown) => void;
  faults: number;
  isDropped: boolean;
}

interface Compiled {
  readonly content: ThreadModule;
  readonly timeoutMs: number;
}

/** Opens a lane. Its thread starts with the first call and keeps the process alive only while calls wait. */
export function openLane(start: StartThread = (events) => new LaneThread(events)): Lane {
  return new WorkerLane(start);
}

/** Starts a thread that reports to the given events, later and never before it returns. */
export type StartThread = (events: ThreadEvents) => Thread;

/** A queue of calls before one worker thread; a thread that hangs, faults or dies is replaced, and the calls behind go to the new one. */
class WorkerLane implements Lane {
  private readonly modules: Compiled[] = [];
  private queue: LaneCall[] = [];
  private underWay: LaneCall[] = [];
  private readonly start: StartThread;
  private thread: Thread | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failedStarts = 0;
  private isClosed = false;

  constructor(start: StartThread) {
    this.start = start;
  }

  async load(spec: ModuleSpec, options: CallOptions = {}): Promise<ModuleHandle> {
    this.checkOpen();
    const { bytes, costTable, shape } = validateModule(spec);
    const code = await compile(bytes, spec.cid);
    this.checkOpen();
    const { abi, memoryBytesMax, stackValuesMax, capabilities, timeoutMs } = spec;
    const face = { shape, cid: spec.cid, capabilities, options: spec.options ?? NO_OPTIONS };
    const settled = adapterOf(abi).settle?.(face) ?? face.options;
    const content: ThreadModule = { code, abi, options: settled, memoryBytesMax, stackValuesMax, capabilities };
    const module = this.modules.push({ content, timeoutMs }) - 1;
    this.thread?.post({ type: "module", module, content });
    const identity = { instrumented: bytes, costTable, hostTable: hostTableOf(abi) };
    const loaded = new LoadedModule(spec, identity, (work, signal) => this.call(module, work, signal));
    const version = await loaded.abiVersion(options.signal);
    if (version !== ABI_VERSION)
      throw moduleRefused("MODULE_INVALID", spec.cid, `speaks version ${version} of the ABI, not ${ABI_VERSION}`);
    return loaded;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const thread = this.thread;
    this.thread = undefined;
    clearTimeout(this.timer);
    for (const call of [...this.underWay, ...this.queue]) call.fail(closed());
    this.underWay = [];
    this.queue = [];
    await thread?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private call(module: number, work: () => Work, signal: AbortSignal | undefined): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted(signal));
      if (this.isClosed) return reject(closed());
      if (this.queue.length >= QUEUE_MAX) {
        return reject(
          sandboxError("LANE_OVERLOADED", `more than ${QUEUE_MAX} calls wait for a lane`, { retry: "later" }),
        );
      }
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
        settle: (result) => (over(), resolve(result)),
        fail: (error) => (over(), reject(error)),
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.queue.push(entry);
      this.pump();
    });
  }

  /** Hands waiting calls to the thread, starting one if there is none. */
  private pump(): void {
    if (this.isClosed) return;
    if (this.queue.length > 0) this.thread ??= this.startThread();
    const thread = this.thread;
    if (thread === undefined) return;
    while (thread.isReady && this.queue.length > 0 && this.underWay.length < IN_FLIGHT_MAX) {
      const call = this.queue.shift() as LaneCall;
      const work = call.work();
      thread.post(
        { type: "call", module: call.module, work },
        work.type === "process" ? [work.batch, work.descriptor] : [],
      );
      this.underWay.push(call);
      if (this.underWay.length === 1) this.arm();
    }
    thread.hold(this.underWay.length + this.queue.length > 0);
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
    for (const [module, { content }] of this.modules.entries()) thread.post({ type: "module", module, content });
    return thread;
  }

  /** The oldest call under way has come to an outcome. */
  private finish(outcome: Outcome): void {
    const call = this.underWay.shift();
    if (call === undefined) return;
    if (outcome.type === "fault" && call.faults < FAULT_RETRIES && !call.isDropped) {
      this.underWay.unshift(call);
      return this.replaceThread({ retry: true });
    }
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
    this.queue.unshift(...others.filter((call) => !call.isDropped));
    // The old thread runs no host code any more; when its end fails there is nothing left to do about it.
    old?.end().catch(() => undefined);
    this.pump();
  }

  /** Starts the clock of the oldest call under way. */
  private arm(): void {
    clearTimeout(this.timer);
    const [call] = this.underWay;
    if (call === undefined) return;
    this.timer = setTimeout(() => {
      // When this thread was busy, a finished call may look late; its outcome is read first.
      if (this.thread?.hasUnread === true) return this.arm();
      call.settle({ type: "timeout" });
      this.replaceThread({ retry: false });
    }, call.timeoutMs);
  }

  private checkOpen(): void {
    if (this.isClosed) throw closed();
  }
}

async function compile(bytes: Uint8Array<ArrayBuffer>, cid: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    // The bytes are valid, so this node lacks the memory for their code.
    throw sandboxError("LANE_FAULT", `module ${cid} could not be compiled by this node: ${String(cause)}`, {
      where: cid,
      retry: "later",
      cause,
    });
  }
}

function closed(): Error {
  return sandboxError("LANE_CLOSED", "the lane is closed", { hint: "open another lane" });
}
