import { adapterOf } from "./abi/adapters.ts";
import type { Abi, AbiHost, Exports } from "./abi/port.ts";
import type { Outcome, Work } from "./lane-messages.ts";
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
import { Stop } from "./stop.ts";

/** A module in a lane's thread. */
export interface ThreadModule {
  readonly code: WebAssembly.Module;
  readonly abi: Abi;
  readonly memoryBytesMax: number;
  readonly stackValuesMax: number;
}

/**
 * Runs one call in a fresh instance, so that it starts from the module's initial memory, globals and tables. Whatever the
 * module does ends in an outcome: fuel and stack are counted, so it ends.
 */
export function runCall(module: ThreadModule, work: Work): Outcome {
  const host = new CallHost(module, work.fuel);
  try {
    const adapter = adapterOf(module.abi);
    if (work.type === "abi") {
      const version = adapter.version(host);
      return host.overdraft() ?? { type: "abi", version };
    }
    const bytes = adapter.call(host, work);
    return host.overdraft() ?? { type: "output", bytes, fuel: host.fuelUsed(), log: host.lines };
  } catch (error) {
    return host.outcomeOf(error);
  }
}

class CallHost implements AbiHost {
  readonly lines: string[] = [];
  private readonly module: ThreadModule;
  private readonly fuel: number;
  private exports: Exports = {};
  private meter: MeterGlobal | undefined;

  constructor(module: ThreadModule, fuel: number) {
    this.module = module;
    this.fuel = fuel;
  }

  instantiate(imports: Record<string, Record<string, unknown>>): Exports {
    const { exports } = new WebAssembly.Instance(this.module.code, imports);
    this.exports = exports;
    const meter = exports[METER_EXPORT] as MeterGlobal;
    meter.value = filled(this.fuel, this.module.stackValuesMax);
    this.meter = meter;
    (exports[START_EXPORT] as (() => void) | undefined)?.();
    return exports;
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

  log(line: string): void {
    if (this.lines.length < LOG_LINES_MAX)
      this.lines.push(line.slice(0, LOG_CHARACTERS_MAX).replaceAll(/\p{Cc}/gu, " "));
  }

  fuelUsed(): number {
    return this.meter === undefined ? 0 : this.fuel - fuelLeft(this.meter.value);
  }

  /** What a call that came to its end has to be told: it checks its fuel now and then, and may have ended between two checks. */
  overdraft(): Outcome | undefined {
    const spent = this.meter === undefined ? undefined : overdrawn(this.meter.value);
    return spent === undefined ? undefined : { type: spent, message: "the fuel did not suffice to the end" };
  }

  outcomeOf(error: unknown): Outcome {
    if (error instanceof Stop) return { type: error.type, message: error.message };
    const message = error instanceof Error ? error.message : String(error);
    // V8 reports an overflown stack and memory it cannot get as RangeError, at a point that depends on the machine: never a result.
    if (!(error instanceof WebAssembly.RuntimeError)) return { type: "fault", message };
    if (this.meter !== undefined && growthFailed(this.meter.value))
      return { type: "fault", message: "this node could not give the module memory that it may have" };
    const spent = this.meter === undefined ? undefined : overdrawn(this.meter.value);
    if (spent !== undefined) return { type: spent, message };
    return { type: this.memoryIsFull() ? "memory" : "trap", message };
  }

  private memoryIsFull(): boolean {
    const memory = this.exports["memory"] as WebAssembly.Memory | undefined;
    return memory !== undefined && memory.buffer.byteLength + PAGE_BYTES > this.module.memoryBytesMax;
  }
}
