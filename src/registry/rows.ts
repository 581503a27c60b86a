import type { Batch } from "../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../batch/limits.ts";
import type { Schema } from "../batch/schema.ts";
import { callsHaveTime } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { cborBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { MAIN } from "../runtime/plan.ts";
import { moduleSeed } from "../runtime/stage/module-operator.ts";
import type { ModuleOperatorForm } from "../runtime/stage/module-spec.ts";
import { openModuleStage } from "../runtime/stage/module-stage.ts";
import { openLanes } from "../sandbox/lane-pool.ts";
import type { ModuleSpec } from "../sandbox/port.ts";
import { TextRowsEncoder } from "../sinks/text.ts";
import { openSource, type SourceSpec } from "../sources/port.ts";
import { timeField } from "../streams/window/plan.ts";

/** Batches that are handed to a module at once, so that memory stays bounded. */
const BATCHES_AT_ONCE = 8;

/** A module to be run, and the column of its input that gives its calls their event time, where they have one. */
export interface RunnableModule {
  readonly spec: ModuleSpec;
  readonly operator: ModuleOperatorForm;
  readonly time?: string | undefined;
}

/** Rows that go through a module outside a pipeline: what came out, as it comes. */
export interface ModuleRun {
  readonly schema: Schema;
  /** The output's batches. Throws what the source and the module throw. */
  readonly batches: AsyncIterable<Batch>;
  /** Counts, complete when the batches are. */
  readonly counts: { rowsIn: number; rowsOut: number; fuel: number };
}

/**
 * Runs a module over a file's rows as a task of a pipeline would (a `rows` module is tried with random splits, a `batch` module is called on its units), and hands
 * the output to `use`. Throws `USAGE`, `COLUMN_MISSING`, `TIME_COLUMN_TYPE` for a column of the event time that cannot be. It runs where its specification's isolation says. The seed follows from the operator, so that a module gives the same rows each time.
 */
export async function runModule<T>(
  { spec, operator, time }: RunnableModule,
  input: SourceSpec,
  signal: AbortSignal,
  use: (run: ModuleRun) => Promise<T>,
): Promise<T> {
  await using source = await openSource(input, { signal });
  await using lane = openLanes();
  const handle = await lane.load(spec, { signal });
  if (time !== undefined) checkTime(time, operator, source.schema);
  const schema = await handle.outputSchema(source.schema);
  const seed = moduleSeed(sha256, cborBlock(sha256, operator).cid);
  const stage = await openModuleStage({ module: handle, seed, unit: operator.unit, input: source.schema, time }, null);
  const counts = { rowsIn: 0, rowsOut: 0, fuel: 0 };
  async function* through(): AsyncGenerator<Batch> {
    const take = function* (made: readonly Batch[]): Generator<Batch> {
      counts.fuel += stage.takeFuel() ?? 0;
      for (const batch of made) counts.rowsOut += batch.rows;
      yield* made;
    };
    const push = async (waiting: readonly Batch[]): Promise<readonly Batch[]> => {
      const firstRow = counts.rowsIn;
      for (const batch of waiting) counts.rowsIn += batch.rows;
      return (await stage.push(waiting, firstRow, signal))[MAIN] ?? [];
    };
    let waiting: Batch[] = [];
    for await (const batch of source.batches({ batchRows: BATCH_ROWS_DEFAULT, signal })) {
      if (waiting.push(batch) < BATCHES_AT_ONCE) continue;
      yield* take(await push(waiting));
      waiting = [];
    }
    yield* take(await push(waiting));
    yield* take((await stage.end(signal))[MAIN] ?? []);
  }
  try {
    return await use({ schema, batches: through(), counts });
  } finally {
    stage.close();
  }
}

function checkTime(column: string, operator: ModuleOperatorForm, input: Schema): void {
  if (callsHaveTime(operator)) {
    timeField(input, column);
    return;
  }
  throw new IpdmError(
    "USAGE",
    "only a module that may ask for the time, and is called on units, is given an event time",
    {
      kind: "usage",
      hint: "leave the column of the event time out, or declare kind: batch and capabilities: [time]",
    },
  );
}

/** The rows of a run's output as NDJSON, chunk by chunk. */
export async function* ndjsonOf({
  schema,
  batches,
}: Pick<ModuleRun, "schema" | "batches">): AsyncGenerator<Uint8Array> {
  const encoder = new TextRowsEncoder("ndjson", schema);
  // The encoder uses its room again; whoever takes a chunk may keep it.
  for await (const batch of batches) for (const chunk of encoder.encode(batch)) yield chunk.slice();
}

/** The first rows of a file as batches of at most `unit` rows, for a check. Throws what the source throws. */
export async function firstBatches(
  input: SourceSpec,
  { rowsMax, unit }: { readonly rowsMax: number; readonly unit: number | null },
  signal: AbortSignal,
): Promise<Batch[]> {
  await using source = await openSource(input, { signal });
  const batches: Batch[] = [];
  let rows = 0;
  for await (const batch of source.batches({ batchRows: unit ?? BATCH_ROWS_DEFAULT, signal })) {
    batches.push(batch);
    rows += batch.rows;
    if (rows >= rowsMax) break;
  }
  return batches;
}
