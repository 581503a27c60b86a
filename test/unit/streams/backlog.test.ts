import type { CID } from "multiformats/cid";
import { Observable, Subject, tap } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { sha256 } from "../../../src/node.ts";
import type { CreditPool, Flow, Row, SavedPlaces, SourceItem } from "../../../src/streams/index.ts";
import {
  aggregate,
  Checkpointer,
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
  mapBatch,
  openSavepoint,
  CreditPool as Pool,
  session,
  source,
  sum,
  topN,
  tumble,
} from "../../../src/streams/index.ts";
import { batchesOf } from "../../property/streams/reference.ts";

const schema = columns({ at: "timestamp", key: "i64", amount: "i64" });
const numbers = columns({ n: "i64" });
const KEYS = 60;
const BATCH_ROWS = 3;

type Pipe = (input: Observable<Flow>) => Observable<Flow>;

/** Every key at each of the times, in batches of one time. */
function everyKey(...times: readonly number[]): Batch[] {
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
const spread: Pipe = (input) =>
  input.pipe(flatMap(() => Array.from({ length: 10_000 }, (_, n) => ({ n: BigInt(n) })), numbers)) as Observable<Flow>;
const best: Pipe = (input) => input.pipe(topN(100_000, { by: "n", order: "asc" })) as Observable<Flow>;

const TIMES = [1, 4, 12, 13, 30, 31, 50, 52, 70, 90];
const PIPES: Readonly<Record<string, Pipe>> = {
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
const INPUT = [...everyKey(...TIMES.slice(0, 6)), ...everyKey(29, 49, 28), ...everyKey(...TIMES.slice(6))];

interface Run {
  readonly credits: number;
  readonly checkpoints?: Checkpointer;
  readonly from?: SavedPlaces;
  readonly signal?: AbortSignal;
  /** Called as the sink begins with a batch. */
  readonly begun?: (batches: number) => void;
  readonly input?: readonly SourceItem[];
}

interface Seen {
  readonly batches: Batch[];
  pool: CreditPool | undefined;
  /** Most batches that had come out and were not done. */
  waiting: number;
  /** Batches that the source had given as each batch came out. */
  readonly given: number[];
}

/** Runs a pipeline into a slow sink. */
async function slow(pipe: Pipe, seen: Seen, { input = INPUT, begun, signal, ...options }: Run): Promise<void> {
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

const nothing = (): Seen => ({ batches: [], pool: undefined, waiting: 0, given: [] });
const bytesOf = (batches: readonly Batch[]): string[] => batches.map(({ bytes }) => Buffer.from(bytes).toString("hex"));

/** What comes out where nothing keeps a batch. */
async function fast(pipe: Pipe, input: readonly SourceItem[] = INPUT): Promise<Batch[]> {
  const found: Batch[] = [];
  await pipe(source(input)).forEach((item) => void (isBatch(item) && found.push(item)));
  return found;
}

async function keepsToCredits(pipe: Pipe, input: readonly SourceItem[]): Promise<string[]> {
  const expected = bytesOf(await fast(pipe, input));
  let given: readonly number[] | undefined;
  for (const credits of [1, 3, 16]) {
    const seen = nothing();
    await slow(pipe, seen, { credits, input });
    expect(bytesOf(seen.batches)).toEqual(expected);
    expect(seen.waiting).toBeLessThanOrEqual(credits);
    expect(seen.pool?.peak).toBeLessThanOrEqual(credits + 1);
    expect(seen.pool?.inFlight).toBe(0);
    // The source waits until all that its last batch comes to has come out.
    expect(seen.given).toEqual((given ??= seen.given));
  }
  return expected;
}

describe("operators that make many batches of one: at most credits + 1 are anywhere, and all come out as they do", () => {
  it.each(Object.entries(PIPES))("%s", async (_, pipe) => {
    expect((await keepsToCredits(pipe, INPUT)).length).toBeGreaterThan(75);
  });

  it("flatMap, which cuts what it makes by rows and by bytes", async () => {
    const input = batchesOf(
      schema,
      [1n, 2n, 3n, 4n].map((n) => [n, n, n]),
      1,
      3,
    );
    expect((await fast(spread, input)).map(({ rows }) => rows)).toEqual([
      ...[4096, 4096, 10_000 - 2 * 4096],
      ...[...Array.from({ length: 7 }, () => 4096), 30_000 - 7 * 4096],
    ]);
    await keepsToCredits(spread, input);
    const wide = columns({ text: "utf8" });
    const texts: Pipe = (stream) =>
      stream.pipe(flatMap(() => Array.from({ length: 200 }, () => ({ text: "x".repeat(20_000) })), wide)) as never;
    expect((await fast(texts, input.slice(0, 1))).map(({ rows }) => rows)).toEqual([64, 64, 64, 8]);
  });

  it("topN", async () => {
    const rows = Array.from({ length: 20_000 }, (_, n): Value[] => [BigInt(n)]);
    expect(await keepsToCredits(best, batchesOf(numbers, rows, 9000))).toHaveLength(5);
    const groups: Pipe = (input) => input.pipe(topN(9000, { by: "n", order: "asc", per: ["n"] })) as never;
    expect(await keepsToCredits(groups, batchesOf(numbers, rows, 9000))).toHaveLength(8);
  });

  it("mapBatch", async () => {
    const several: Pipe = (input) =>
      input.pipe(
        mapBatch(
          function* (batch) {
            for (let copy = 0; copy < 30; copy++) yield batch;
          },
          { concurrency: 2 },
        ),
      );
    for (const credits of [1, 3, 16]) {
      const seen = nothing();
      await slow(several, seen, { credits, input: everyKey(1, 2, 3, 4, 5) });
      expect(seen.batches).toHaveLength(150);
      expect(seen.waiting).toBeLessThanOrEqual(credits);
      expect(seen.pool?.peak).toBeLessThanOrEqual(credits + 1);
      expect(seen.pool?.inFlight).toBe(0);
    }
  });

  it("one behind the other, where there is a credit for each", async () => {
    const times = (length: number) =>
      flatMap((row: Row) => Array.from({ length }, () => ({ n: row["n"] as bigint })), numbers);
    const chain: Pipe = (input) => (PIPES["tumble"] as Pipe)(input).pipe(times(1500), times(3)) as never;
    const input = batchesOf(
      schema,
      [0, 1, 2, 3, 4, 5].map((key): Value[] => [1n, BigInt(key), 0n]),
      6,
    );
    const expected = bytesOf(await fast(chain, input));
    expect(expected.length).toBeGreaterThan(7);
    for (const credits of [1, 2, 3, 16]) {
      const seen = nothing();
      await slow(chain, seen, { credits, input });
      expect(bytesOf(seen.batches)).toEqual(expected);
      expect(seen.pool?.peak).toBeLessThanOrEqual(Math.max(credits, 3) + 1);
      expect(seen.pool?.inFlight).toBe(0);
    }
  });
});

describe("while what an operator makes waits", () => {
  const paused = PIPES["tumble"] as Pipe;

  it("a savepoint has all of it before, and goes on behind it", async () => {
    for (const name of ["tumble", "hop, taken back", "session", "globalWindow"]) {
      const pipe = PIPES[name] as Pipe;
      const expected = bytesOf(await fast(pipe));
      const blocks = new Map<string, Uint8Array>();
      const saved: { readonly root: CID; readonly done: number }[] = [];
      const seen = nothing();
      const checkpoints = new Checkpointer({
        hash: sha256,
        store: {
          put: (cid, bytes) => void blocks.set(cid.toString(), bytes),
          get: (cid) => blocks.get(cid.toString()) as Uint8Array,
        },
        stored: (_, root) => void saved.push({ root, done: seen.batches.length }),
      });
      const begun = (batches: number): void => {
        if (batches % 40 === 7) checkpoints.trigger();
      };
      await slow(pipe, seen, { credits: 3, checkpoints, begun });
      expect(bytesOf(seen.batches)).toEqual(expected);
      expect(saved.length).toBeGreaterThan(1);
      for (const { root, done } of saved) {
        const from = await openSavepoint(root, sha256, async (cid) => blocks.get(cid.toString()) as Uint8Array);
        const rest = nothing();
        await slow(pipe, rest, { credits: 1, from });
        expect(bytesOf(rest.batches)).toEqual(expected.slice(done));
      }
    }
  });

  it("a savepoint that is asked for from within waits for the rest as well", async () => {
    const items: string[] = [];
    const checkpoints = new Checkpointer({
      hash: sha256,
      store: { put: () => undefined, get: () => new Uint8Array(0) },
    });
    await paused(source(everyKey(1, 20), { checkpoints })).forEach((item) => {
      if (isBatch(item) && items.length === 3) checkpoints.trigger();
      items.push(isBatch(item) ? "rows" : item.kind);
    });
    const rows = Array.from({ length: KEYS / BATCH_ROWS }, () => "rows");
    expect(items).toEqual(["header", ...rows, "barrier", ...rows, "end"]);
  });

  it("an error before it, and one who leaves, end it with all credits back", async () => {
    for (const who of ["source", "drain"] as const) {
      const stop = new AbortController();
      const seen = nothing();
      const begun = (batches: number): void => {
        if (batches === 5) stop.abort(new Error("stop"));
      };
      const base = who === "source" ? (input: Observable<Flow>) => paused(stopped(input, stop.signal)) : paused;
      const run = slow(base, seen, { credits: 3, begun, ...(who === "drain" ? { signal: stop.signal } : {}) });
      await expect(run, who).rejects.toThrow("stop");
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(seen.batches, who).toHaveLength(6);
      expect(seen.pool?.inFlight, who).toBe(0);
    }
  });

  it("items of one who cannot be stopped wait in order, with their credits", async () => {
    for (const leave of ["end", "error", "unsubscribe"] as const) {
      const feed = new Subject<Flow>();
      const pool = new Pool(3);
      const kinds: string[] = [];
      const gate = Promise.withResolvers<void>();
      const stop = new AbortController();
      const run = drain(
        paused(feed),
        async () => {
          kinds.push("rows");
          await gate.promise;
        },
        { control: ({ kind }) => void kinds.push(kind), signal: stop.signal },
      );
      const failed = run.then(
        () => undefined,
        (error: unknown) => error,
      );
      feed.next({ kind: "header", credits: pool });
      for (const batch of everyKey(1, 20, 40)) feed.next(batch);
      feed.next({ kind: "watermark", timeUs: 60 });
      feed.next({ kind: "idle", untilUs: 70 });
      feed.next({ kind: "end" });
      // The one with windows to write, one that waits behind it, and what has come out meanwhile.
      expect(pool.inFlight).toBe(1 + 1 + 2);
      if (leave === "unsubscribe") stop.abort(new Error("left"));
      else if (leave === "error") feed.error(new Error("broken"));
      else feed.complete();
      gate.resolve();
      expect(await failed).toEqual(leave === "end" ? undefined : new Error(leave === "error" ? "broken" : "left"));
      expect(pool.inFlight).toBe(0);
      const rows = Array.from({ length: (3 * KEYS) / BATCH_ROWS }, () => "rows");
      if (leave === "end") expect(kinds).toEqual(["header", ...rows, "idle", "end"]);
    }
  });

  it("an error of its own says where it happened, and ends the rows that made it", async () => {
    let closed = 0;
    function* made(): Generator<{ n: bigint }> {
      try {
        for (let n = 0n; ; n++) yield { n: n < 30_000n ? n : 2n ** 70n };
      } finally {
        closed++;
      }
    }
    for (const stops of [false, true]) {
      const stop = new AbortController();
      const seen = nothing();
      const pipe: Pipe = (input) => input.pipe(flatMap(made, numbers)) as never;
      const begun = (batches: number): void => {
        if (stops && batches === 2) stop.abort(new Error("stop"));
      };
      const run = slow(pipe, seen, { credits: 1, input: everyKey(1), begun, signal: stop.signal });
      if (stops) await expect(run).rejects.toThrow("stop");
      else
        await expect(run).rejects.toMatchObject({
          code: "VALUE_MISFIT",
          where: expect.stringContaining("input/1 flatMap"),
        });
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(seen.pool?.inFlight).toBe(0);
      expect(seen.batches.length).toBeLessThan(8);
    }
    expect(closed).toBe(2);
  });

  it("timers get their turn", async () => {
    let fired = -1;
    let batches = 0;
    await drain(paused(source(everyKey(0, 10, 20, 30, 40, 50, 60, 70, 80, 90))), () => {
      if (batches++ === 0) setImmediate(() => (fired = batches));
    });
    expect(fired).toBeGreaterThan(0);
    expect(fired).toBeLessThan(batches / 2);
    expect(batches).toBe((10 * KEYS) / BATCH_ROWS);
  });
});

/** Fails with a signal's reason, whatever the source does. */
function stopped(input: Observable<Flow>, signal: AbortSignal): Observable<Flow> {
  return new Observable<Flow>((out) => {
    signal.addEventListener("abort", () => out.error(signal.reason));
    return input.subscribe(out);
  });
}
