import type { Observable } from "rxjs";
import type { Added, ColumnSpec, Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import { loadRows, saveRows } from "../join/rows-state.ts";
import { KeyExpiry } from "../keyed/key-expiry.ts";
import { RunningTotals, type RunningSpecs as Specs } from "../keyed/running-totals.ts";
import { durationOf } from "./given.ts";
import type { AggregateSpec } from "./specs.ts";

type Running<A extends Specs> = {
  readonly [P in keyof A]: A[P] extends AggregateSpec<string, infer T>
    ? T extends "i64"
      ? "i64"
      : "i64" | "f64"
    : never;
};
type ColumnsOf<A extends Specs> = { [P in keyof A]: A[P] extends AggregateSpec<infer N, unknown> ? N : never }[keyof A];

/** Options of {@link scan}. */
export interface ScanOptions {
  /**
   * Time-to-live of a key in event time: it is forgotten, and begins anew, once the watermark has passed the latest of its rows by so much. It bounds the
   * state, and takes an event time; without it keys stay for good.
   */
  readonly ttl?: string;
}

/**
 * Adds to each row what the rows of its key so far come to, its own included: `scan({ paid: sum('amount'), bids: count() })`; of no key, of the
 * whole stream. `count`, `sum`, `min`, `max` and `mean` over numbers, nulls skipped. Integers stay exact up to 2^53: `AGGREGATE_OVERFLOW`
 * beyond; floats are added in row order. Keys stay for good, or for their time-to-live. Throws `DURATION_INVALID`.
 */
export function scan<const A extends Specs>(
  running: A,
  { ttl }: ScanOptions = {},
): <C extends Record<ColumnsOf<A>, ColumnSpec> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Added<C, Running<A>>, K>> {
  const specs = Object.entries<AggregateSpec<string, unknown>>(running);
  const ttlUs = ttl === undefined ? undefined : durationOf("scan", "ttl", ttl);
  const text = specs.map(([name, { kind, column = "" }]) => `${name}: ${kind}(${column})`).join(", ");
  const detail = ttl === undefined ? text : `${text}, ttl ${ttl}`;
  return operator<Flow<Untyped, Untyped>, Flow<Untyped, Untyped>>(
    (out, step) => {
      let totals: RunningTotals | undefined;
      let header: Header = { kind: "header" };
      return {
        header(given) {
          header = given;
          const saved = given.restored?.state(step()?.place ?? "");
          if (saved !== undefined) {
            totals = new RunningTotals(saved.schema, given.keys ?? [], specs, expiryOf(given, ttlUs));
            const { lists, about } = loadRows(saved.state);
            totals.values.load(lists[0] ?? []);
            if (totals.expiry !== undefined && typeof about === "number") totals.expiry.newest = about;
          }
          return given.schema === undefined
            ? given
            : { ...given, schema: new RunningTotals(given.schema, given.keys ?? [], specs).output };
        },
        batch(batch) {
          totals ??= new RunningTotals(batch.schema, header.keys ?? [], specs, expiryOf(header, ttlUs));
          out.next(totals.run(batch));
          const here = step();
          if (here === undefined) return;
          here.counters.stateBytes = totals.values.stateBytes;
          totals.expiry?.count(here.counters);
        },
        watermark(item) {
          totals?.expiry?.pass(item.timeUs);
          out.next(item);
        },
        barrier(barrier) {
          const here = step();
          if (totals === undefined || here === undefined) return;
          totals.forget();
          const newest = totals.expiry?.newest ?? Number.NEGATIVE_INFINITY;
          const about = Number.isFinite(newest) ? newest : null;
          const state = saveRows(barrier.hash, { lists: [totals.values.save()], about });
          barrier.add(here.place, state, totals.schema);
        },
      };
    },
    { name: "scan", detail },
  );
}

function expiryOf(header: Header, ttlUs: number | undefined): KeyExpiry | undefined {
  return ttlUs === undefined ? undefined : new KeyExpiry(header, ttlUs, "scan with a ttl");
}
