import type { Exports } from "./abi/port.ts";
import { KEPT_INSTANCES_MAX, PAGE_BYTES, REUSE_PAGES_MAX } from "./limits.ts";
import { lanesOf } from "./metering/global-access.ts";
import type { Instrumented } from "./metering/instrument.ts";
import { GLOBAL_EXPORT } from "./metering/meter.ts";
import { readGlobals, type StateGlobal, stateGlobals, writeGlobals } from "./state/image.ts";

/** How an instance is put back to where it began: the names of the exports that hold its state. */
export interface ReusePlan {
  /** Its memory, or null where it has none. */
  readonly memory: string | null;
  /** Its mutable globals that are numbers or vectors, but for the meter. */
  readonly numbers: readonly StateGlobal[];
  /** Exports that are its mutable globals of references. */
  readonly references: readonly string[];
}

/** What is needed of a module to make instances of it. */
export interface Reusable {
  readonly code: WebAssembly.Module;
  /** Null: every call needs a fresh instance. */
  readonly reuse: ReusePlan | null;
}

/** Where a call takes its instance from. */
export type InstanceSource = Pick<InstanceKeeper, "take">;

type Imports = Record<string, Record<string, unknown>>;

/**
 * How instances of a module can be used again, or null where a fresh one is the only way: it changes tables or drops segments, it
 * holds state that cannot be reached (hidden memories, imports that are no functions), or its memory is so large that a fresh
 * one is cheaper than looking through it.
 */
export function reusePlan({ shape, changesTables, globals }: Instrumented): ReusePlan | null {
  const memory = shape.exports.find(({ kind }) => kind === "memory")?.name ?? null;
  const isOpen =
    !changesTables &&
    shape.imports.every(({ kind }) => kind === "function") &&
    shape.memories.every(({ initial }) => memory !== null && initial <= REUSE_PAGES_MAX);
  if (!isOpen) return null;
  const all = stateGlobals(globals, shape);
  const numbers = all.filter((global) => lanesOf(global) > 0);
  const references = all.filter((global) => lanesOf(global) === 0);
  return { memory, numbers, references: references.map(({ index }) => GLOBAL_EXPORT + index) };
}

/**
 * The instances of a thread. One instance a module is kept from call to call, and put back to the memory and globals that the
 * module begins with; what cannot be put back (memory that has grown, a call that failed) is dropped, and the next call gets a fresh one.
 * Which of the two a call gets can be seen in nothing but time.
 */
export class InstanceKeeper {
  private readonly kept = new Map<Reusable, Kept>();

  /** Exports of an instance in its initial state, whose imports call the given functions until the next `take`. */
  take(module: Reusable, imports: Imports): Exports {
    const { code, reuse } = module;
    if (reuse === null) return new WebAssembly.Instance(code, imports).exports;
    const kept = this.kept.get(module) ?? new Kept(code, reuse);
    // What was used last stands last, and what stands first goes first.
    this.kept.delete(module);
    this.kept.set(module, kept);
    const [oldest] = this.kept.keys();
    if (oldest !== undefined && this.kept.size > KEPT_INSTANCES_MAX) this.kept.delete(oldest);
    return kept.take(imports);
  }

  /**
   * Says that the call is over, and puts the instance back for the next. `isSound` is false after a call that failed. Without it
   * the instance is not used again.
   */
  giveBack(module: Reusable, isSound: boolean): void {
    this.kept.get(module)?.giveBack(isSound);
  }
}

const ZEROS = new Uint8Array(PAGE_BYTES);

/** The instance of one module. */
class Kept {
  private readonly code: WebAssembly.Module;
  private readonly plan: ReusePlan;
  private readonly bindings: ImportBindings;
  private state: InitialState | undefined;
  private exports: Exports | undefined;
  private isClean = false;

  constructor(code: WebAssembly.Module, plan: ReusePlan) {
    this.code = code;
    this.plan = plan;
    this.bindings = new ImportBindings(code);
  }

  take(imports: Imports): Exports {
    this.bindings.bind(imports);
    if (this.exports === undefined || !this.isClean) {
      this.exports = new WebAssembly.Instance(this.code, this.bindings.imports).exports;
      this.state ??= new InitialState(this.exports, this.plan);
    }
    this.isClean = false;
    return this.exports;
  }

  giveBack(isSound: boolean): void {
    if (this.exports === undefined) return;
    this.isClean = isSound && this.state?.restore(this.exports) === true;
    if (!this.isClean) this.exports = undefined;
  }
}

/** What memory and globals hold before anything runs. */
class InitialState {
  private readonly plan: ReusePlan;
  private readonly sizeBytes: number;
  /** Pages that do not begin as zeros, by their number. */
  private readonly pages = new Map<number, Uint8Array>();
  private readonly numbers: Uint8Array;
  private readonly references: readonly unknown[];

  constructor(exports: Exports, plan: ReusePlan) {
    this.plan = plan;
    const memory = memoryOf(exports, plan);
    this.sizeBytes = memory.length;
    for (let page = 0; page * PAGE_BYTES < memory.length; page++) {
      const content = pageOf(memory, page);
      if (Buffer.compare(content, ZEROS) !== 0) this.pages.set(page, content.slice());
    }
    this.numbers = readGlobals(exports, plan.numbers);
    this.references = plan.references.map((name) => (exports[name] as WebAssembly.Global).value);
  }

  /** False when the instance cannot be what it was. */
  restore(exports: Exports): boolean {
    const memory = memoryOf(exports, this.plan);
    if (memory.length !== this.sizeBytes) return false;
    for (let page = 0; page * PAGE_BYTES < memory.length; page++) {
      const content = pageOf(memory, page);
      const initial = this.pages.get(page);
      if (Buffer.compare(content, initial ?? ZEROS) === 0) continue;
      if (initial === undefined) content.fill(0);
      else content.set(initial);
    }
    writeGlobals(exports, this.plan.numbers, this.numbers);
    for (const [index, name] of this.plan.references.entries())
      (exports[name] as WebAssembly.Global).value = this.references[index];
    return true;
  }
}

function memoryOf(exports: Exports, { memory }: ReusePlan): Uint8Array {
  return new Uint8Array(memory === null ? new ArrayBuffer(0) : (exports[memory] as WebAssembly.Memory).buffer);
}

function pageOf(memory: Uint8Array, page: number): Uint8Array {
  return memory.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
}

type HostFunction = (...args: unknown[]) => unknown;

/** Imports that stay with an instance while the functions behind them change from call to call. */
class ImportBindings {
  readonly imports: Imports = {};
  private readonly names: readonly { readonly module: string; readonly name: string }[];
  private readonly functions: HostFunction[] = [];

  constructor(code: WebAssembly.Module) {
    this.names = WebAssembly.Module.imports(code);
    for (const [index, { module, name }] of this.names.entries()) {
      const of = (this.imports[module] ??= {});
      of[name] = (...args: unknown[]) => (this.functions[index] as HostFunction)(...args);
    }
  }

  bind(imports: Imports): void {
    for (const [index, { module, name }] of this.names.entries()) {
      const given = imports[module]?.[name];
      if (typeof given !== "function") throw new TypeError(`the host gives no function ${module}.${name}`);
      this.functions[index] = given as HostFunction;
    }
  }
}
