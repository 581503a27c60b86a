import { type InstrumentOptions, instrument } from "../../src/sandbox/metering/instrument.ts";
import { filled, fuelLeft, METER_EXPORT, type MeterGlobal, overdrawn } from "../../src/sandbox/metering/meter.ts";

/** How modules are instrumented in tests, unless a test says otherwise. */
export const OPTIONS: InstrumentOptions = { memoryPagesMax: 16, tableElementsMax: 10_000 };
/** Values of stack: a sixteenth of what the thread of a test has. */
export const STACK = 8192;

/** An instance with its meter. */
export interface Metered {
  readonly exports: Record<string, (...values: unknown[]) => unknown> & { readonly memory: WebAssembly.Memory };
  fill(fuel: number, stack?: number): void;
  /** Fuel used since the last {@link fill}. */
  used(): number;
  /** Stack that is left. */
  stack(): number;
  overdrawn(): "fuel" | "stack" | undefined;
}

/** Compiles bytes from a builder, which are of an ordinary buffer. */
export function compiled(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
}

/** Instruments a valid module and makes an instance of it. */
export function metered(
  bytes: Uint8Array,
  options: Partial<InstrumentOptions> = {},
  imports: Record<string, Record<string, unknown>> = {},
): Metered {
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) throw new Error("the original is not valid");
  return meteredOf(instrument(bytes, { ...OPTIONS, ...options }).bytes, imports);
}

/** An instance of a module that is instrumented already. */
export function meteredOf(bytes: Uint8Array, imports: Record<string, Record<string, unknown>> = {}): Metered {
  const { exports } = new WebAssembly.Instance(compiled(bytes), imports);
  const meter = exports[METER_EXPORT] as MeterGlobal;
  let given = 0;
  return {
    exports: exports as Metered["exports"],
    fill: (fuel, stack = STACK) => {
      given = fuel;
      meter.value = filled(fuel, stack);
    },
    used: () => given - fuelLeft(meter.value),
    stack: () => Number(meter.value & 0xf_ffffn),
    overdrawn: () => overdrawn(meter.value),
  };
}

/** What a call comes to: its result, or the message of what it threw. */
export function outcome(work: () => unknown): string {
  try {
    return String(work());
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}
