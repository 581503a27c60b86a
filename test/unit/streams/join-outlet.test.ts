import { type Observable, tap } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import type { Checkpointer, CreditPool, Flow, SavedPlaces } from "../../../src/streams/index.ts";
import {
  drain,
  eventTime,
  hop,
  intervalJoin,
  isBatch,
  join,
  keyBy,
  source,
  temporalJoin,
  tumble,
  union,
  windowJoin,
} from "../../../src/streams/index.ts";
import { batchesOf, leavesOf } from "../../property/streams/reference.ts";
import { KeptSavepoints } from "../../support/kept-savepoints.ts";
import { schema } from "../../support/slow-sinks.ts";

type Two = { readonly left: Observable<Flow>; readonly right: Observable<Flow> };

/** Rows of a side, one microsecond apart: of one key, but for those that have none beside. */
function rowsFrom(at: number, count: number, key: number, alone: number): Value[][] {
  return Array.from({ length: count }, (_, i) => [BigInt(at + i), BigInt(i < alone ? 1000 + i : key), BigInt(i)]);
}

/** Far more pairs than credits: 200 rows of a key on either side are ten batches of them. */
const JOINS: Readonly<Record<string, (two: Two) => Observable<Flow>>> = {
  interval: (two) => intervalJoin(two, { before: "1s", after: "1s" }) as Observable<Flow>,
  "interval, with rows alone": (two) => intervalJoin(two, { before: "1s", after: "1s", kind: "full" }) as never,
  regular: (two) => join(two, { kind: "left" }) as Observable<Flow>,
  window: (two) => windowJoin({ ...two, left: two.left.pipe(tumble("400us")) as never }, { kind: "full" }) as never,
  "window, of many": (two) => windowJoin({ ...two, left: two.left.pipe(hop("400us", "200us")) as never }) as never,
  temporal: (two) => temporalJoin(two, { kind: "left" }) as Observable<Flow>,
  union: (two) => union(two) as Observable<Flow>,
};
const TABLES = {
  few: [rowsFrom(0, 500, 7, 100), rowsFrom(3, 500, 7, 120)],
  // Left rows wait for a watermark that comes at once: of a temporal join they come out together.
  many: [rowsFrom(0, 30_000, 7, 5), [...rowsFrom(0, 3, 7, 0), ...rowsFrom(100_000, 3, 8, 0)]],
} as const;

interface Options {
  readonly credits: number;
  readonly size: number;
  readonly checkpoints?: Checkpointer;
  readonly from?: SavedPlaces;
  readonly signal?: AbortSignal;
  readonly begun?: (batches: number) => void;
}

interface Seen {
  readonly done: Batch[];
  readonly pools: CreditPool[];
  /** Most batches that had come out and were not done. */
  waiting: number;
}

const nothing = (): Seen => ({ done: [], pools: [], waiting: 0 });

function inputsOf(
  name: string,
  size: number,
  each: (input: Observable<Flow>) => Observable<Flow>,
  options: object,
): Two {
  const tables = name === "temporal" || name === "union" ? TABLES.many : TABLES.few;
  const [left, right] = (["left", "right"] as const).map(
    (side, i) =>
      each(source(batchesOf(schema, tables[i] ?? [], size), { ...options, name: side }) as Observable<Flow>).pipe(
        eventTime("at", { outOfOrder: "0s" }) as never,
        keyBy("key") as never,
      ) as Observable<Flow>,
  ) as [Observable<Flow>, Observable<Flow>];
  return { left, right };
}

