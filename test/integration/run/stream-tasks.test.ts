import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { smallCsv } from "../../support/small-flights.ts";

const TASKS: Readonly<Record<string, string>> = {
  early: `{ input: flights, filter: "delay < 0 and origin in ('ATL', 'ORD')", select: { date: date, origin: origin, minutes: "-delay * 2" } }`,
  hop: `{ input: flights, filter: delay > 0, window: { hop: 1h, every: 10m, offset: 5m }, key: [origin], aggregate: { n: count(), q: "quantile(delay, 0.5)" }, top: { rows: 1, by: n, per: [start, end] } }`,
  cumulate:
    "{ input: flights, window: { cumulate: 1d, step: 6h }, key: [origin], aggregate: { n: count(), c: 'collect(delay, 3)' } }",
  session: "{ input: early, window: { session: 3m }, key: [origin], aggregate: { n: count(), v: variance(minutes) } }",
  count: "{ input: flights, window: { count: 100 }, aggregate: { d: distinct(destination), s: sum(delay) } }",
  global:
    "{ input: flights, window: { global: true, trigger: { rows: 200 }, emit: upsert }, key: [origin], aggregate: { n: count() } }",
  refined: "{ input: flights, window: { tumble: 1h, emit: retract, lateness: 1h }, aggregate: { n: count() } }",
  running: "{ input: flights, scan: { key: [origin], running: { n: count(), sum: sum(delay), most: max(delay) } } }",
  once: "{ input: flights, dedup: { key: [origin, destination], within: 1h } }",
  atl: `{ input: flights, filter: "origin = 'ATL'" }`,
  ord: `{ input: flights, filter: "origin = 'ORD'" }`,
  both: "{ input: [atl, ord] }",
  pairs: "{ input: [atl, ord], join: { on: { destination: destination }, before: 5m, after: 10m, keep: full } }",
  meeting: "{ input: [atl, ord], join: { on: [destination], window: { tumble: 1h } } }",
  latest: "{ input: [flights, atl], join: { on: { origin: destination }, temporal: true, keep: left } }",
  near: "{ input: [atl, ord], join: { on: [destination], ttl: 20m }, time: { column: date, outOfOrder: 20m } }",
  named:
    "{ input: flights, rename: { delay: minutes }, withColumns: { hours: minutes / 60 }, filter: hours > 0.1, project: { hours: hours, origin: origin }, topN: { rows: 5, by: hours } }",
  marked: `{ input: flights, withColumns: { mark: "when(delay > 30, date, null)" }, time: { column: date, punctuated: mark } }`,
  others: "{ input: marked, filter: distance > 500 }",
  plain: "{ input: marked, window: { tumble: 1h }, key: [origin], aggregate: { n: count() } }",
  least: "{ input: [marked, others], window: { hop: 1h, every: 30m }, aggregate: { n: count() } }",
  daily: "{ input: near, window: { tumble: 1d }, aggregate: { n: count() } }",
};
const SIDES = ["hop.late", "pairs.late", "pairs.late-right"];
const config = (names: readonly string[], sides: readonly string[]): string => `name: streams
domain: { id: aviation }
sources:
  flights:
    file: ./flights.csv
    columns: { date: timestamp, delay: i64, distance: i64, origin: utf8, destination: utf8 }
    time: { column: date, outOfOrder: 0s }
tasks:
${names.map((name) => `  ${name}: ${TASKS[name] ?? ""}\n`).join("")}outputs:
${[...names, ...sides].map((name) => `  ${name.replace(".", "-")}: { input: ${name}, file: ${name}.csv }\n`).join("")}`;

let folder: TestFolder;
let first: RunSummary;
let rows: string[];

beforeAll(async () => {
  folder = await makeTestFolder("streams");
  const csv = smallCsv(900);
  rows = csv.trim().split("\n").slice(1);
  await writeFile(join(folder.path, "flights.csv"), csv);
  await writeFile(join(folder.path, "all.yaml"), config(Object.keys(TASKS), SIDES));
  await writeFile(join(folder.path, "few.yaml"), config(["atl", "ord", "pairs"], []));
  first = await go("all", 40, 1);
});
afterAll(() => folder.remove());

async function go(
  name: string,
  batchRows: number,
  replicas: number,
): Promise<RunSummary & { readonly outDir: string }> {
  const outDir = folder.fresh("out");
  const done = await runConfig({ configPath: join(folder.path, `${name}.yaml`), outDir, batchRows, replicas });
  return { ...done, outDir };
}

const table = async (name: string): Promise<string[]> =>
  (await readFile(first.outputs.find((output) => output.name === name)?.file ?? "", "utf8"))
    .trim()
    .split("\n")
    .slice(1);

describe("tasks of stream operators", () => {
  it("have the same result in other batches, and the receipt holds", async () => {
    const again = await go("all", 1000, 1);
    expect(again.result).toBe(first.result);
    await audit(again.outDir);
  });

  it("have the same result with three replicas, which read both inputs themselves", async () => {
    const alone = await go("few", 7, 1);
    const again = await go("few", 300, 3);
    expect(again.result).toBe(alone.result);
    await audit(again.outDir);
  });

  it("do what they say: a filter, a union, an interval join against plain loops", async () => {
    const flights = rows.map((line) => line.split(",") as [string, string, string, string, string]);
    const early = flights.filter(([, delay, , origin]) => Number(delay) < 0 && ["ATL", "ORD"].includes(origin));
    expect(await table("early")).toEqual(
      early.map(
        ([date, delay, , origin]) =>
          expect.stringMatching(new RegExp(`^${date.replace("Z", "")}.*,${origin},${-2 * Number(delay)}$`)) as string,
      ),
    );
    const totals = new Map<string, { n: number; sum: number; most: number }>();
    const running = flights.map(([, delay, , origin]) => {
      const before = totals.get(origin) ?? { n: 0, sum: 0, most: Number.NEGATIVE_INFINITY };
      const now = {
        n: before.n + 1,
        sum: before.sum + Number(delay),
        most: Math.max(before.most, Number(delay)),
      };
      totals.set(origin, now);
      return [now.n, now.sum, now.most].join(",");
    });
    expect((await table("running")).map((line) => line.split(",").slice(5).join(","))).toEqual(running);
    const atl = flights.filter(([, , , origin]) => origin === "ATL");
    const ord = flights.filter(([, , , origin]) => origin === "ORD");
    expect(await table("both")).toHaveLength(atl.length + ord.length);
    const close = (a: string, b: string): boolean => {
      const apart = Date.parse(b) - Date.parse(a);
      return apart >= -5 * 60_000 && apart <= 10 * 60_000;
    };
    let expected = 0;
    for (const left of atl) {
      const partners = ord.filter((right) => right[4] === left[4] && close(left[0], right[0]));
      expected += Math.max(1, partners.length);
    }
    expected += ord.filter((right) => !atl.some((left) => right[4] === left[4] && close(left[0], right[0]))).length;
    expect(await table("pairs")).toHaveLength(expected);
    const slow = flights
      .map(([, delay, , origin]) => [Number(delay) / 60, origin] as const)
      .filter(([hours]) => hours > 0.1);
    const most = slow.map(([hours], i) => [hours, i] as const).sort(([a, i], [b, k]) => b - a || i - k);
    expect(await table("named")).toEqual(most.slice(0, 5).map(([hours, i]) => `${hours},${slow[i]?.[1]}`));
    const inPlain = (await table("plain")).reduce((sum, line) => sum + Number(line.split(",").at(-1)), 0);
    expect(inPlain).toBe(flights.length);
  });
});
