import type { CID } from "multiformats/cid";
import type { Batch } from "../../batch/batch.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_MAX } from "../../batch/limits.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { concat, utf8 } from "../../core/bytes.ts";
import type { Hash } from "../../core/ports.ts";
import type { Call, ModuleHandle } from "../../sandbox/port.ts";
import { checkRowsProperty } from "../../sandbox/rows-property.ts";
import { MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

/** Random splits of the first batch that a module has to survive. */
const SPLITS_CHECKED = 2;

/** What a module made of the batches of a slot, and the fuel that it took. */
interface Made {
  readonly outputs: readonly Batch[];
  readonly fuel: number;
}

/**
 * Runs a `rows` module. Its calls may be cut anywhere: f(a‖b) = f(a)‖f(b). Each begins from the module's initial memory, so those for a later
 * slot need not wait until the one before is stated.
 */
export class ModuleOperator implements StageOperator {
  private readonly module: ModuleHandle;
  private readonly seed: Uint8Array;
  private checked = false;
  private fuel = 0;
  /** Rows that were begun with, by the number of the first. */
  private readonly begun = new Map<number, { readonly batches: readonly Batch[]; readonly made: Promise<Made> }>();

  constructor(module: ModuleHandle, seed: Uint8Array) {
    this.module = module;
    this.seed = seed;
  }

  async push(batches: readonly Batch[], firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    await this.check(batches[0], firstRow, signal);
    const begun = this.begun.get(firstRow);
    this.begun.delete(firstRow);
    const made = begun?.batches === batches ? begun.made : this.make(batches, firstRow, signal);
    const { outputs, fuel } = await made;
    this.fuel += fuel;
    return { [MAIN]: outputs };
  }

  /** Only of a module that has passed its check; whoever prepares bounds how many slots are ahead. */
  prepare(batches: readonly Batch[], firstRow: number, signal: AbortSignal): void {
    if (!this.checked) return;
    const made = this.make(batches, firstRow, signal);
    made.catch(() => undefined);
    this.begun.set(firstRow, { batches, made });
  }

  end(): Promise<PortBatches> {
    return Promise.resolve({});
  }

  takeFuel(): number {
    const { fuel } = this;
    this.fuel = 0;
    return fuel;
  }

  async save(): Promise<null> {
    return null;
  }

  close(): void {}

  /** Splits the first batch at random places, once: a module that is not `rows` after all would make the result depend on batches. */
  private async check(first: Batch | undefined, firstRow: number, signal: AbortSignal): Promise<void> {
    if (this.checked || first === undefined) return;
    await checkRowsProperty(this.module, first, SPLITS_CHECKED, { context: { firstRow, seed: this.seed }, signal });
    this.checked = true;
  }

  private async make(batches: readonly Batch[], firstRow: number, signal: AbortSignal): Promise<Made> {
    const outputs: Batch[] = [];
    let fuel = 0;
    for await (const processed of this.module.processAll(this.calls(batches, firstRow), { signal })) {
      fuel += processed.fuel;
      if (processed.batch.rows > 0) outputs.push(processed.batch);
    }
    return { outputs, fuel };
  }

  private *calls(batches: readonly Batch[], firstRow: number): Generator<Call> {
    let row = firstRow;
    for (const batch of joinSmall(batches)) {
      yield { batch, context: { firstRow: row, seed: this.seed } };
      row += batch.rows;
    }
  }
}

/** The seed that a task's module is given: rows have random streams of their own, whatever batch they come in. */
export function moduleSeed(hash: Hash, stage: CID): Uint8Array {
  return hash(concat(utf8("ipdm/seed/1"), stage.bytes));
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
  const writer = new BatchWriter((first as Batch).schema, { shared: true });
  for (const batch of batches) writer.append(batch);
  return writer.take();
}
