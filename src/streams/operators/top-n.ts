import type { Observable } from "rxjs";
import { type Batch, fieldOf } from "../../batch/batch.ts";
import type { Field, Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { ColumnSpec, Untyped } from "../columns.ts";
import type { Flow } from "../flow.ts";
import { operator } from "../flow.ts";
import { loadRows, saveRows } from "../join/rows-state.ts";
import type { Counters } from "../step.ts";
import type { Steps } from "../window/core.ts";
import { isInteger } from "../window/plan.ts";
import { anew } from "./event-time.ts";
import { oneOf } from "./given.ts";
import { TopRows } from "./top-rows.ts";

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
  /** Default false; true keeps the rows that are equal to the last of the n as well, so that a group may have more. */
  readonly ties?: boolean;
}

/** The column that decides. Throws `COLUMN_MISSING`, and `AGGREGATE_TYPE` where its values are neither numbers nor timestamps. */
export function rankField(schema: Schema, name: string): Field {
  const field = fieldOf(schema, name);
  if (isInteger(field) || field.type === "timestamp" || field.type === "f32" || field.type === "f64") return field;
  throw new IpdmError("AGGREGATE_TYPE", `the best by ${name} are not defined: ${name} is ${field.type}`, {
    kind: "config",
    hint: "name a column of numbers or timestamps",
  });
}

/** Keeps the first n rows of each group in the order of a column, of equal values those that came first. Rows without a value come last.
 * Throws `OPTION_INVALID`, and as the stream's error `COLUMN_MISSING`, `AGGREGATE_TYPE`, and `STREAM_STATE_FULL` where more than 2^24 rows are equal. */
export function topN<const N extends string, const P extends string = never>(
  n: number,
  { by, order = "desc", per = [], ties = false }: TopOptions<N, P>,
): <C extends Record<N | P, ColumnSpec> = Untyped>(input: Observable<Flow<C>>) => Observable<Flow<C>> {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new IpdmError("WINDOW_INVALID", `topN of ${n} rows`, { kind: "config", hint: "give a whole number from 1" });
  oneOf("topN", "order", order, ["asc", "desc"]);
  return operator(
    (out, step) => {
      let top: TopRows | undefined;
      const make = (schema: Schema): TopRows => {
        rankField(schema, by);
        return new TopRows(schema, { n, by, sign: order === "asc" ? 1 : -1, per, ties });
      };
      function* written(rows: TopRows, steps: Steps, counters?: Counters): Generator<Batch, Batch | undefined> {
        while (steps.next().done !== true) yield* rows.out.takeFull();
        if (counters !== undefined) counters.stateBytes = rows.stateBytes;
        const rest = rows.out.take();
        const last = rest.pop();
        yield* rest;
        return last;
      }
      return {
        makesMany: true,
        header(header) {
          const saved = header.restored?.state(step()?.place ?? "");
          if (saved !== undefined) {
            top = make(saved.schema);
            top.restore(loadRows(saved.state).lists[0] ?? []);
          }
          return anew(header);
        },
        batch(batch) {
          top ??= make(batch.schema);
          out.all(written(top, top.pushing(batch), step()?.counters));
        },
        barrier(barrier) {
          const here = step();
          if (top === undefined || here === undefined) return;
          const lists = [top.kept()];
          barrier.add(here.place, saveRows(barrier.hash, { lists, about: null }), top.schema);
        },
        end() {
          if (top !== undefined) out.all(written(top, top.finishing()));
        },
      };
    },
    {
      name: "topN",
      detail: `${n} by ${by} ${order}${ties ? " with ties" : ""}${per.length === 0 ? "" : ` per ${per.join(", ")}`}`,
    },
  );
}
