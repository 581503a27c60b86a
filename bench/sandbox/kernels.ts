import { createRequire } from "node:module";
import { join } from "node:path";
import { STACK_VALUES_DEFAULT, TABLE_ELEMENTS_MAX } from "../../src/sandbox/limits.ts";
import { instrument } from "../../src/sandbox/metering/instrument.ts";
import { FUEL_MAX, filled, METER_EXPORT, type MeterGlobal } from "../../src/sandbox/metering/meter.ts";
import { geomean, type Measured, ROOT, rounded, type Tell } from "../harness.ts";
import { compileC } from "./compile.ts";

/** What kernels.c exports. */
const KERNELS = [
  "sha256",
  "sort",
  "hashmap",
  "json",
  "recursion",
  "interpreter",
  "matrix",
  "nbody",
  "groupby",
  "ndjson",
] as const;

type Kernel = (typeof KERNELS)[number];

/** One way in which the same kernels run. */
interface Variant {
  readonly name: "raw" | "fuel" | "nan" | "ewasm";
  readonly exports: Readonly<Record<string, () => number>>;
  /** Called before each run: fills the meter. */
  readonly prepare: () => void;
}

/** Turns of a round. What is many times slower takes part in the first of them alone. */
const TURNS = 15;

/**
 * The kernels as V8 runs them, with fuel and stack counted, with NaNs canonical as well, and under the metering that AO uses where it
 * is installed: in turn, in one process. A time is the least of all rounds, since other work on the machine only adds to it.
 */
export async function kernels(rounds: number, tell: Tell): Promise<Measured> {
  const bytes = await compileC("kernels.c");
  const variants = [rawVariant(bytes), ownVariant("fuel", bytes), ownVariant("nan", bytes), ewasmVariant(bytes, tell)];
  const present = variants.filter((variant) => variant !== undefined);
  const ratios: Record<Variant["name"], number[]> = { raw: [], fuel: [], nan: [], ewasm: [] };
  for (const kernel of KERNELS) {
    const least = measureKernel(kernel, present, rounds);
    const raw = least["raw"] as number;
    for (const { name } of present) ratios[name].push((least[name] as number) / raw);
    const factor = (name: string): string => ((least[name] ?? Number.NaN) / raw).toFixed(2);
    tell(
      `${kernel}: raw ${raw.toFixed(1)} ms, fuel x${factor("fuel")}, nan x${factor("nan")}, ewasm x${factor("ewasm")}`,
    );
  }
  return summary(ratios);
}

function summary({ fuel, nan, ewasm }: Readonly<Record<"fuel" | "nan" | "ewasm", readonly number[]>>): Measured {
  const worst = (values: readonly number[]): string => KERNELS[values.indexOf(Math.max(...values))] ?? "";
  const comparison: Record<string, number> =
    ewasm.length === 0 ? {} : { vs_ewasm_geomean: rounded(geomean(ewasm.map((value, i) => value / (nan[i] ?? 1)))) };
  return {
    metrics: {
      fuel_geomean: rounded(geomean(fuel)),
      fuel_worst: rounded(Math.max(...fuel)),
      nan_geomean: rounded(geomean(nan)),
      nan_worst: rounded(Math.max(...nan)),
      ...comparison,
    },
    notes: {
      fuel_geomean: "fuel and stack counted, times raw V8, mean of ten C kernels",
      fuel_worst: worst(fuel),
      nan_geomean: "with canonical NaNs as well: how modules run",
      nan_worst: worst(nan),
      vs_ewasm_geomean: "how many times faster than @permaweb/wasm-metering, for all that ours does",
    },
  };
}

function measureKernel(kernel: Kernel, variants: readonly Variant[], rounds: number): Record<string, number> {
  const least: Record<string, number> = {};
  let expected: number | undefined;
  for (const { exports, prepare } of variants) {
    prepare();
    exports[`${kernel}_setup`]?.();
  }
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < TURNS; turn++) {
      for (const { name, exports, prepare } of variants) {
        if (name === "ewasm" && turn > 0) continue;
        prepare();
        const start = performance.now();
        const result = exports[kernel]?.() ?? Number.NaN;
        const spent = performance.now() - start;
        expected ??= result;
        if (!Object.is(result, expected))
          throw new Error(`${kernel} gave ${result} as ${name}, and ${expected} as raw`);
        // The first round warms the engine.
        if (round > 0) least[name] = Math.min(least[name] ?? Number.POSITIVE_INFINITY, spent);
      }
    }
  }
  return least;
}

function instance(
  bytes: Uint8Array<ArrayBuffer>,
  imports: Record<string, Record<string, unknown>> = {},
): Variant["exports"] {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as Variant["exports"];
}

function rawVariant(bytes: Uint8Array<ArrayBuffer>): Variant {
  return { name: "raw", exports: instance(bytes), prepare: () => undefined };
}

function ownVariant(name: "fuel" | "nan", bytes: Uint8Array<ArrayBuffer>): Variant {
  const options = { memoryPagesMax: 1024, tableElementsMax: TABLE_ELEMENTS_MAX, exportGlobals: true };
  const exports = instance(instrument(bytes, { ...options, canonicalNaN: name === "nan" }).bytes);
  const meter = exports[METER_EXPORT] as unknown as MeterGlobal;
  return {
    name,
    exports,
    prepare: () => {
      meter.value = filled(FUEL_MAX - 1, STACK_VALUES_DEFAULT);
    },
  };
}

/** The metering that AO uses: a call of JavaScript with the price of each block. Its package belongs to the bench alone. */
function ewasmVariant(bytes: Uint8Array<ArrayBuffer>, tell: Tell): Variant | undefined {
  let meterWASM: (bytes: Buffer, options: { meterType: string }) => Uint8Array;
  try {
    ({ meterWASM } = createRequire(join(ROOT, "bench", "package.json"))("@permaweb/wasm-metering") as {
      meterWASM: typeof meterWASM;
    });
  } catch {
    tell("@permaweb/wasm-metering is not installed, so nothing is compared with it: npm install --prefix bench");
    return undefined;
  }
  let gas = 0;
  const usegas = (amount: number): void => {
    gas += amount;
    if (gas > Number.MAX_SAFE_INTEGER) throw new Error("out of gas");
  };
  const metered = new Uint8Array(meterWASM(Buffer.from(bytes), { meterType: "i32" }));
  return {
    name: "ewasm",
    exports: instance(metered, { metering: { usegas } }),
    prepare: () => {
      gas = 0;
    },
  };
}
