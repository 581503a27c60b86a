import type { Schema } from "../../batch/schema.ts";
import type { TextFormat } from "../../batch/text/spelling.ts";
import type { Capability } from "../policy.ts";
import type { ModuleShape } from "../wasm/module.ts";

/** Names of the ways in which modules are called. A stage names one, so they are part of what a result is made of. */
export const ABIS = ["ipdm/1", "wasi/1", "extism/1", "redpanda/1"] as const;

/** One of {@link ABIS}. */
export type Abi = (typeof ABIS)[number];

/** What a configuration says to an adapter beside limits and columns. It is part of what a result is made of. */
export interface AbiOptions {
  /** The exported function that is called, for an ABI that leaves its name to the module; null: the one that there is. */
  readonly entry: string | null;
  /** Texts that the module can ask for by key. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The options of a module whose configuration says nothing. */
export const NO_OPTIONS: AbiOptions = { entry: null, settings: {} };

/** What an adapter needs to know of a module to check it. */
export interface AbiFace {
  readonly shape: ModuleShape;
  readonly cid: string;
  readonly capabilities: readonly Capability[];
  readonly options: AbiOptions;
}

/** One call, as it comes to a lane's thread. Buffers belong to the call. */
export interface AbiWork {
  /** The batch block, which may be shared with others: it is only read. */
  readonly batch: ArrayBuffer | SharedArrayBuffer;
  /** Bytes of the block, where its buffer is larger. */
  readonly batchBytes?: number;
  /** The 64 bytes of the descriptor (docs/reference/abi.md). */
  readonly descriptor: ArrayBuffer;
  readonly outputBytesMax: number;
  /** Columns of the output, for an ABI whose modules cannot say them. */
  readonly columns: Schema | null;
  /** Form of the text that a program reads, for `wasi/1`; NDJSON where nobody says. */
  readonly stdin?: TextFormat;
}

/** The batch block of a call. */
export function blockOf({ batch, batchBytes = batch.byteLength }: AbiWork): Uint8Array {
  return new Uint8Array(batch, 0, batchBytes);
}

/** The exports of an instance. */
export type Exports = Readonly<Record<string, unknown>>;

/** What an adapter can do during a call. Everything a module uses of the host is paid for through it. */
export interface AbiHost {
  readonly options: AbiOptions;
  /** Most bytes of the module's linear memory. An adapter that keeps memory of its own for a module keeps no more than that. */
  readonly memoryBytesMax: number;
  /**
   * Makes the call's one instance: fresh memory, globals and tables, the meter filled, the start function run. What the imports
   * throw ends the call; they find the memory through {@link memory}. For an instance that goes on from a saved state, memory
   * and globals are those of the state, and the start function is not run again.
   */
  instantiate(imports: Record<string, Record<string, unknown>>): Exports;
  /** The instance's memory, once there is one. Throws a {@link Stop} where the module exports none. */
  readonly memory: WebAssembly.Memory;
  /** Takes fuel for work that the host does for the module. Throws a {@link Stop} when there is not enough. */
  charge(fuel: number): void;
  /** Whether the policy allows something. */
  allows(capability: Capability): boolean;
  /** A line for the node's log, cut to a limit; lines beyond a limit are dropped. */
  log(line: string): void;
}

/** An instance that lives from call to call. A call that throws leaves it in no state to go on from. */
export interface KeptInstance {
  call(work: AbiWork): ArrayBuffer;
}

/**
 * How the modules of an ABI are called. `check` runs where a module is loaded and throws `MODULE_IMPORT_DENIED`,
 * `MODULE_EXPORT_MISSING` or `MODULE_INVALID`; `call` runs in the lane's thread and gives the output's batch block, or throws a
 * {@link Stop}, or whatever WebAssembly throws. What `call` does depends on the work alone: no clock, no randomness, no state
 * from one call to the next.
 */
export interface AbiAdapter {
  check(face: AbiFace): void;
  /** The options of a checked module with what they leave open filled in, where that cannot be told from an instance. */
  settle?(face: AbiFace): AbiOptions;
  /** Version of the ABI that the module speaks, from a fresh instance; 1 where it cannot say. */
  version(host: AbiHost): number;
  call(host: AbiHost, work: AbiWork): ArrayBuffer;
  /**
   * Makes the instance of a stateful module for the work that is called first, and gives what calls it; absent where the ABI has
   * no such modules. All that it keeps between calls lies in the instance's memory and globals. `check` has accepted the module.
   */
  readonly keep?: (host: AbiHost, first: AbiWork) => KeptInstance;
}
