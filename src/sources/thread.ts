import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Batch } from "../batch/batch.ts";
import { viewBatch } from "../batch/layout.ts";
import type { Schema } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";
import { bareEnv } from "../sandbox/bare-env.ts";
import { fromRecord } from "./failure.ts";
import { WORKER_HEAP_MIB_MAX } from "./limits.ts";
import type { ThreadPlan } from "./open.ts";
import type { BatchesOptions } from "./port.ts";
import type { FromThread, ThreadTask, ToThread } from "./worker.ts";

/**
 * Reads a plan in a thread that lives as long as the iteration. The thread sends finished batch blocks without copying them,
 * at most 64 or 16 MiB ahead of the consumer.
 */
export async function* readInThread(
  plan: ThreadPlan,
  schema: Schema,
  options: BatchesOptions,
): AsyncGenerator<Batch, void, undefined> {
  const { batchRows, fromRow = 0, digests = false, signal, onRead, onAbsent } = options;
  signal?.throwIfAborted();
  const task: ThreadTask = { plan, batchRows, fromRow, digests };
  const entry = new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  const worker = new Worker(entry, {
    workerData: task,
    env: bareEnv(),
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MIB_MAX },
  });
  const exited = once(worker, "exit");
  const inbox = new Inbox(worker, signal);
  try {
    for (;;) {
      const message = await inbox.next();
      if (message.kind === "failed") throw fromRecord(message.error);
      if (message.read > 0) onRead?.(message.read);
      if (message.kind === "end") {
        if (message.absent.length > 0) onAbsent?.(message.absent);
        return;
      }
      yield viewBatch(schema, new Uint8Array(message.bytes), message.digest);
      signal?.throwIfAborted();
      worker.postMessage({ kind: "taken", bytes: message.size } satisfies ToThread);
    }
  } finally {
    inbox.close();
    await worker.terminate();
    await exited.catch(() => undefined);
  }
}

/** Messages of the thread in order; it cannot hold more than the thread's window. */
class Inbox {
  private readonly queue: FromThread[] = [];
  private failure: unknown;
  private hasFailed = false;
  private wake: (() => void) | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => this.fail(this.signal?.reason);

  constructor(worker: Worker, signal: AbortSignal | undefined) {
    this.signal = signal;
    worker.on("message", (message: FromThread) => {
      this.queue.push(message);
      this.wake?.();
    });
    worker.on("error", (error) => this.fail(threadError(error)));
    worker.on("exit", (code) => this.fail(threadError(new Error(`the reading thread ended with ${code}`))));
    signal?.addEventListener("abort", this.onAbort, { once: true });
  }

  async next(): Promise<FromThread> {
    for (;;) {
      this.signal?.throwIfAborted();
      const message = this.queue.shift();
      if (message !== undefined) return message;
      if (this.hasFailed) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    this.signal?.removeEventListener("abort", this.onAbort);
  }

  private fail(error: unknown): void {
    if (!this.hasFailed) this.failure = error;
    this.hasFailed = true;
    this.wake?.();
  }
}

function threadError(error: unknown): IpdmError {
  const isOutOfMemory = (error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
  const message = error instanceof Error ? error.message : String(error);
  return isOutOfMemory
    ? new IpdmError("SOURCE_LIMIT", `reading needs more than ${WORKER_HEAP_MIB_MAX} MiB of heap`, {
        hint: "write the file in smaller row groups",
        cause: error,
      })
    : new IpdmError("SOURCE_FAILED", `reading failed: ${message}`, { cause: error });
}
