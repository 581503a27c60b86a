import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import type { TextFormat } from "../batch/text/spelling.ts";
import type { Abi, AbiOptions } from "./abi/port.ts";
import type { Feature, Isolation, SandboxPolicy } from "./policy.ts";
import type { MemorySource, SavedMemory } from "./state/memory-tree.ts";

/** How a module's output depends on its input. */
export type ModuleKind = "rows" | "batch" | "stateful";

/** A module and what it may use. */
export interface ModuleSpec extends SandboxPolicy {
  /** The module as its author gave it. */
  readonly bytes: Uint8Array;
  /** CID of `bytes`; errors name it. */
  readonly cid: string;
  /** How it is called. */
  readonly abi: Abi;
  /** What its ABI leaves open; nothing when left out. */
  readonly options?: AbiOptions;
  /**
   * `rows`: f(a‖b) = f(a)‖f(b). `batch`: the output depends on where a batch begins and ends. `stateful`: it depends on the
   * batches before as well, whose trace the module keeps in its memory and globals.
   */
  readonly kind: ModuleKind;
  /** Columns of the output, for an ABI whose modules cannot say them; else null. */
  readonly columns: Schema | null;
  /** Form of the text on a program's standard input, for `wasi/1`; NDJSON when left out. */
  readonly stdin?: TextFormat;
  /** What of WebAssembly it may use beyond what every module may; nothing when left out. */
  readonly features?: readonly Feature[];
  /**
   * Takes the lines that a call has written to the log, where the module's policy allows that, before its output or error is known. No result
   * depends on them, and what this throws is dropped. Of a call that was terminated there are none.
   */
  readonly onLog?: (line: string) => void;
  /** Wall clock a call may take before its worker is terminated: the way out when this node is at fault, not a measure of work. */
  readonly timeoutMs: number;
  /** Where its lane runs, when it is one of a pool; what the pool says when left out. */
  readonly isolation?: Isolation;
}

/** What stands in the descriptor beside a batch: everything a module may know besides its rows. */
export interface CallContext {
  /** Number of the batch's first row, counted from the start of the module's input. */
  readonly firstRow: number;
  /** 32 bytes, derived from the task's configuration. */
  readonly seed: Uint8Array;
  /** Event time of the batch in microseconds since the Unix epoch, where there is one: without it a module that asks is stopped. */
  readonly timeUs?: bigint;
}

/** Ends the wait for a call. The call itself may still run in its worker; its outcome is dropped. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** One call: a batch and its context. */
export interface Call {
  readonly batch: Batch;
  readonly context: CallContext;
}

/** What a call came to: the output, and the fuel it took. */
export interface Processed {
  readonly batch: Batch;
  readonly fuel: number;
}

/** What a loaded module is, as statements say it. */
export interface ModuleIdentity {
  /** The bytes that run: the module, instrumented. */
  readonly instrumented: Uint8Array;
  /** Prices of instructions, and the table of the host's functions. */
  readonly costTable: string;
  readonly hostTable: string;
}

/**
 * A stateful module between its first row and its last: each call goes on from the memory and globals that the one before left
 * behind. Calls are carried out in the order in which they are asked for. When the lane's thread is lost, the state is made
 * again in another one: from what was saved last, by the calls since. After a call that failed or whose wait was ended, every
 * further one fails with `LANE_STATE_LOST`, until {@link rollback}.
 */
export interface ModuleSession {
  /** As {@link ModuleHandle.run}, from the state that the call before left. */
  run(batch: Batch, context: CallContext, options?: CallOptions): Promise<Processed>;
  /** As {@link ModuleHandle.processAll}, from the state that the call before left. */
  processAll(calls: Iterable<Call> | AsyncIterable<Call>, options?: CallOptions): AsyncIterable<Processed>;
  /**
   * The state after all calls asked for so far, with the blocks that the state saved or opened before did not have. What the
   * state is depends on the calls alone, not on when it is saved or restored. Throws as `run` does.
   */
  save(options?: CallOptions): Promise<SavedMemory>;
  /** Goes back to the state that was saved last, or opened; calls that were not waited for end with `LANE_STATE_LOST`. */
  rollback(): void;
  /** Lets the state go. */
  close(): void;
}

/** A module loaded into a lane. Every call starts from the module's initial memory, globals and tables. */
export interface ModuleHandle {
  readonly spec: ModuleSpec;
  readonly identity: ModuleIdentity;
  /** It may ask for the event time of its calls, and imports a function that tells it. */
  readonly asksTime: boolean;
  /** Schema of the output for that input, found by a call with no rows. Throws as {@link process} does. */
  outputSchema(input: Schema): Promise<Schema>;
  /**
   * Runs the module on a batch. Throws `MODULE_TRAP`, `MODULE_FUEL_EXHAUSTED`, `MODULE_STACK_EXCEEDED`, `MODULE_TIMEOUT`,
   * `MODULE_OUTPUT_INVALID`, `MODULE_MEMORY_EXCEEDED`, `MODULE_CAPABILITY_DENIED` for what the module did; `LANE_FAULT`, `LANE_CRASHED` for what this node could not do, after a second try in a fresh
   * worker; `LANE_CLOSED`, `LANE_OVERLOADED`; `INTERRUPTED` when the signal ends the wait.
   */
  process(batch: Batch, context: CallContext, options?: CallOptions): Promise<Batch>;
  /** As {@link process}, with the fuel that the call took. */
  run(batch: Batch, context: CallContext, options?: CallOptions): Promise<Processed>;
  /** The outputs of many calls in their order, a few of them under way at any time. Throws as {@link process} does. */
  processAll(calls: Iterable<Call> | AsyncIterable<Call>, options?: CallOptions): AsyncIterable<Processed>;
  /**
   * For a module of kind `stateful`: begins at its initial state, or goes on from a saved one, which is read and checked here.
   * Throws `MODULE_STATE_MALFORMED`, `DAG_CID_MISMATCH`, `LANE_CLOSED`, and what reading throws.
   */
  openSession(saved: MemorySource | null): Promise<ModuleSession>;
  /** For modules of kind `stateful`: whatever state the other leaves, this one can begin with; the same globals, and room for its memory. */
  canContinue(other: ModuleHandle): boolean;
}

/** Threads that run modules, each one call at a time, and their replacements after a fault. */
export interface Lane extends AsyncDisposable {
  /**
   * Checks a module and makes it ready. Throws `MODULE_NOT_WASM`, `MODULE_INVALID`, `MODULE_IMPORT_DENIED`,
   * `MODULE_CAPABILITY_DENIED`, `MODULE_EXPORT_MISSING`, `MODULE_MEMORY_EXCEEDED`, `MODULE_NOT_STATEFUL`.
   */
  load(spec: ModuleSpec, options?: CallOptions): Promise<ModuleHandle>;
  /** Terminates the workers; calls under way fail with `LANE_CLOSED`. */
  close(): Promise<void>;
}
