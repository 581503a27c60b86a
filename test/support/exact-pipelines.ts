import { createHash } from "node:crypto";
import type { Observable } from "rxjs";
import type { Batch } from "../../src/batch/batch.ts";
import { RowEncoder } from "../../src/batch/rows.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import type { Flow } from "../../src/streams/index.ts";
import {
  aggregate,
  approxDistinct,
  col,
  columns,
  count,
  cumulate,
  dedup,
  drain,
  eventTime,
  filter,
  first,
  hop,
  intervalJoin,
  keyBy,
  last,
  max,
  mean,
  min,
  quantile,
  scan,
  session,
  source,
  sum,
  temporalJoin,
  topN,
  tumble,
  union,
  variance,
  windowJoin,
  withColumns,
} from "../../src/streams/index.ts";
import { Random } from "../simulation/actors/random.ts";

const schema = columns({ at: "timestamp", key: "dict?", amount: "f64", whole: "i64?" });
const ROWS = 8_000;

/** Rows with disorder, duplicates, late ones and a silence in the middle. */
function rows(seed: number): (bigint | string | number | null)[][] {
  const random = new Random(seed);
  const next = (below: number): number => random.below(below);
  const made: (bigint | string | number | null)[][] = [];
  for (let i = 0; made.length < ROWS; i++) {
    const at = 1000 * i + (i > 3_000 ? 3_000_000 : 0) - (next(50) === 0 ? next(400_000) : next(20_000));
    const row = [
      BigInt(at),
      next(40) === 0 ? null : `key ${next(60)}`,
      next(1_000_000) / 997,
      next(9) === 0 ? null : BigInt(next(1000) - 500),
    ];
    made.push(row);
    if (next(30) === 0) made.push(row);
  }
  return made;
}

const tables = [rows(1), rows(2)] as const;

function* cut(table: (typeof tables)[0], size: number): Generator<Batch> {
  const writer = new BatchWriter(schema);
  for (const row of table) {
    writer.push(row);
    if (writer.rows === size) yield writer.take();
  }
  if (writer.rows > 0) yield writer.take();
}

const rich = {
  n: count(),
  amount: sum("amount"),
  whole: sum("whole"),
  mean: mean("amount"),
  low: min("amount"),
  high: max("whole"),
  first: first("amount"),
  last: last("whole"),
  spread: variance("amount"),
  about: approxDistinct("amount"),
  median: quantile("amount", 0.5),
};

type Two = readonly [Observable<Flow>, Observable<Flow>];
/** Pipelines of every operator, over two inputs. */
export const PIPELINES: Readonly<Record<string, (two: Two) => Observable<Flow>>> = {
  tumble: ([one]) => one.pipe(tumble("1s", { lateness: "100ms", emit: "retract" }), aggregate(rich)),
  hop: ([one]) => one.pipe(hop("1s", "250ms", { offset: "10ms" }), aggregate(rich)),
  cumulate: ([one]) => one.pipe(cumulate("2s", "500ms"), aggregate(rich)),
  session: ([one]) => one.pipe(session("60ms", { lateness: "50ms" }), aggregate(rich)),
  sessionRetract: ([one]) => one.pipe(session("60ms", { lateness: "200ms", emit: "retract" }), aggregate(rich)),
  chain: ([left, right]) =>
    union({ left, right }).pipe(
      withColumns({ more: col("whole").times(3).plus(col("amount")) }),
      filter(col("more").gt(0)),
      dedup({ within: "20ms" }),
      scan({ running: sum("amount"), rows: count() }),
      tumble("500ms"),
      aggregate({ n: count(), most: max("running") }),
      topN(3, { by: "most", per: ["end"] }),
    ),
  interval: ([left, right]) => intervalJoin({ left, right }, { before: "5ms", after: "20ms", kind: "full" }),
  window: ([left, right]) => windowJoin({ left: left.pipe(tumble("100ms")), right }, { kind: "left" }),
  temporal: ([left, right]) => temporalJoin({ left, right }, { kind: "left" }),
};

/** SHA-256 of the canonical bytes of all rows that come out, for input in batches of a size and a number of credits. */
export async function digest(pipeline: (two: Two) => Observable<Flow>, size: number, credits: number): Promise<string> {
  const input = (index: 0 | 1): Observable<Flow> =>
    source(cut(tables[index], size), { name: String(index), credits, schema }).pipe(
      eventTime("at", { outOfOrder: "20ms" }),
      keyBy("key"),
    ) as Observable<Flow>;
  const hash = createHash("sha256");
  const encoder = new RowEncoder();
  await drain(pipeline([input(0), input(1)]), (batch) => {
    for (let row = 0; row < batch.rows; row++) hash.update(encoder.encode(batch, row));
  });
  return hash.digest("hex");
}
