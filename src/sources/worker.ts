import { hash } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../core/errors.ts";
import type { ErrorRecord } from "./failure.ts";
import { toRecord } from "./failure.ts";
import type { ThreadPlan } from "./open.ts";
import { openReader } from "./open.ts";
import { SendWindow } from "./send-window.ts";

/** What a reading thread is started with. */
export interface ThreadTask {
  readonly plan: ThreadPlan;
  readonly batchRows: number;
  readonly fromRow: number;
  /** Whether to hash the blocks. */
  readonly digests: boolean;
}

/** What a reading thread sends: batch blocks in order, each with the bytes of the file read for it, then the end or a failure. */
export type FromThread =
  | {
      readonly kind: "batch";
      readonly bytes: ArrayBuffer;
      readonly size: number;
      readonly read: number;
      readonly digest: Uint8Array | undefined;
    }
  | { readonly kind: "end"; readonly read: number; readonly absent: readonly string[] }
  | { readonly kind: "failed"; readonly error: ErrorRecord };

/** What a reading thread receives: a batch of that many bytes was taken. */
export interface ToThread {
  readonly kind: "taken";
  readonly bytes: number;
}

async function run(port: MessagePort, { plan, batchRows, fromRow, digests }: ThreadTask): Promise<void> {
  const window = new SendWindow();
  port.on("message", ({ bytes }: ToThread) => window.returned(bytes));
  const send = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  try {
    const reader = await openReader(plan);
    let read = 0;
    const onRead = (bytes: number): void => {
      read = bytes;
    };
    let absent: readonly string[] = [];
    const onAbsent = (columns: readonly string[]): void => {
      absent = columns;
    };
    for await (const batch of reader.read({ batchRows, fromRow, onRead, onAbsent })) {
      const bytes = batch.bytes.buffer as ArrayBuffer;
      const size = bytes.byteLength;
      const digest = digests ? new Uint8Array(hash("sha256", batch.bytes, "buffer")) : undefined;
      // What is read while this batch waits to be sent belongs to later ones.
      const position = read;
      await window.take(size);
      send({ kind: "batch", bytes, size, read: position, digest }, [bytes]);
    }
    send({ kind: "end", read, absent });
  } catch (error) {
    send({ kind: "failed", error: toRecord(error) });
  }
}

// A worker's main thread file runs only in a worker; importing it for its types has no effect.
if (parentPort !== null) {
  assert(workerData !== undefined, "a reading thread has its task");
  void run(parentPort, workerData as ThreadTask);
}
