import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../support/audit.ts";
import { build, endAll, runJson } from "../support/command.ts";
import { difference } from "../support/duckdb.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { numbers } from "../support/small-flights.ts";

/** Rows of the readings. */
const ROWS = 20_000;

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("duckdb");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

/** Readings out of order by some minutes, some values missing; and their lines as NDJSON. */
function readings(): { csv: string; ndjson: string } {
  const next = numbers(4711);
  const csv = ["taken,room,floor,temp,delta"];
  const ndjson: string[] = [];
  for (let row = 0; row < ROWS; row++) {
    const taken = new Date(
      Date.UTC(2026, 0, 5, 7, 58) + row * 30_000 - (next(5) === 0 ? next(8) * 40_000 : 0),
    ).toISOString();
    const room = ["attic", "cellar", "höhle, links", 'the "den"'][next(4)] as string;
    const [floor, temp, delta] = [next(3), next(20) === 0 ? null : next(450) - 50, (next(2001) - 1000) / 8];
    csv.push(`${taken},"${room.replaceAll('"', '""')}",${floor},${temp ?? ""},${delta}`);
    ndjson.push(JSON.stringify({ taken, room, floor, temp, delta }));
  }
  return { csv: `${csv.join("\n")}\n`, ndjson: `${ndjson.join("\n")}\n` };
}

function config(file: string, outOfOrder: string, lateness: string): string {
  return `name: readings
domain: { id: home, replicas: 1, quorum: 1 }
sources:
  readings:
    file: ${file}
    columns: { taken: timestamp, room: utf8, floor: i32, temp: i32, delta: f64 }
    time: { column: taken, outOfOrder: ${outOfOrder} }
tasks:
  hourly:
    input: readings
    window: { tumble: 1h, lateness: ${lateness} }
    key: [room, floor]
    aggregate: { n: count(), filled: count(temp), total: sum(temp), low: min(temp), high: max(temp), mean: mean(delta), least: min(delta) }
outputs:
  parquet: { input: hourly, file: hourly.parquet }
  csv: { input: hourly, file: hourly.csv }
  ndjson: { input: hourly, file: hourly.ndjson }
  late: { input: hourly.late, file: late.ndjson }
`;
}

describe("windows over text files", () => {
  const COLUMNS = `"start", "end", room, floor, n, filled, total, low, high, mean, least`;

  it.each([
    ["readings.csv", "0s", "0s"],
    ["readings.ndjson.gz", "1m", "30s"],
  ])(
    "of %s with %s out of order and a lateness of %s equal DuckDB's, late rows too",
    async (file, outOfOrder, lateness) => {
      const dir = folder.fresh("readings");
      await mkdir(dir);
      const { csv, ndjson } = readings();
      await writeFile(join(dir, "readings.csv"), csv);
      await writeFile(join(dir, "readings.ndjson.gz"), gzipSync(ndjson));
      const path = join(dir, "ipdm.yaml");
      await writeFile(path, config(`./${file}`, outOfOrder, lateness));
      const outDir = join(dir, "out");
      const done = await runJson(["run", path, "--out", outDir]);
      const allowed = { "0s": 0, "30s": 30, "1m": 60 }[outOfOrder] as number;
      const patience = allowed + ({ "0s": 0, "30s": 30 }[lateness] as number);
      const base = [
        `CREATE TABLE raw AS SELECT row_number() OVER () AS row, * FROM read_csv('${join(dir, "readings.csv")}', columns = {taken: 'TIMESTAMP', room: 'VARCHAR', floor: 'INTEGER', temp: 'INTEGER', delta: 'DOUBLE'})`,
        // A row is late when, before it, time had passed the end of its window by as much as is allowed.
        `CREATE TABLE rows AS SELECT *, coalesce(date_trunc('hour', taken) + INTERVAL 1 HOUR + INTERVAL ${patience} SECOND <=
         max(taken) OVER (ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS late FROM raw`,
      ];
      const theirs = `SELECT date_trunc('hour', taken)::TIMESTAMP AS "start", (date_trunc('hour', taken) + INTERVAL 1 HOUR)::TIMESTAMP AS "end", room, floor::INTEGER AS floor, count(*)::BIGINT AS n,
      count(temp)::BIGINT AS filled, sum(temp)::BIGINT AS total, min(temp)::BIGINT AS low, max(temp)::BIGINT AS high, (sum(delta) / count(delta))::DOUBLE AS mean, min(delta)::DOUBLE AS least
      FROM rows WHERE NOT late GROUP BY ALL`;
      for (const ending of ["parquet", "csv", "ndjson"]) {
        const ours = `SELECT "start"::TIMESTAMP AS "start", "end"::TIMESTAMP AS "end", room::VARCHAR AS room, floor::INTEGER AS floor, n::BIGINT AS n, filled::BIGINT AS filled,
        total::BIGINT AS total, low::BIGINT AS low, high::BIGINT AS high, mean::DOUBLE AS mean, least::DOUBLE AS least FROM '${join(outDir, `hourly.${ending}`)}'`;
        const [missing, extra, rows] = await difference(
          `SELECT ${COLUMNS} FROM (${ours})`,
          `SELECT ${COLUMNS} FROM (${theirs})`,
          ...base,
        );
        expect({ ending, missing, extra }).toEqual({ ending, missing: 0, extra: 0 });
        expect(rows).toBeGreaterThan(1000);
      }
      const lateColumns =
        "taken::TIMESTAMP AS taken, room::VARCHAR AS room, floor::INTEGER AS floor, temp::INTEGER AS temp, delta::DOUBLE AS delta";
      const late = await difference(
        `SELECT ${lateColumns} FROM '${join(outDir, "late.ndjson")}'`,
        `SELECT ${lateColumns} FROM rows WHERE late`,
        ...base,
      );
      expect(late.slice(0, 2)).toEqual([0, 0]);
      expect(late[2]).toBeGreaterThan(0);
      expect(done).toMatchObject({ late: { hourly: late[2] }, rows: { in: ROWS } });
      expect((await readFile(join(outDir, "late.ndjson"), "utf8")).trimEnd().split("\n")).toHaveLength(late[2] ?? 0);
      await audit(outDir);
    },
  );
});
