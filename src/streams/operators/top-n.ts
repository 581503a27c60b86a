import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { type Column, isNull, type Value, valueAt } from "../../batch/column.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { ColumnSpec, Untyped } from "../columns.ts";
import type { Flow } from "../flow.ts";
import { operator } from "../flow.ts";
import { KeptRows } from "../join/kept-rows.ts";
import { loadRows, saveRows } from "../join/rows-state.ts";
import { BatchCutter } from "../window/output.ts";
import { anew } from "./event-time.ts";

/** Options of {@link topN}. */
export interface TopOptions<N extends string, P extends string> {
  /** Column of numbers or timestamps that decides. */
  readonly by: N;
  /** Default `desc`: the greatest first. */
  readonly order?: "asc" | "desc";
  /**
   * Columns of a group. Rows of a group follow each other, as the rows of a window do: `per: ['start', 'end']` gives the best of each window, as
   * soon as the next one begins. Without it the whole stream is one group, and its best come at the end.
   */
  readonly per?: readonly P[];
}

/** Keeps the first n rows of each group in the order of a column, of equal values those that came first. Rows without a value come last. */
export function topN<const N extends string, const P extends string = never>(
  n: number,
  { by, order = "desc", per = [] }: TopOptions<N, P>,
): <C extends Record<N | P, ColumnSpec> = Untyped>(input: Observable<Flow<C>>) => Observable<Flow<C>> {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new IpdmError("WINDOW_INVALID", `topN of ${n} rows`, { kind: "config", hint: "give a whole number from 1" });
  return operator(
    (out, step) => {
      let top: Top | undefined;
      const make = (schema: Schema): Top => new Top(schema, { n, by, sign: order === "asc" ? 1 : -1, per });
      const give = (batches: readonly Batch[]): void => {
        for (const batch of batches) out.next(batch);
      };
      return {
        header(header) {
          const saved = header.restored?.state(step()?.place ?? "");
          if (saved !== undefined) {
            top = make(saved.schema);
            for (const batch of loadRows(saved.state).lists[0] ?? []) top.push(batch);
          }
          return anew(header);
        },
        batch(batch) {
          top ??= make(batch.schema);
          top.push(batch);
          give(top.out.take());
        },
        barrier(barrier) {
          const here = step();
          if (top === undefined || here === undefined) return;
          const lists = [top.kept()];
          barrier.add(here.place, saveRows(barrier.hash, { lists, about: null }), top.schema);
        },
        end() {
          if (top === undefined) return;
          top.finish();
          give(top.out.take());
        },
      };
    },
    { name: "topN", detail: `${n} by ${by} ${order}${per.length === 0 ? "" : ` per ${per.join(", ")}`}` },
  );
}

interface TopPlan {
  readonly n: number;
  readonly by: string;
  readonly sign: 1 | -1;
  readonly per: readonly string[];
}

interface Candidate {
  readonly batch: Batch;
  readonly row: number;
  readonly value: Value;
}

/** The best rows of the group at hand, the best first. */
class Top {
  readonly schema: Schema;
  readonly out: BatchCutter;
  private readonly plan: TopPlan;
  private best: Candidate[] = [];
  private group: readonly Value[] | undefined;

  constructor(schema: Schema, plan: TopPlan) {
    this.schema = schema;
    this.plan = plan;
    this.out = new BatchCutter(schema, BATCH_ROWS_DEFAULT);
  }

  push(batch: Batch): void {
    const by = batch.column(this.plan.by);
    const per = this.plan.per.map((name) => batch.column(name));
    for (let row = 0; row < batch.rows; row++) {
      if (per.length > 0 && !this.isSame(per, row)) {
        this.finish();
        this.group = per.map((column) => valueAt(column, row));
      }
      this.offer({ batch, row, value: isNull(by, row) ? null : valueAt(by, row) });
    }
  }

  /** Writes the best of the group, which is over. */
  finish(): void {
    for (const { batch, row } of this.best) this.out.copy(batch, row, row + 1);
    this.best = [];
  }

  /** The best so far, as batches: pushed again they give the same state. */
  kept(): Batch[] {
    const rows = new KeptRows(this.schema);
    for (const { batch, row } of this.best) rows.add(batch, row, 0, 0);
    return rows.toBatches();
  }

  private isSame(per: readonly Column[], row: number): boolean {
    const { group } = this;
    return group !== undefined && per.every((column, i) => sameValue(valueAt(column, row), group[i] ?? null));
  }

  private offer(candidate: Candidate): void {
    const { best, plan } = this;
    if (best.length === plan.n && this.order(candidate, best[plan.n - 1] as Candidate) >= 0) return;
    let at = best.length;
    while (at > 0 && this.order(candidate, best[at - 1] as Candidate) < 0) at--;
    best.splice(at, 0, candidate);
    if (best.length > plan.n) best.pop();
  }

  private order({ value: a }: Candidate, { value: b }: Candidate): number {
    const [x, y] = [rankable(a), rankable(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : x < y ? -this.plan.sign : this.plan.sign;
  }
}

function rankable(value: Value): number | bigint | string | null {
  if (typeof value === "boolean") return Number(value);
  return value instanceof Uint8Array || Number.isNaN(value) ? null : value;
}

function sameValue(a: Value, b: Value): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}
