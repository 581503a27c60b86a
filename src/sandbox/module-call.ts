import { adapterOf } from "./abi/adapters.ts";
import { type Abi, type AbiHost, type AbiOptions, type Exports, NO_OPTIONS } from "./abi/port.ts";
import type { InstanceSource, Reusable } from "./instance-keeper.ts";
import type { Failure, Outcome, Work } from "./lane-messages.ts";
import { LOG_CHARACTERS_MAX, LOG_LINES_MAX, PAGE_BYTES } from "./limits.ts";
import {
  charge,
  filled,
  fuelLeft,
  growthFailed,
  METER_EXPORT,
  type MeterGlobal,
  overdrawn,
  START_EXPORT,
} from "./metering/meter.ts";
import type { Capability } from "./policy.ts";
import { type Image, restoreImage, type StateGlobal } from "./state/image.ts";
import { Stop } from "./stop.ts";

/** A module in a lane's thread. */
export interface ThreadModule extends Reusable {
  readonly abi: Abi;
  /** What its ABI leaves open; nothing when left out. */
  readonly options?: AbiOptions;
  readonly memoryBytesMax: number;
  readonly stackValuesMax: number;
  readonly capabilities: readonly Capability[];
  /** Globals that are part of the state of a stateful module. */
  readonly globals: readonly StateGlobal[];
}

/** Work that needs no state. */
export type StatelessWork = Exclude<Work, { readonly type: "save" }>;

/**
 * Runs one call in an instance that starts from the module's initial memory, globals and tables. Whatever the module does ends in an
 * outcome: fuel and stack are counted, so it ends. The instance is fresh, or the keeper's, to which the caller gives it back.
 */
export function runCall(module: ThreadModule, work: StatelessWork, instances?: InstanceSource): Outcome {
  const host = new CallHost(module, null, instances);
  host.begin(work.fuel);
  try {
    const adapter = adapterOf(module.abi);
    if (work.type === "abi") {
      const version = adapter.version(host);
      return host.overdraft() ?? { type: "abi", version };
    }
    const bytes = adapter.call(host, work);
    return host.outputOf(bytes);
  } catch (error) {
    return host.outcomeOf(error);
  }
}

/** The host of one instance: of one call, or of the calls of a stateful module one after the other. */
export class CallHost implements AbiHost {
  private readonly module: ThreadModule;
  private readonly instances: InstanceSource | undefined;
  private image: Image | null;
  private lines: string[] = [];
  private fuel = 0;
  private meter: MeterGlobal | undefined;
  exports: Exports = {};

  /** `image` is the state that the instance goes on from; null at the beginning. Without `instances` it is a fresh one. */
  constructor(module: ThreadModule, image: Image | null, instances?: InstanceSource) {
    this.module = module;
    this.instances = instances;
    this.image = image;
  }

  /** Begins a call that may take so much fuel. */
  begin(fuel: number): void {
    this.fuel = fuel;
    this.lines = [];
    this.fill();
  }

  instantiate(imports: Record<string, Record<string, unknown>>): Exports {
    const { code } = this.module;
    const exports = this.instances?.take(this.module, imports) ?? new WebAssembly.Instance(code, imports).exports;
    this.exports = exports;
    this.meter = exports[METER_EXPORT] as MeterGlobal;
    this.fill();
    if (this.image !== null) restoreImage(this.image, this.memory, exports, this.module.globals);
    else (exports[START_EXPORT] as (() => void) | undefined)?.();
    // The instance has it now; what it changes need not be held twice.
    this.image = null;
    return exports;
  }

  get options(): AbiOptions {
    return this.module.options ?? NO_OPTIONS;
  }

  get memoryBytesMax(): number {
    return this.module.memoryBytesMax;
  }

  get memory(): WebAssembly.Memory {
    const memory = this.exports["memory"];
    if (memory === undefined) throw new Stop("trap", "the module has no memory yet");
    return memory as WebAssembly.Memory;
  }

  charge(fuel: number): void {
    if (this.meter !== undefined && !charge(this.meter, fuel))
      throw new Stop("fuel", "a host function was not paid for");
  }

  allows(capability: Capability): boolean {
    return this.module.capabilities.includes(capability);
  }

  log(line: string): void {
    if (this.lines.length < LOG_LINES_MAX)
      this.lines.push(line.slice(0, LOG_CHARACTERS_MAX).replaceAll(/\p{Cc}/gu, " "));
  }

  /** The outcome of a call that gave that output: it has to have been paid for. */
  outputOf(bytes: ArrayBuffer): Outcome {
    const overdraft = this.overdraft();
    if (overdraft !== undefined) return overdraft;
    const fuel = this.meter === undefined ? 0 : this.fuel - fuelLeft(this.meter.value);
    return { type: "output", bytes, fuel, log: this.lines };
  }

  /** What a call that came to its end has to be told: it checks its fuel now and then, and may have ended between two checks. */
  overdraft(): Outcome | undefined {
    const spent = this.meter === undefined ? undefined : overdrawn(this.meter.value);
    if (spent === undefined) return undefined;
    return { type: spent, message: "the fuel did not suffice to the end", log: this.lines };
  }

  /** The outcome of a call that something stopped, with the lines it had written. */
  outcomeOf(error: unknown): Outcome {
    const verdict = this.verdictOn(error);
    return this.lines.length === 0 ? verdict : { ...verdict, log: this.lines };
  }

  private verdictOn(error: unknown): Failure {
    if (error instanceof Stop) {
      const { type, message, code } = error;
      return type === "failed" ? { type, message, code: code ?? "MODULE_TRAP" } : { type, message };
    }
    const message = error instanceof Error ? error.message : String(error);
    // V8 reports an overflown stack and memory it cannot get as RangeError, at a point that depends on the machine: never a result.
    if (!(error instanceof WebAssembly.RuntimeError)) return { type: "fault", message };
    if (this.meter !== undefined && growthFailed(this.meter.value))
      return { type: "fault", message: "this node could not give the module memory that it may have" };
    const spent = this.meter === undefined ? undefined : overdrawn(this.meter.value);
    if (spent !== undefined) return { type: spent, message };
    return { type: this.memoryIsFull() ? "memory" : "trap", message };
  }

  private fill(): void {
    if (this.meter !== undefined) this.meter.value = filled(this.fuel, this.module.stackValuesMax);
  }

  private memoryIsFull(): boolean {
    const memory = this.exports["memory"] as WebAssembly.Memory | undefined;
    return memory !== undefined && memory.buffer.byteLength + PAGE_BYTES > this.module.memoryBytesMax;
  }
}
