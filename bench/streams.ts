import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type Measured, median, rounded } from "./harness.ts";
import { arqueroTumble } from "./streams/arquero.ts";
import { bids, load, type Rows } from "./streams/data.ts";
import { flightsWindows } from "./streams/flights.ts";
import { ours } from "./streams/ours.ts";
import { loopScan, loopTumble, objects, rxjsScan, rxjsTumble } from "./streams/peers.ts";

const MILLION = 1_000_000;
/** As many as V8 takes until it compiles nothing anew. */
const WARM_UPS = 6;

type Candidate = () => Promise<number> | number;

/**
 * Streams over a million rows in memory, beside stock RxJS, loops by hand, and DuckDB on one thread, with its table loaded before and with
 * the load from JavaScript; all in this process, one round of each after the other. Ratios say how many times faster ours is.
 */
export async function streams(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const database = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await database.connect();
  const few = bids(MILLION, 1000);
  const many = bids(MILLION, 100_000);
  const left = bids(MILLION, 10_000, { seed: 2, hot: 0 });
  const right = bids(MILLION, 10_000, { seed: 3, hot: 0 });
  const plain = objects(few);
  await load(connection, "few", few);
  await load(connection, "many", many);
  await load(connection, "lefts", left);
  await load(connection, "rights", right);
  const sql = queries(connection);
  const metrics: Record<string, number> = {};
  const compare = async (name: string, own: Candidate, peers: Readonly<Record<string, Candidate>>): Promise<void> => {
    const times = await timed({ own, ...peers }, rounds);
    for (const peer of Object.keys(peers))
      metrics[`${name}_vs_${peer}`] = rounded((times[peer] ?? 0) / (times["own"] ?? 1));
    metrics[`${name}_rows_s`] = Math.round(MILLION / ((times["own"] ?? 1) / 1000));
    tell(
      `${name}: ${Object.entries(times)
        .map(([who, ms]) => `${who} ${ms.toFixed(1)} ms`)
        .join(", ")}`,
    );
  };
  const arquero = { few: await arqueroTumble(few), many: await arqueroTumble(many) };
  if (arquero.few === undefined || arquero.many === undefined)
    tell("arquero is not installed: npm install --prefix bench");
  await compare("tumble_1k", () => ours.tumble(few), {
    rxjs: () => rxjsTumble(plain),
    loop: () => loopTumble(few),
    ...(arquero.few === undefined ? {} : { arquero: arquero.few }),
    duckdb: sql.tumble("few"),
    duckdb_load: sql.loaded(few),
  });
  await compare("tumble_100k", () => ours.tumble(many), {
    duckdb: sql.tumble("many"),
    ...(arquero.many === undefined ? {} : { arquero: arquero.many }),
  });
  await compare("hop_1k", () => ours.hop(few), { duckdb: sql.hop("few") });
  await compare("hop_100k", () => ours.hop(many), { duckdb: sql.hop("many") });
  await compare("session", () => ours.session(few), { duckdb: sql.session("few") });
  await compare("scan", () => ours.scan(few), { rxjs: () => rxjsScan(plain), loop: () => loopScan(few) });
  await compare("interval_join", () => ours.intervalJoin(left, right), { duckdb: sql.intervalJoin });
  await compare("window_join", () => ours.windowJoin(left, right), { duckdb: sql.windowJoin });
  const flights = await flightsWindows(connection);
  const times = await timed({ own: flights.own, duckdb: flights.duckdb }, rounds);
  metrics["flights_windows_vs_duckdb"] = rounded((times["own"] ?? 0) / (times["duckdb"] ?? 1));
  tell(`flights: own ${times["own"]?.toFixed(1)} ms, duckdb ${times["duckdb"]?.toFixed(1)} ms`);
  connection.closeSync();
  database.closeSync();
  return { metrics, notes: NOTES };
}

const NOTES: Readonly<Record<string, string>> = {
  tumble_1k_vs_rxjs: "times faster than groupBy of groupBy in stock RxJS",
  tumble_1k_vs_duckdb: "DuckDB with its table in memory, one thread, sorted output",
  tumble_1k_vs_duckdb_load: "DuckDB, the load from JavaScript arrays included",
  flights_windows_vs_duckdb: "time over DuckDB's time, its table in memory",
  scan_vs_loop: "a loop by hand over typed arrays, which keeps every total",
};

/** Medians in milliseconds, each candidate once a round, after rounds that only warm up. */
async function timed(candidates: Readonly<Record<string, Candidate>>, rounds: number): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  const found = new Map<string, number>();
  for (let round = 0; round < WARM_UPS + rounds; round++) {
    for (const [name, run] of Object.entries(candidates)) {
      const start = performance.now();
      const rows = await run();
      const ms = performance.now() - start;
      if (round >= WARM_UPS) (times[name] ??= []).push(ms);
      found.set(name, rows);
    }
  }
  const counts = new Set([...found.values()].map(Math.round));
  if (counts.size > 1) throw new Error(`different results: ${JSON.stringify(Object.fromEntries(found))}`);
  return Object.fromEntries(Object.entries(times).map(([name, each]) => [name, median(each)]));
}

function queries(connection: DuckDBConnection) {
  const rows = (text: string) => async (): Promise<number> => (await connection.runAndReadAll(text)).currentRowCount;
  const tumble = (table: string): string => `
    select t - t % 10000000 as s, key, count(*), sum(price), max(price) from ${table} group by all order by s, key`;
  return {
    tumble: (table: string) => rows(tumble(table)),
    loaded: (given: Rows) => async (): Promise<number> => {
      await load(connection, "loaded", given);
      return rows(tumble("loaded"))();
    },
    hop: (table: string) =>
      rows(`select s, key, count(*), sum(price), max(price) from (
        select unnest([b, b - 2000000, b - 4000000, b - 6000000, b - 8000000]) as s, key, price
        from (select t - t % 2000000 as b, key, price from ${table})) group by all order by s, key`),
    session: (table: string) =>
      rows(`select min(t), key, max(t), count(*), sum(price), max(price) from (
        select *, sum(fresh) over (partition by key order by t rows unbounded preceding) as number from (
          select *, case when t - lag(t) over (partition by key order by t) <= 500000 then 0 else 1 end as fresh
          from ${table})) group by key, number order by 3, 1, 2`),
    intervalJoin: rows(`select l.key, l.t, l.price, r.t, r.price from lefts l join rights r
      on l.key = r.key and r.t between l.t - 100000 and l.t + 100000`),
    windowJoin: rows(`select l.key, l.t, l.price, r.t, r.price from lefts l join rights r
      on l.key = r.key and l.t // 1000000 = r.t // 1000000 order by l.t // 1000000, l.key`),
  };
}
