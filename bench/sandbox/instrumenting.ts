import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TABLE_ELEMENTS_MAX } from "../../src/sandbox/limits.ts";
import { instrument } from "../../src/sandbox/metering/instrument.ts";
import { MODULE_LIMITS } from "../../src/sandbox/wasm/limits.ts";
import { type Measured, median, ROOT, rounded, type Tell } from "../harness.ts";

/** Modules of packages that are installed anyway, of several compilers: circom, hand-written field arithmetic, AssemblyScript, C++. */
const MODULES = [
  "circom2/circom.wasm",
  "wasmcurves/build/bn128.wasm",
  "wasmcurves/build/bls12381.wasm",
  "@chainsafe/as-sha256/build/untouched.simd.wasm",
  "source-map/lib/mappings.wasm",
];
const WARM = 3;
/** One of them is larger, and deeper, than a node accepts. */
const LIMITS = { ...MODULE_LIMITS, moduleBytes: 16 * 1024 * 1024, nesting: 4096 };

/** How fast modules are checked and rewritten, without what the engine does before and after. */
export async function instrumenting(rounds: number, tell: Tell): Promise<Measured> {
  const modules = await Promise.all(MODULES.map((name) => readFile(join(ROOT, "node_modules", name))));
  const megabytes = modules.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const speeds: number[] = [];
  for (let round = 0; round < WARM + rounds; round++) {
    const start = performance.now();
    for (const bytes of modules)
      instrument(bytes, {
        memoryPagesMax: 1024,
        tableElementsMax: TABLE_ELEMENTS_MAX,
        foreignImports: true,
        limits: LIMITS,
      });
    if (round >= WARM) speeds.push((megabytes * 1000) / (performance.now() - start));
  }
  tell(`instrumenting: ${median(speeds).toFixed(1)} MB/s`);
  return {
    metrics: { instrument_mb_s: rounded(median(speeds)) },
    notes: {
      instrument_mb_s: `${modules.length} modules of npm packages, ${megabytes.toFixed(1)} MB, warm`,
    },
  };
}
