import { join } from "node:path";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { lanesFor, openLanes } from "../../src/sandbox/lane-pool.ts";
import { POLICIES } from "../../src/sandbox/policy.ts";
import { type Measured, median, ROOT, type Tell } from "../harness.ts";
import { secondsOf } from "./batches.ts";
import { compileWasi } from "./compile.ts";

const ROWS = 4096;
const CALLS = 100;
// As a configuration declares columns: they may be null.
const SMALL = [
  { name: "date", type: "timestamp", nullable: true },
  { name: "delay", type: "i64", nullable: true },
  { name: "distance", type: "i64", nullable: true },
  { name: "origin", type: "dict", nullable: true },
  { name: "destination", type: "dict", nullable: true },
] as const;
const AIRPORTS = ["ATL", "BOS", "DEN", "JFK", "LAX", "ORD", "SFO"];

/** Rows through a C program for shells, as it is: NDJSON on its standard input, NDJSON from its standard output, in the lanes of one node. */
export async function wasi(rounds: number, tell: Tell): Promise<Measured> {
  const bytes = await compileWasi(join(ROOT, "examples", "wasi-c", "late.c"));
  const writer = new BatchWriter(schemaOf(SMALL), { shared: true });
  for (let i = 0; i < ROWS; i++) {
    const airport = (at: number): string => AIRPORTS[at % AIRPORTS.length] ?? "";
    writer.push([
      BigInt(i) * 61_000_000n,
      BigInt(((i * 7919) % 90) - 30),
      BigInt((i * 31) % 2500),
      airport(i),
      airport(i * 3 + 1),
    ]);
  }
  const batch = writer.take();
  await using lane = openLanes({ lanes: lanesFor(1) });
  const program = await lane.load({
    ...POLICIES.standard,
    bytes,
    cid: "bench-wasi",
    abi: "wasi/1",
    kind: "rows",
    columns: schemaOf([...SMALL, { name: "hour", type: "i32", nullable: true }]),
    stdin: "ndjson",
    timeoutMs: 60_000,
  });
  const speeds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const speed = (CALLS * ROWS) / (await secondsOf(program, [batch], CALLS));
    // The first round warms the engine.
    if (round === 0) continue;
    speeds.push(speed);
    tell(`wasi ${round} of ${rounds}: ${(speed / 1e6).toFixed(2)} M rows/s`);
  }
  return {
    metrics: { wasi_rows_s: Math.round(median(speeds)) },
    notes: {
      wasi_rows_s:
        "examples/wasi-c/late.c, unmodified: rows to NDJSON, through the program, back to rows, a lane a core",
    },
  };
}