/** Runs a join into a slow sink. */
async function slow(name: string, seen: Seen, { size, begun, signal, ...options }: Options): Promise<void> {
  const watch = (input: Observable<Flow>): Observable<Flow> =>
    input.pipe(
      tap((item) => {
        if (!isBatch(item) && item.kind === "header") seen.pools.push(item.credits as CreditPool);
      }),
    );
  let came = 0;
  const out = (JOINS[name] as (two: Two) => Observable<Flow>)(inputsOf(name, size, watch, options)).pipe(
    tap((item) => {
      if (isBatch(item)) seen.waiting = Math.max(seen.waiting, ++came - seen.done.length);
    }),
  );
  const sink = async (batch: Batch): Promise<void> => {
    begun?.(seen.done.length);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    seen.done.push(batch);
  };
  const { checkpoints } = options;
  await drain(out, sink, {
    ...(checkpoints === undefined ? {} : { checkpoints }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What comes out where nothing keeps a batch. */
async function fast(name: string, size: number): Promise<string[]> {
  const found: Batch[] = [];
  const same = (input: Observable<Flow>): Observable<Flow> => input;
  await (JOINS[name] as (two: Two) => Observable<Flow>)(inputsOf(name, size, same, {})).forEach(
    (item) => void (isBatch(item) && found.push(item)),
  );
  return leavesOf(found);
}

/** The same rows; said shortly where they are not. */
function same(found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((row, i) => row !== found[i]);
  expect({ rows: found.length, at, row: found[at] }).toEqual({ rows: expected.length, at: -1, row: undefined });
}

describe("joins make pairs as there is room behind them", () => {
  it.each(Object.keys(JOINS))("%s: at most credits + 1 batches of an input are anywhere", async (name) => {
    const sizes = name === "temporal" || name === "union" ? [5000, 30_000] : [50, 500];
    for (const size of sizes) {
      const expected = await fast(name, size);
      expect(expected.length).toBeGreaterThan(5 * 4096);
      for (const credits of [1, 3, 16]) {
        const seen = nothing();
        await slow(name, seen, { credits, size });
        same(leavesOf(seen.done), expected);
        expect(seen.waiting).toBeLessThanOrEqual(credits);
        for (const { peak, inFlight } of seen.pools) {
          expect(peak).toBeLessThanOrEqual(credits + 1);
          expect(inFlight).toBe(0);
        }
      }
    }
  });

  it("punctuated inputs, whose batches are cut at each mark", async () => {
    for (const credits of [1, 3, 16]) {
      const pools: CreditPool[] = [];
      const cut = (name: string, from: number): Observable<Flow> =>
        (source(batchesOf(schema, rowsFrom(from, 300, 7, 0), 100), { name, credits }) as Observable<Flow>).pipe(
          tap((item) => {
            if (!isBatch(item) && item.kind === "header") pools.push(item.credits as CreditPool);
          }),
          eventTime("at", { punctuated: "at" }) as never,
          keyBy("key") as never,
        ) as Observable<Flow>;
      let rows = 0;
      await drain(union({ left: cut("left", 0), right: cut("right", 1) }), async (batch) => {
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        rows += batch.rows;
      });
      expect(rows).toBe(600);
      for (const { peak, inFlight } of pools) {
        // The cut and the union need a batch each.
        expect(peak).toBeLessThanOrEqual(Math.max(credits, 2) + 1);
        expect(inFlight).toBe(0);
      }
    }
  });

  it("a savepoint that comes between two pairs waits for the rest of the row or the window", async () => {
    for (const name of ["interval, with rows alone", "window", "temporal"]) {
      const size = name === "temporal" ? 30_000 : 100;
      const expected = await fast(name, size);
      const seen = nothing();
      const savepoints = new KeptSavepoints(() => seen.done.reduce((sum, { rows }) => sum + rows, 0));
      const { checkpoints, saved } = savepoints;
      const begun = (batches: number): void => {
        if (batches % 3 === 1) checkpoints.trigger();
      };
      await slow(name, seen, { credits: 2, size, checkpoints, begun });
      same(leavesOf(seen.done), expected);
      expect(saved.length).toBeGreaterThan(0);
      for (const { root, done } of saved) {
        const from = await savepoints.open(root);
        const rest = nothing();
        await slow(name, rest, { credits: 1, size, from });
        same(leavesOf(rest.done), expected.slice(done));
      }
    }
  });

  it("who leaves between two pairs gets no more, and all credits are back", async () => {
    for (const name of ["interval", "window", "temporal"]) {
      const stop = new AbortController();
      const seen = nothing();
      const begun = (batches: number): void => {
        if (batches === 2) stop.abort(new Error("stop"));
      };
      const run = slow(name, seen, {
        credits: 1,
        size: name === "temporal" ? 30_000 : 500,
        begun,
        signal: stop.signal,
      });
      await expect(run).rejects.toThrow("stop");
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(seen.done).toHaveLength(3);
      expect(seen.pools.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    }
  });
});
