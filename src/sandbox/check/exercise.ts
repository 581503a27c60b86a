import { decodeBatch } from "../../batch/batch.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import { rawBlock } from "../../dag/block.ts";
import { SEED_BYTES } from "../descriptor.ts";
import type { Lane, ModuleSpec } from "../port.ts";

/** Event time of the calls of a module that may ask for it: 2001-01-01T00:00:00Z, in microseconds. */
const EXERCISE_TIME_US = 978_307_200_000_000n;

/** What one call came to, as it has to come out everywhere. */
export interface CallOutcome {
  readonly rows: number;
  /** CID of the output's bytes, its rows, and the fuel that the call took; or the code of the error that stopped it. */
  readonly output: string | null;
  readonly rowsOut: number;
  readonly fuel: number;
  readonly code: string | null;
  readonly message: string;
}

/** What a process is to run: a module over batches that follow each other, as their bytes. */
export interface Exercise {
  readonly spec: ModuleSpec;
  readonly batches: readonly Uint8Array[];
}

/**
 * Calls a module once for each batch; each call begins at the module's initial state. Throws what is this node's fault (`LANE_*`), what
 * depends on its speed (`MODULE_TIMEOUT`), and what loading the module throws.
 */
export async function exercise(
  hash: Hash,
  lane: Lane,
  { spec, batches }: Exercise,
  signal?: AbortSignal,
): Promise<CallOutcome[]> {
  const handle = await lane.load(spec, signal === undefined ? {} : { signal });
  const seed = hash(spec.bytes).slice(0, SEED_BYTES);
  const outcomes: CallOutcome[] = [];
  const timed = spec.kind !== "rows" && spec.capabilities.includes("time") ? { timeUs: EXERCISE_TIME_US } : {};
  let firstRow = 0;
  for (const bytes of batches) {
    const batch = decodeBatch(bytes);
    const { rows } = batch;
    try {
      const done = await handle.run(batch, { firstRow, seed, ...timed }, signal === undefined ? {} : { signal });
      const output = rawBlock(hash, done.batch.bytes).cid.toString();
      outcomes.push({ rows, output, rowsOut: done.batch.rows, fuel: done.fuel, code: null, message: "" });
    } catch (error) {
      if (!(error instanceof IpdmError) || !error.code.startsWith("MODULE_") || error.code === "MODULE_TIMEOUT")
        throw error;
      outcomes.push({ rows, output: null, rowsOut: 0, fuel: 0, code: error.code, message: error.message });
    }
    firstRow += rows;
  }
  return outcomes;
}
