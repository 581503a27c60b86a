import type { Observable } from "rxjs";
import type { Batch } from "../../src/batch/batch.ts";
import type { Flow } from "../../src/streams/index.ts";
import {
  aggregate,
  col,
  count,
  eventTime,
  filter,
  hop,
  intervalJoin,
  isBatch,
  keyBy,
  max,
  project,
  scan,
  session,
  source,
  sum,
  tumble,
  windowJoin,
} from "../../src/streams/index.ts";
import type { Rows } from "./data.ts";

const SPECS = { n: count(), sum: sum("price"), max: max("price") } as const;

/** Runs a stream to its end; how many rows came out. */
export async function rowsOut(stream: Observable<Flow>): Promise<number> {
  let rows = 0;
  await stream.forEach((item) => {
    if (isBatch(item)) rows += item.rows;
  });
  return rows;
}

const bids = ({ batches }: { readonly batches: readonly Batch[] }, name = "bids"): Observable<Flow> =>
  source(batches, { name }).pipe(eventTime("at", { outOfOrder: "2s" }), keyBy("key"));

export const ours = {
  tumble: (rows: Rows) => rowsOut(bids(rows).pipe(tumble("10s"), aggregate(SPECS))),
  hop: (rows: Rows) => rowsOut(bids(rows).pipe(hop("10s", "2s"), aggregate(SPECS))),
  session: (rows: Rows) => rowsOut(bids(rows).pipe(session("500ms"), aggregate(SPECS))),
  /** The last running total. */
  scan: async (rows: Rows): Promise<number> => {
    const stream = source(rows.batches).pipe(
      filter(col("price").gt(2500)),
      project({ key: "key", euros: col("price").times(0.908) }),
      scan({ total: sum("euros") }),
    );
    let total = 0;
    await stream.forEach((item) => {
      if (isBatch(item)) total = item.column("total").values[item.rows - 1] as number;
    });
    return total;
  },
  intervalJoin: (left: Rows, right: Rows) =>
    rowsOut(intervalJoin({ left: bids(left, "l"), right: bids(right, "r") }, { before: "100ms", after: "100ms" })),
  windowJoin: (left: Rows, right: Rows) =>
    rowsOut(windowJoin({ left: bids(left, "l").pipe(tumble("1s")), right: bids(right, "r") })),
} as const;
