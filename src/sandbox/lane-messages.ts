import type { Schema } from "../batch/schema.ts";
import type { TextFormat } from "../batch/text/spelling.ts";
import type { ThreadModule } from "./module-call.ts";
import type { Image, ImageChange } from "./state/image.ts";
import type { ImageCopy, OutcomeCopy } from "./state/image-copy.ts";
import type { StopType } from "./stop.ts";

/** What a lane tells its worker. Messages are handled one after the other. */
export type ToWorker =
  | { readonly type: "module"; readonly module: number; readonly content: ThreadModule }
  /** Begins a session of a stateful module at an image, or at the beginning; another of that number is given up. */
  | { readonly type: "open"; readonly session: number; readonly module: number; readonly image: Image | null }
  | { readonly type: "close"; readonly session: number }
  | { readonly type: "calls"; readonly calls: readonly ThreadCall[] };

/** A call of a module by the number under which it was sent, and of a session where it goes on from a state. */
export interface ThreadCall {
  readonly module: number;
  readonly session: number | null;
  readonly work: Work;
}

/** A batch to process, with the fuel it may take. A batch that is not shared is moved to the thread, or copied when it is small. */
export interface ProcessWork {
  readonly type: "process";
  readonly fuel: number;
  readonly batch: ArrayBuffer | SharedArrayBuffer;
  /** Bytes of the block, where its buffer is larger. */
  readonly batchBytes?: number;
  readonly descriptor: ArrayBuffer;
  readonly outputBytesMax: number;
  readonly columns: Schema | null;
  readonly stdin?: TextFormat;
}

/** A batch, a question for the ABI version, or one for what of a session's state has changed since it was opened or saved. */
export type Work = ProcessWork | { readonly type: "abi"; readonly fuel: number } | { readonly type: "save" };

/**
 * What a call came to; `fault` is this node's own inability, `broken` a session in which a call before did not end well, the rest
 * is the module's doing. `log` is what it wrote to the log until then.
 */
export type Outcome =
  | { readonly type: "abi"; readonly version: number }
  | { readonly type: "output"; readonly bytes: ArrayBuffer; readonly fuel: number; readonly log: readonly string[] }
  | { readonly type: "saved"; readonly change: ImageChange }
  | (Failed & { readonly type: "failed"; readonly code: string })
  | (Failed & { readonly type: Exclude<StopType, "failed"> | "fault" | "broken" });

/** An outcome that is an error. */
export type Failure = Exclude<Outcome, { readonly type: "abi" | "output" | "saved" }>;

interface Failed {
  readonly message: string;
  readonly log?: readonly string[];
}

/** What a worker tells its lane: once that it is ready, then one outcome a call, in the order of the calls. */
export type FromWorker = { readonly type: "ready" } | { readonly type: "outcome"; readonly outcome: Outcome };

/** What a worker is started with: a counter of finished calls, which the lane can read while its own thread was busy. */
export interface WorkerData {
  readonly finished: Int32Array;
}

/** What a lane tells the process that runs its thread. Compiled code stays in a process, so the bytes go. */
export type ToChild =
  | {
      readonly type: "module";
      readonly module: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly content: Omit<ThreadModule, "code">;
    }
  | { readonly type: "open"; readonly session: number; readonly module: number; readonly image: ImageCopy | null }
  | { readonly type: "close"; readonly session: number }
  | { readonly type: "calls"; readonly calls: readonly ThreadCall[] }
  | { readonly type: "unread" };

/** What the process says: what its thread does, the answer to `unread`, and why the thread is gone. */
export type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "outcome"; readonly outcome: OutcomeCopy }
  | { readonly type: "unread"; readonly isUnread: boolean }
  | { readonly type: "lost"; readonly message: string };
