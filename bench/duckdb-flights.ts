// The flights example in DuckDB, as a process of its own: late flights by day and origin, written to Parquet. Prints the rows out.
import { argv, stdout } from "node:process";
import { DuckDBInstance } from "@duckdb/node-api";

const [source = "", output = ""] = argv.slice(2);
const text = (path: string): string => `'${path.replaceAll("'", "''")}'`;

const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(`
  copy (
    select date_trunc('day', date) as day, origin, count(*) as flights, sum(delay) as delay, max(delay) as worst
    from read_parquet(${text(source)})
    where delay >= 15
    group by all
    order by day, origin
  ) to ${text(output)} (format parquet)`);
const counted = await connection.runAndReadAll(`select count(*) from read_parquet(${text(output)})`);
stdout.write(`${JSON.stringify({ rows: Number(counted.getRows()[0]?.[0]) })}\n`);
