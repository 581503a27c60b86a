import type { InstrumentOptions } from "../../src/sandbox/metering/instrument.ts";
import { MODULE_LIMITS } from "../../src/sandbox/wasm/limits.ts";

/** Modules of real programs are larger than what strangers may hand in, and some share a memory with others. */
export const CORPUS_OPTIONS: InstrumentOptions = {
  memoryPagesMax: 32_768,
  tableElementsMax: 1_000_000,
  foreignImports: true,
  limits: {
    ...MODULE_LIMITS,
    moduleBytes: 64 * 1024 * 1024,
    functions: 100_000,
    segmentItems: 1_000_000,
    segments: 100_000,
    globals: 10_000,
    bodyBytes: 4 * 1024 * 1024,
    locals: 50_000,
    nesting: 4096,
    branchTargets: 65_536,
  },
};
