import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Batch } from "../../src/batch/batch.ts";
import { openStream } from "../../src/run/open-stream.ts";
import { aggregate, count, drain, eventTime, keyBy, max, source, sum, tumble } from "../../src/streams/index.ts";
import { ROOT } from "../harness.ts";
import { rowsOut } from "./ours.ts";

const PARQUET = join(ROOT, "node_modules", "vega-datasets", "data", "flights-3m.parquet");

/** The windows of the flights example over three million flights in memory, ours and DuckDB's. */
export async function flightsWindows(
  connection: DuckDBConnection,
): Promise<{ readonly own: () => Promise<number>; readonly duckdb: () => Promise<number> }> {
  const batches: Batch[] = [];
  await drain(openStream(PARQUET), (batch) => void batches.push(batch));
  await connection.run(`create or replace table flights as
    select date, origin, delay from read_parquet('${PARQUET.replaceAll("'", "''")}')`);
  return {
    own: () =>
      rowsOut(
        source(batches).pipe(
          eventTime("date", { outOfOrder: "0s" }),
          keyBy("origin"),
          tumble("1d"),
          aggregate({ flights: count(), delay: sum("delay"), worst: max("delay") }),
        ),
      ),
    duckdb: async () =>
      (
        await connection.runAndReadAll(`select date_trunc('day', date) as day, origin, count(*), sum(delay), max(delay)
          from flights group by all order by day, origin`)
      ).currentRowCount,
  };
}
