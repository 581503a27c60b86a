import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeEvents } from "../examples/nexmark/generate.ts";
import { type Measured, measure, type Tell } from "./harness.ts";

const EVENTS = 400_000;
const BIDS = (EVENTS / 50) * 46;

const TASKS = {
  q5: `  q5: { input: bids, window: { hop: 10s, every: 2s }, key: [auction], aggregate: { num: count() }, top: { rows: 1, by: num, per: [start, end] } }`,
  q7: `  dearest: { input: bids, window: { tumble: 10s }, aggregate: { price: max(price) }, time: { column: end } }
  q7: { input: [dearest, bids], join: { on: [price], before: 10s }, filter: date_time < end }`,
} as const;

/**
 * Whole runs of two queries of Nexmark over full-width bids as NDJSON, journal, checkpoints, certificate and receipt included: rows of
 * input a second of the whole process, its start too.
 */
export async function streamsNexmark(rounds: number, tell: Tell): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-nexmark-"));
  try {
    await writeEvents(EVENTS, join(folder, "data"));
    const metrics: Record<string, number> = {};
    for (const query of ["q5", "q7"] as const) {
      const path = join(folder, `${query}.yaml`);
      await writeFile(path, configOf(query));
      const seconds: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const run = await measure([
          "bin/ipdm-runtime.js",
          "run",
          path,
          "--json",
          "--out",
          join(folder, `${query}-${round}`),
        ]);
        seconds.push(run.seconds);
        tell(`${query}: ${run.seconds.toFixed(2)} s`);
      }
      seconds.sort((a, b) => a - b);
      metrics[`nexmark_${query}_run_rows_s`] = Math.round(BIDS / (seconds[seconds.length >> 1] ?? 1));
    }
    return { metrics, notes: { nexmark_q5_run_rows_s: `${BIDS} bids as NDJSON, from the program's start to its end` } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configOf(query: keyof typeof TASKS): string {
  return `name: nexmark
sources:
  bids:
    file: ./data/bids.ndjson
    columns: { auction: i64, bidder: i64, price: i64, channel: utf8, url: utf8, date_time: timestamp }
    time: { column: date_time, outOfOrder: 0s }
tasks:
${TASKS[query]}
outputs:
  table: { input: ${query}, file: table.csv }
`;
}
