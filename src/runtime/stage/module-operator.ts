import type { Batch } from "../../batch/batch.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_MAX } from "../../batch/limits.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { concat, utf8 } from "../../core/bytes.ts";
import type { Hash } from "../../core/ports.ts";
import type { Call, ModuleHandle } from "../../sandbox/port.ts";
import { checkRowsProperty } from "../../sandbox/rows-property.ts";
import { MAIN, type TaskPlan } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

/** Random splits of the first batch that a module has to survive. */
const SPLITS_CHECKED = 2;

/** Runs a `rows` module. Its calls may be cut anywhere: f(a‖b) = f(a)‖f(b). */
export class ModuleOperator implements StageOperator {
  private readonly module: ModuleHandle;
  private readonly seed: Uint8Array;
  private checked = false;

  constructor(hash: Hash, task: TaskPlan, module: ModuleHandle) {
    this.module = module;
    this.seed = hash(concat(utf8("ipdm/seed/1"), task.stage.cid.bytes));
  }

  async push(batches: readonly Batch[], firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    await this.check(batches[0], firstRow, signal);
    const outputs: Batch[] = [];
    for await (const output of this.module.processAll(this.calls(batches, firstRow), { signal })) {
      if (output.rows > 0) outputs.push(output);
    }
    return { [MAIN]: outputs };
  }

  end(): PortBatches {
    return {};
  }

  save(): null {
    return null;
  }

  /** Splits the first batch at random places, once: a module that is not `rows` after all would make the result depend on batches. */
  private async check(first: Batch | undefined, firstRow: number, signal: AbortSignal): Promise<void> {
    if (this.checked || first === undefined) return;
    await checkRowsProperty(this.module, first, SPLITS_CHECKED, { context: { firstRow, seed: this.seed }, signal });
    this.checked = true;
  }

  private *calls(batches: readonly Batch[], firstRow: number): Generator<Call> {
    let row = firstRow;
    for (const batch of joinSmall(batches)) {
      yield { batch, context: { firstRow: row, seed: this.seed } };
      row += batch.rows;
    }
  }
}

/** Joins small batches up to the most rows a batch may have: a call costs the same for one row and for thousands. */
function* joinSmall(batches: readonly Batch[]): Generator<Batch> {
  let pending: Batch[] = [];
  let rows = 0;
  let bytes = 0;
  for (const batch of batches) {
    if (rows > 0 && (rows + batch.rows > BATCH_ROWS_MAX || bytes + batch.bytes.length > BATCH_BYTES_TARGET)) {
      yield joined(pending);
      pending = [];
      rows = 0;
      bytes = 0;
    }
    pending.push(batch);
    rows += batch.rows;
    bytes += batch.bytes.length;
  }
  if (rows > 0) yield joined(pending);
}

function joined(batches: readonly Batch[]): Batch {
  const [first] = batches;
  if (first !== undefined && batches.length === 1) return first;
  const writer = new BatchWriter((first as Batch).schema);
  for (const batch of batches) writer.append(batch);
  return writer.take();
}
