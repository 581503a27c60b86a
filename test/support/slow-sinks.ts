import { type Observable, tap } from "rxjs";
import type { Batch } from "../../src/batch/batch.ts";
import type { Value } from "../../src/batch/column.ts";
import type { CreditPool, Flow, SavedPlaces, SourceItem } from "../../src/streams/index.ts";
import {
  aggregate,
  type Checkpointer,
  columns,
  count,
  countWindow,
  cumulate,
  drain,
  eventTime,
  flatMap,
  globalWindow,
  hop,
  isBatch,
  keyBy,
  session,
  source,
  sum,
  topN,
  tumble,
} from "../../src/streams/index.ts";
import { batchesOf } from "../property/streams/reference.ts";

export const schema = columns({ at: "timestamp", key: "i64", amount: "i64" });
export const numbers = columns({ n: "i64" });
export const KEYS = 60;
export const BATCH_ROWS = 3;

export type Pipe = (input: Observable<Flow>) => Observable<Flow>;

/** Every key at each of the times, in batches of one time. */
export function everyKey(...times: readonly number[]): Batch[] {
  const rows = times.flatMap((at) =>
    Array.from({ length: KEYS }, (_, key): Value[] => [BigInt(at), BigInt(key), BigInt(at * key)]),
  );
  return batchesOf(schema, rows, KEYS);
}

const windows =
  (shape: (input: Observable<Flow>) => Observable<Flow>): Pipe =>
  (input) =>
    shape(input.pipe(eventTime("at", { outOfOrder: "2us" }), keyBy("key")) as Observable<Flow>).pipe(
      aggregate({ n: count(), total: sum("amount") }, { batchRows: BATCH_ROWS }),
    ) as Observable<Flow>;
export const spread: Pipe = (input) =>
  input.pipe(flatMap(() => Array.from({ length: 10_000 }, (_, n) => ({ n: BigInt(n) })), numbers)) as Observable<Flow>;
export const best: Pipe = (input) => input.pipe(topN(100_000, { by: "n", order: "asc" })) as Observable<Flow>;

const TIMES = [1, 4, 12, 13, 30, 31, 50, 52, 70, 90];
export const PIPES: Readonly<Record<string, Pipe>> = {
  tumble: windows((input) => input.pipe(tumble("10us")) as Observable<Flow>),
  "tumble, taken back": windows((input) => input.pipe(tumble("10us", { lateness: "40us", emit: "retract" })) as never),
  hop: windows((input) => input.pipe(hop("10us", "5us")) as Observable<Flow>),
  "hop, taken back": windows((input) => input.pipe(hop("10us", "5us", { lateness: "9us", emit: "retract" })) as never),
  cumulate: windows((input) => input.pipe(cumulate("10us", "5us", { emit: "upsert" })) as Observable<Flow>),
  session: windows((input) => input.pipe(session("6us")) as Observable<Flow>),
  "session, taken back": windows((input) => input.pipe(session("6us", { lateness: "9us", emit: "retract" })) as never),
  countWindow: windows((input) => input.pipe(countWindow(4)) as Observable<Flow>),
  globalWindow: windows((input) => input.pipe(globalWindow({ everyTime: "25us" })) as Observable<Flow>),
};
export const INPUT = [...everyKey(...TIMES.slice(0, 6)), ...everyKey(29, 49, 28), ...everyKey(...TIMES.slice(6))];

export interface Run {
  readonly credits: number;
  readonly checkpoints?: Checkpointer;
  readonly from?: SavedPlaces;
  readonly signal?: AbortSignal;
  /** Called as the sink begins with a batch. */
  readonly begun?: (batches: number) => void;
  readonly input?: readonly SourceItem[];
}

export interface Seen {
  readonly batches: Batch[];
  pool: CreditPool | undefined;
  /** Most batches that had come out and were not done. */
  waiting: number;
  /** Batches that the source had given as each batch came out. */
  readonly given: number[];
}

/** Runs a pipeline into a slow sink. */
export async function slow(pipe: Pipe, seen: Seen, { input = INPUT, begun, signal, ...options }: Run): Promise<void> {
  let given = 0;
  let came = 0;
  function* counted(): Generator<SourceItem> {
    for (const each of input) {
      given++;
      yield each;
    }
  }
  const watched = source(counted(), options).pipe(
    tap((item) => {
      if (!isBatch(item) && item.kind === "header") seen.pool = item.credits as CreditPool;
    }),
  ) as Observable<Flow>;
  const out = pipe(watched).pipe(
    tap((item) => {
      if (!isBatch(item)) return;
      seen.given.push(given);
      seen.waiting = Math.max(seen.waiting, ++came - seen.batches.length);
    }),
  );
  const sink = async (batch: Batch): Promise<void> => {
    begun?.(seen.batches.length);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    seen.batches.push(batch);
  };
  const { checkpoints } = options;
  await drain(out, sink, {
    ...(checkpoints === undefined ? {} : { checkpoints }),
    ...(signal === undefined ? {} : { signal }),
  });
}

export const nothing = (): Seen => ({ batches: [], pool: undefined, waiting: 0, given: [] });
export const bytesOf = (batches: readonly Batch[]): string[] =>
  batches.map(({ bytes }) => Buffer.from(bytes).toString("hex"));

/** What comes out where nothing keeps a batch. */
export async function fast(pipe: Pipe, input: readonly SourceItem[] = INPUT): Promise<Batch[]> {
  const found: Batch[] = [];
  await pipe(source(input)).forEach((item) => void (isBatch(item) && found.push(item)));
  return found;
}
