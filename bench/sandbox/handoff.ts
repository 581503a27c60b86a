import { openLane } from "../../src/sandbox/lane.ts";
import { openLanes } from "../../src/sandbox/lane-pool.ts";
import { type Measured, median, rounded, type Tell } from "../harness.ts";
import { callsOf, FLIGHTS, flights, secondsOf, specOf } from "./batches.ts";
import { compileC } from "./compile.ts";
import { echoModule } from "./echo.ts";

const SMALL = { rows: 16, calls: 10_000 };
const LARGE = { rows: 87_000, calls: 400 };
const FILTER = { rows: 4096, batches: 64, calls: 8000 };

/** Batches handed to one lane and back, small and large, and a filter with a sum over columns, against the same in JavaScript. */
export async function handoff(rounds: number, tell: Tell): Promise<Measured> {
  await using lane = openLane();
  const large = [flights(LARGE.rows)];
  const small = [flights(SMALL.rows)];
  const columns = Array.from({ length: FILTER.batches }, (_, i) => flights(FILTER.rows, i));
  const sizeBytes = large[0]?.bytes.length ?? 0;
  const echo = await lane.load(specOf(await echoModule(), "rows"));
  const echoLarge = await lane.load(specOf(await echoModule(sizeBytes), "rows"));
  const filter = await lane.load(specOf(await compileC("filter.c"), "batch"));
  await checkFilter(filter, columns);
  const perSecond = { small: [] as number[], large: [] as number[], filter: [] as number[], script: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const spent = {
      small: SMALL.calls / (await secondsOf(echo, small, SMALL.calls)),
      large: (LARGE.calls * sizeBytes) / 1e9 / (await secondsOf(echoLarge, large, LARGE.calls)),
      filter: (FILTER.calls * FILTER.rows) / (await secondsOf(filter, columns, FILTER.calls)),
      script: scriptRowsPerSecond(columns),
    };
    // The first round warms the engine.
    if (round === 0) continue;
    for (const name of ["small", "large", "filter", "script"] as const) perSecond[name].push(spent[name]);
    tell(
      `hand-off ${round} of ${rounds}: ${Math.round(spent.small)} small/s, ${spent.large.toFixed(2)} GB/s, ${Math.round(spent.filter / 1e6)} M rows/s, JavaScript ${Math.round(spent.script / 1e6)} M rows/s`,
    );
  }
  const ratio = median(perSecond.filter.map((value, i) => value / (perSecond.script[i] ?? 1)));
  return {
    metrics: {
      handoff_small_per_s: Math.round(median(perSecond.small)),
      handoff_large_gb_s: rounded(median(perSecond.large)),
      filter_sum_rows_s: Math.round(median(perSecond.filter)),
      filter_sum_vs_js: rounded(ratio),
    },
    notes: {
      handoff_small_per_s: `batches of ${SMALL.rows} rows to one lane, through an empty module and back`,
      handoff_large_gb_s: `batches of ${(sizeBytes / 1e6).toFixed(2)} MB; bytes are counted once, and come back as well`,
      filter_sum_rows_s: `filter and sum over batches of ${FILTER.rows} rows in one lane, metered, batch in to batch out`,
      filter_sum_vs_js: "times JavaScript that makes an object of each row, then filters and reduces",
    },
  };
}

type Columns = ReturnType<typeof flights>;

/** What a page on JavaScript would do with the same batch. */
function scriptSum({ rows, columns }: Columns): number {
  const [delay, distance] = columns;
  return Array.from({ length: rows }, (_, i) => ({
    delay: delay?.values[i] as number,
    distance: distance?.values[i] as number,
  }))
    .filter((row) => row.delay > 15)
    .map((row) => row.distance)
    .reduce((sum, value) => sum + value, 0);
}

function scriptRowsPerSecond(batches: readonly Columns[]): number {
  const start = performance.now();
  let sum = 0;
  for (let turn = 0; turn < 8; turn++) for (const batch of batches) sum += scriptSum(batch);
  if (!(sum > 0)) throw new Error("the sum is not positive");
  return (8 * batches.length * FILTER.rows * 1000) / (performance.now() - start);
}

async function checkFilter(filter: Parameters<typeof secondsOf>[0], batches: readonly Columns[]): Promise<void> {
  let at = 0;
  for await (const { batch } of filter.processAll(callsOf(batches, batches.length))) {
    const sum = batch.column("sum").values[0];
    const wanted = scriptSum(batches[at++] as Columns);
    if (sum !== wanted) throw new Error(`the module's sum is ${sum}, not ${wanted}`);
  }
}

/** How long an endless loop runs over 4096 rows under the policy `standard`, and what another module in the pool notices of it. */
export async function runaway(rounds: number, tell: Tell): Promise<Measured> {
  await using lanes = openLanes({ lanes: 2 });
  const loop = await lanes.load(specOf(await echoModule(FLIGHTS.fields.length * 65_536, true), "rows"));
  const echo = await lanes.load(specOf(await echoModule(), "rows"));
  const full = flights(4096);
  const small = flights(16);
  const [call] = callsOf([small], 1);
  const context = call?.context ?? { firstRow: 0, seed: new Uint8Array(32) };
  await loop.outputSchema(FLIGHTS);
  await Promise.all(Array.from({ length: 500 }, () => echo.process(small, context)));
  const stops: number[] = [];
  const waits: number[] = [];
  for (let round = 0; round <= 3 * rounds; round++) {
    const start = performance.now();
    let isOver = false;
    const stopped = loop.process(full, context).then(
      () => "an output",
      (error: { code?: string }) => error.code,
    );
    void stopped.then(() => {
      isOver = true;
      if (round > 0) stops.push(performance.now() - start);
    });
    while (!isOver) {
      const asked = performance.now();
      await echo.process(small, context);
      if (round > 0) waits.push(performance.now() - asked);
    }
    const code = await stopped;
    if (code !== "MODULE_FUEL_EXHAUSTED") throw new Error(`the runaway ended with ${code}`);
  }
  waits.sort((a, b) => a - b);
  const late = waits[Math.floor(waits.length * 0.99)] ?? 0;
  tell(`runaway: stopped after ${median(stops).toFixed(1)} ms, ${waits.length} calls of another module meanwhile`);
  return {
    metrics: { runaway_stop_ms: rounded(median(stops)), runaway_others_p99_ms: rounded(late) },
    notes: {
      runaway_stop_ms: "an endless loop over 4096 rows at trust: standard, stopped by its fuel",
      runaway_others_p99_ms: "99 of 100 calls of another module in the same pool came back within, one after the other",
    },
  };
}
