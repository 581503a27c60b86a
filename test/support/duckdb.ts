import { DuckDBInstance } from "@duckdb/node-api";

/** Runs statements in a DuckDB of its own, in UTC, and gives the rows of the last. */
export async function duckdb(...statements: readonly string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    let rows: unknown[][] = [];
    for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRowsJS() as unknown[][];
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** How many rows of one query the other lacks, both ways, duplicates counted; [0, 0, n] when they hold the same n rows. */
export async function difference(ours: string, theirs: string, ...before: readonly string[]): Promise<number[]> {
  const [row] = await duckdb(
    ...before,
    `CREATE TABLE ours AS ${ours}`,
    `CREATE TABLE theirs AS ${theirs}`,
    `SELECT (SELECT count(*) FROM (FROM ours EXCEPT ALL FROM theirs)), (SELECT count(*) FROM (FROM theirs EXCEPT ALL FROM ours)), (SELECT count(*) FROM ours)`,
  );
  return (row ?? []).map(Number);
}

/** The example's daily table as a query over its parquet file. */
export function dailyByDuckdb(parquet: string): string {
  return `SELECT date_trunc('day', date)::TIMESTAMP AS "start", (date_trunc('day', date) + INTERVAL 1 DAY)::TIMESTAMP AS "end", origin,
    count(*)::BIGINT AS flights, sum(delay)::BIGINT AS delay, max(delay)::BIGINT AS worst
    FROM '${parquet}' WHERE delay >= 15 GROUP BY ALL`;
}

/** The example's output as a query. */
export function dailyOfRun(file: string): string {
  return `SELECT "start"::TIMESTAMP AS "start", "end"::TIMESTAMP AS "end", origin, flights::BIGINT AS flights, delay::BIGINT AS delay, worst::BIGINT AS worst FROM '${file}'`;
}
