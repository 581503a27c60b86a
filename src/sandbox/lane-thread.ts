import { extname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { bareEnv } from "./bare-env.ts";
import type { FromWorker, Outcome, ThreadCall, ToWorker, WorkerData } from "./lane-messages.ts";
import { MESSAGE_BYTES_MAX, STACK_MEBIBYTES } from "./limits.ts";
import type { Loaded } from "./load.ts";
import { SpareBuffers } from "./spare-buffers.ts";
import type { Image } from "./state/image.ts";

// V8 of Node.js 24 can end the whole process (`jit_page.has_value()`) while it frees code of modules, where threads that run modules come and
// go (nodejs/node#64500). Without this collection, code that a better tier replaced stays until its module is dropped.
setFlagsFromString("--no-wasm-code-gc");

/** What a thread reports to its lane. */
export interface ThreadEvents {
  ready(): void;
  outcome(outcome: Outcome): void;
  /** The thread is gone without having been asked to go. */
  lost(message: string): void;
}

/** What a lane needs of the thread that runs its calls, here or in another process: outcomes come in the order of the calls. */
export interface Thread {
  readonly isReady: boolean;
  /** Buffers for the batches of calls, where they come back. */
  readonly spare?: SpareBuffers;
  /** Tells whether the oldest call under way has finished and its outcome only waits to be read. */
  hasUnread(answer: (isUnread: boolean) => void): void;
  load(module: number, loaded: Loaded): void;
  /** Begins a session of a stateful module at an image, or at the beginning. */
  openSession(session: number, module: number, image: Image | null): void;
  closeSession(session: number): void;
  /** Runs calls in their order. Their batches belong to the thread from now on, but for shared ones. */
  call(calls: readonly ThreadCall[]): void;
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
  readonly spare = new SpareBuffers();
  /** Of each call under way the buffer that is to come back, if there is one. */
  private readonly lent: (SharedArrayBuffer | undefined)[] = [];
  private ended = false;
  isReady = false;

  constructor(events: ThreadEvents) {
    const data: WorkerData = { finished: this.finished };
    // The same extension as this file: .ts while developing, .js when built.
    const file = new URL(`./lane-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
    this.worker = new Worker(file, {
      workerData: data,
      env: bareEnv(),
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
        // Outcomes come in the order of the calls, and the module has had a copy of what was in its buffer.
        const lent = this.lent.shift();
        if (lent !== undefined) this.spare.give(lent);
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

  load(module: number, { content }: Loaded): void {
    this.post({ type: "module", module, content }, []);
  }

  openSession(session: number, module: number, image: Image | null): void {
    this.post({ type: "open", session, module, image }, []);
  }

  closeSession(session: number): void {
    this.post({ type: "close", session }, []);
  }

  call(calls: readonly ThreadCall[]): void {
    const moved: ArrayBuffer[] = [];
    for (const { work } of calls) {
      if (work.type === "process" && work.batch instanceof ArrayBuffer && work.batch.byteLength > MESSAGE_BYTES_MAX)
        moved.push(work.batch);
    }
    this.post({ type: "calls", calls }, moved);
    for (const { work } of calls) {
      const isLent = work.type === "process" && work.batchBytes !== undefined && !(work.batch instanceof ArrayBuffer);
      this.lent.push(isLent ? work.batch : undefined);
    }
  }

  hasUnread(answer: (isUnread: boolean) => void): void {
    answer(Atomics.load(this.finished, 0) > this.outcomes);
  }

  private post(message: ToWorker, moved: readonly ArrayBuffer[]): void {
    this.worker.postMessage(message, moved);
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
