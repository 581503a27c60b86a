import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { FromWorker, Outcome, ToWorker, WorkerData } from "./lane-messages.ts";
import { STACK_MEBIBYTES } from "./limits.ts";

/** What a thread reports to its lane. */
export interface ThreadEvents {
  ready(): void;
  outcome(outcome: Outcome): void;
  /** The thread is gone without having been asked to go. */
  lost(message: string): void;
}

/** What a lane needs of the thread that runs its calls: outcomes come in the order of the calls posted. */
export interface Thread {
  readonly isReady: boolean;
  /** True when the oldest call under way has finished and its outcome only waits to be read. */
  readonly hasUnread: boolean;
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the thread keeps the process alive. */
  hold(isBusy: boolean): void;
  /** Stops it, in the middle of a call too; it reports nothing more. */
  end(): Promise<void>;
}

/** A {@link Thread} on a worker of `node:worker_threads`. */
export class LaneThread implements Thread {
  private readonly worker: Worker;
  private readonly finished = new Int32Array(new SharedArrayBuffer(4));
  private outcomes = 0;
  private ended = false;
  isReady = false;

  constructor(events: ThreadEvents) {
    const data: WorkerData = { finished: this.finished };
    // The same extension as this file: .ts while developing, .js when built.
    const file = new URL(`./lane-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
    this.worker = new Worker(file, {
      workerData: data,
      env: {},
      argv: [],
      execArgv: [],
      name: "ipdm-lane",
      resourceLimits: { stackSizeMb: STACK_MEBIBYTES },
    });
    let reason = "the worker ended";
    this.worker.on("message", (message: FromWorker) => {
      if (this.ended) return;
      if (message.type === "ready") {
        this.isReady = true;
        events.ready();
      } else {
        this.outcomes++;
        events.outcome(message.outcome);
      }
    });
    this.worker.on("error", (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    this.worker.on("exit", (code) => {
      if (this.ended) return;
      this.ended = true;
      events.lost(`${reason} (exit code ${code})`);
    });
  }

  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  get hasUnread(): boolean {
    return Atomics.load(this.finished, 0) > this.outcomes;
  }

  hold(isBusy: boolean): void {
    if (isBusy) this.worker.ref();
    else this.worker.unref();
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
  }
}
