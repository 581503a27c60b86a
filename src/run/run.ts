import { join, resolve } from "node:path";
import { BATCH_ROWS_DEFAULT, BATCH_ROWS_MAX } from "../batch/limits.ts";
import { withReplicas } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { defaultOutDir } from "../config/outputs.ts";
import { locatedInFile } from "../config/place.ts";
import { IpdmError } from "../core/errors.ts";
import type { RunOptions, RunSummary } from "./options.ts";
import type { Tamper, Trial } from "./trial.ts";

/**
 * Runs a configuration on a domain of nodes in this process: data in, tables and a receipt out. Work that the data folder
 * holds certified already is reused, and work that was stopped goes on. Throws `IpdmError`s of every kind; after any of them,
 * and after an abort (`INTERRUPTED`), the same call continues.
 */
export function runConfig(options: RunOptions): Promise<RunSummary> {
  return runTampered(options, []);
}

/** {@link runConfig} with nodes that lie: for tests of the protocol, and on no public face. */
export async function runTampered(
  options: RunOptions,
  tampers: readonly Tamper[],
  beforeLook?: Trial["beforeLook"],
): Promise<RunSummary> {
  const began = performance.now();
  const { config, warnings, locate } = await loadConfig(options.configPath, {
    inputs: options.inputs,
    ranges: options.ranges,
  });
  for (const { message, where } of warnings)
    options.onNotice?.({ level: "warn", code: "CONFIG_ODD", message: `${where}: ${message}` });
  const chosen = options.replicas === undefined ? config : withReplicas(config, options.replicas);
  const cut = options.batchRows ?? BATCH_ROWS_DEFAULT;
  if (!Number.isInteger(cut) || cut < 1 || cut > BATCH_ROWS_MAX) {
    throw new IpdmError("BATCH_ROWS_INVALID", `a batch has 1 to ${BATCH_ROWS_MAX} rows, not ${cut}`, {
      kind: "usage",
      hint: "leave --batch-rows out: it never changes a result",
    });
  }
  const outDir = resolve(options.outDir ?? defaultOutDir(config, process.cwd()));
  const dataDir = resolve(options.dataDir ?? join(outDir, ".data"));
  // Loaded once the configuration is in order: what is wrong with it is said before databases and networks are there.
  const [{ DomainRun }, { namingModule }] = await Promise.all([
    import("./domain-run.ts"),
    import("./module-errors.ts"),
  ]);
  const run = new DomainRun(chosen, cut, outDir, options, { tampers, beforeLook });
  try {
    return await run.start(dataDir, began);
  } catch (error) {
    throw await namingModule(locatedInFile(error, locate), config, run.catalogued);
  }
}
