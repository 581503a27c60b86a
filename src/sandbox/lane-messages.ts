/** What a lane tells its worker. Messages are handled one after the other. */
export type ToWorker =
  | {
      readonly type: "module";
      readonly module: number;
      readonly code: WebAssembly.Module;
      readonly memoryBytesMax: number;
    }
  | { readonly type: "call"; readonly module: number; readonly work: Work };

/** A question for the ABI version, or a batch to process. Buffers are transferred. */
export type Work =
  | { readonly type: "abi" }
  | {
      readonly type: "process";
      readonly batch: ArrayBuffer;
      readonly descriptor: ArrayBuffer;
      readonly outputBytesMax: number;
    };

/** What a call came to; `fault` is this node's own inability, the rest is the module's doing. */
export type Outcome =
  | { readonly type: "abi"; readonly version: number }
  | { readonly type: "output"; readonly bytes: ArrayBuffer }
  | { readonly type: "trap" | "memory" | "output-invalid" | "fault"; readonly message: string };

/** What a worker tells its lane: once that it is ready, then one outcome a call, in the order of the calls. */
export type FromWorker = { readonly type: "ready" } | { readonly type: "outcome"; readonly outcome: Outcome };

/** What a worker is started with: a counter of finished calls, which the lane can read while its own thread was busy. */
export interface WorkerData {
  readonly finished: Int32Array;
}
