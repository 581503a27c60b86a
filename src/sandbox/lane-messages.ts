import type { Schema } from "../batch/schema.ts";
import type { TextFormat } from "../batch/text/spelling.ts";
import type { ThreadModule } from "./module-call.ts";
import type { StopType } from "./stop.ts";

/** What a lane tells its worker. Messages are handled one after the other. */
export type ToWorker =
  | { readonly type: "module"; readonly module: number; readonly content: ThreadModule }
  | { readonly type: "call"; readonly module: number; readonly work: Work };

/** A question for the ABI version, or a batch to process, with the fuel it may take. Buffers are transferred. */
export type Work =
  | { readonly type: "abi"; readonly fuel: number }
  | {
      readonly type: "process";
      readonly fuel: number;
      readonly batch: ArrayBuffer;
      readonly descriptor: ArrayBuffer;
      readonly outputBytesMax: number;
      readonly columns: Schema | null;
      readonly stdin?: TextFormat;
    };

/** What a call came to; `fault` is this node's own inability, the rest is the module's doing. */
export type Outcome =
  | { readonly type: "abi"; readonly version: number }
  | { readonly type: "output"; readonly bytes: ArrayBuffer; readonly fuel: number; readonly log: readonly string[] }
  | { readonly type: StopType | "fault"; readonly message: string };

/** What a worker tells its lane: once that it is ready, then one outcome a call, in the order of the calls. */
export type FromWorker = { readonly type: "ready" } | { readonly type: "outcome"; readonly outcome: Outcome };

/** What a worker is started with: a counter of finished calls, which the lane can read while its own thread was busy. */
export interface WorkerData {
  readonly finished: Int32Array;
}
