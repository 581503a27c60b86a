import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../../support/audit.ts";
import { build, endAll, FLIGHTS, lastJson, run, runJson, start } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { SEED } from "../../support/seed.ts";
import { numbers, smallCsv, writeSmall } from "../../support/small-flights.ts";

/** After this many kills the next start is left alone, so that a run also ends. */
const KILLS_A_RUN = 3;

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("kills");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

/** Windows that overlap and that follow sessions, and a join, over flights. */
const STREAMS = `name: streams
sources:
  flights:
    file: ./streams.csv
    columns: { date: timestamp, delay: i64, distance: i64, origin: utf8, destination: utf8 }
    time: { column: date, outOfOrder: 0s }
tasks:
  late: { input: flights, filter: delay > 15 }
  hop: { input: late, window: { hop: 6h, every: 1h }, key: [origin], aggregate: { n: count(), worst: max(delay) } }
  session: { input: late, window: { session: 5m }, key: [origin], aggregate: { n: count(), d: distinct(destination) } }
  atl: { input: late, filter: "origin = 'ATL'" }
  pairs: { input: [atl, late], join: { on: { destination: origin }, after: 30m, keep: left } }
outputs:
  hop: { input: hop, file: hop.csv }
  session: { input: session, file: session.csv }
  pairs: { input: pairs, file: pairs.csv }
`;

/** Windows over rows that are generated, two kinds of them and a join, and proofs: nodes keep none of these rows. */
const GENERATED = `name: generated
domain: { replicas: 3 }
sources:
  bids: { generate: { nexmark: bids, events: 600000 }, time: { column: date_time } }
  auctions: { generate: { nexmark: auctions, events: 600000 }, time: { column: date_time } }
tasks:
  q5: { input: bids, window: { hop: 10s, every: 2s }, key: [auction], aggregate: { num: count() }, top: { rows: 1, by: num, per: [start, end], ties: true } }
  dear: { input: bids, filter: price > 9000000 }
  sold: { input: [dear, auctions], join: { on: { auction: id }, temporal: true } }
  sums: { input: auctions, window: { tumble: 1s }, key: [category], aggregate: { sum: sum(initial_bid), n: count() }, prove: window }
outputs:
  q5: { input: q5, file: q5.csv }
  sold: { input: sold, file: sold.csv }
  sums: { input: sums, file: sums.csv }
`;

/** Kills and restarts runs until `kills` kills hit one that was running; each run that ends has to say the same. */
async function torment(config: string, replicas: number, kills: number): Promise<{ killed: number; finished: number }> {
  const reference = await runJson(["run", config, "--replicas", String(replicas), "--out", folder.fresh("reference")]);
  const next = numbers(SEED + replicas);
  const spanMs = Math.round(Number(reference["seconds"]) * 1000);
  let killed = 0;
  let finished = 0;
  while (killed < kills) {
    const outDir = folder.fresh("out");
    const args = ["run", config, "--replicas", String(replicas), "--out", outDir, "--json"];
    const moments: number[] = [];
    for (let i = 0; i < KILLS_A_RUN; i++) {
      const afterMs = 150 + next(spanMs);
      moments.push(afterMs);
      const running = start(args);
      const timer = setTimeout(() => running.child.kill("SIGKILL"), afterMs);
      if ((await running.ended).code === null) killed++;
      clearTimeout(timer);
    }
    const ended = await run(args);
    const story = `seed ${SEED}, ${replicas} replicas, killed after ${moments.join(", ")} ms`;
    expect(ended.code, `${story}: ${ended.stderr}`).toBe(0);
    expect(lastJson(ended)["result"], story).toBe(reference["result"]);
    await audit(outDir);
    finished++;
  }
  return { killed, finished };
}

describe("runs that are killed again and again", () => {
  it.each([
    [1, 6],
    [3, 6],
  ])("end with the same result, with %i replicas", { timeout: 280_000 }, async (replicas, kills) => {
    const config = await writeSmall(folder.path, { rows: 40_000, replicas: 3, quorum: 2, prove: 1 });
    expect((await torment(config, replicas, kills)).killed).toBeGreaterThanOrEqual(kills);
  });

  it("end with the same result with windows of every kind and a join", { timeout: 120_000 }, async () => {
    await writeFile(join(folder.path, "streams.csv"), smallCsv(300_000));
    const config = join(folder.path, "streams.yaml");
    await writeFile(config, STREAMS);
    expect((await torment(config, 1, 3)).killed).toBeGreaterThanOrEqual(3);
  });

  it("end with the same result over generated rows", { timeout: 200_000 }, async () => {
    const config = join(folder.path, "generated.yaml");
    await writeFile(config, GENERATED);
    expect((await torment(config, 3, 1)).killed).toBeGreaterThanOrEqual(1);
  });

  it("end with the same result over the whole example", { timeout: 280_000 }, async () => {
    expect((await torment(FLIGHTS, 1, 3)).killed).toBeGreaterThanOrEqual(3);
  });
});
