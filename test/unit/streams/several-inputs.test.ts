import { setImmediate } from "node:timers/promises";
import { filter, type Observable, Subject, take, tap } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import type { CreditPool, Flow, Header, SavedPlaces, Step } from "../../../src/streams/index.ts";
import {
  drain,
  eventTime,
  intervalJoin,
  isBatch,
  join,
  keyBy,
  source,
  tumble,
  union,
  windowJoin,
} from "../../../src/streams/index.ts";
import { batchesOf, leavesOf, rowsOf } from "../../property/streams/reference.ts";
import { KeptSavepoints } from "../../support/kept-savepoints.ts";
import { schema } from "../../support/slow-sinks.ts";

const HEADER: Header = { kind: "header", time: { column: "at", outOfOrderUs: 0 }, keys: ["key"] };

function batchOf(...rows: readonly (readonly [at: number, key: number, amount: number])[]): Batch {
  const values = rows.map(([at, key, amount]): Value[] => [BigInt(at), BigInt(key), BigInt(amount)]);
  return batchesOf(schema, values, rows.length)[0] as Batch;
}

function ofOneKey(count: number, step = 1, from = 0): Value[][] {
  return Array.from({ length: count }, (_, i) => [BigInt(from + i * step), 7n, BigInt(i)]);
}

function prepared(stream: Observable<Flow>): Observable<Flow> {
  return stream.pipe(eventTime("at", { outOfOrder: "0s" }) as never, keyBy("key") as never) as Observable<Flow>;
}

function input(name: string, rows: readonly Value[][], size: number, options: object = {}): Observable<Flow> {
  return prepared(source(batchesOf(schema, rows, size), { name, ...options }) as Observable<Flow>);
}

/** The numbers in the last column of what comes out. */
function amountsOf(item: Flow, column = 2): number[] {
  return isBatch(item) ? rowsOf([item]).map((row) => Number(row[column])) : [];
}

describe("operators of several inputs", () => {
  it("store each of the savepoints that are asked for while pairs wait, one behind the other", async () => {
    const run = async (triggers: readonly number[], from?: SavedPlaces) => {
      const out: string[] = [];
      const savepoints = new KeptSavepoints(() => out.length);
      const { checkpoints } = savepoints;
      const options = { credits: 4, checkpoints, ...(from === undefined ? {} : { from }) };
      const a = input("a", ofOneKey(400), 100, options);
      const b = input("b", ofOneKey(400), 100, options);
      async function* slowly(): AsyncGenerator<Batch> {
        for (const batch of batchesOf(schema, ofOneKey(40, 10), 4)) {
          for (let turn = 0; turn < 4; turn++) await setImmediate();
          yield batch;
        }
      }
      const c = prepared(source(slowly(), { ...options, name: "c" }) as Observable<Flow>);
      const ab = prepared(intervalJoin({ a, b } as never, { before: "1s", after: "1s" }) as Observable<Flow>);
      let batches = 0;
      const sink = async (batch: Batch): Promise<void> => {
        const isAsked = triggers.includes(batches++);
        for (let turn = 0; turn < 12; turn++) {
          if (isAsked && turn === 1) checkpoints.trigger();
          await setImmediate();
        }
        out.push(...leavesOf([batch]));
      };
      const joined = intervalJoin({ ab, c } as never, { before: "2us", after: "2us" }) as Observable<Flow>;
      await drain(joined, sink, { checkpoints });
      return { out, savepoints };
    };
    const whole = await run([]);
    const { out, savepoints } = await run([0, 1, 2, 3, 4, 5]);
    expect(out).toEqual(whole.out);
    expect(savepoints.saved.length).toBeGreaterThan(3);
    for (const { root, done } of savepoints.saved) {
      const from = await savepoints.open(root);
      expect((await run([], from)).out).toEqual(whole.out.slice(done));
    }
  });

  it("make nothing more for one who has left, and give each credit back once", async () => {
    for (const kind of ["interval", "window", "union"] as const) {
      const pools: CreditPool[] = [];
      let steps: readonly Step[] = [];
      const watched = (name: string, from: number): Observable<Flow> =>
        prepared(
          (source(batchesOf(schema, ofOneKey(9000, 1, from), 4500), { name }) as Observable<Flow>).pipe(
            tap((item) => {
              if (!isBatch(item) && item.kind === "header") pools.push(item.credits as CreditPool);
            }),
          ),
        );
      const [left, right] = [watched("left", 0), watched("right", kind === "union" ? 100_000 : 0)];
      const joined = {
        interval: () => intervalJoin({ left, right } as never, { before: "100us", after: "100us" }),
        window: () => windowJoin({ left: left.pipe(tumble("100us") as never), right } as never),
        union: () => union({ left, right }),
      }[kind]() as Observable<Flow>;
      const first = joined.pipe(
        tap((item) => {
          if (!isBatch(item) && item.kind === "header") steps = item.steps ?? [];
        }),
        filter(isBatch),
        take(1),
      );
      await first.forEach(() => undefined);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(steps[0]?.counters.rowsOut, kind).toBeLessThanOrEqual(4500);
      expect(
        pools.map(({ inFlight }) => inFlight),
        kind,
      ).toEqual([0, 0]);
    }
  });

  it("hear what comes from within their output", () => {
    for (const combined of [join as unknown as typeof union, union]) {
      const [left, right] = [new Subject<Flow>(), new Subject<Flow>()];
      let rows = 0;
      let completed = false;
      (combined({ left, right }) as Observable<Flow>).subscribe({
        next: (item) => {
          if (!isBatch(item)) return;
          if (rows === 0) for (const each of [left, right]) each.complete();
          rows += item.rows;
        },
        complete: () => (completed = true),
      });
      for (const each of [left, right]) each.next(HEADER);
      for (const each of [left, right]) each.next(batchOf([0, 7, 0], [1, 7, 1], [2, 7, 2]));
      expect({ rows, completed }).toEqual({ rows: combined === union ? 6 : 9, completed: true });
    }
  });

  it("tell late rows of both sides in the order of their merge, however they are cut", async () => {
    const rows = (times: readonly number[], from: number): Value[][] =>
      times.map((at) => [BigInt(at), 7n, BigInt(from + at)]);
    for (const size of [1, 3, 100]) {
      const late: number[] = [];
      const left = input("left", rows([0, 100, 5, 7, 110, 9, 11], 0), size).pipe(tumble("50us") as never);
      const right = input("right", rows([1, 101, 6, 8, 112, 10, 12], 1000), size);
      const joined = windowJoin({ left, right } as never, { late: { next: (item) => late.push(...amountsOf(item)) } });
      await (joined as Observable<Flow>).forEach(() => undefined);
      expect(late).toEqual([5, 7, 1006, 1008, 9, 11, 1010, 1012]);
    }
  });

  it("tell one batch that comes twice apart, also where rows were put together anew", () => {
    const [left, right] = [new Subject<Flow>(), new Subject<Flow>()];
    const amounts: number[] = [];
    const windowed = left.pipe(tumble("1ms") as never) as Observable<Flow>;
    (windowJoin({ left: windowed, right } as never, { kind: "left" }) as Observable<Flow>).subscribe((item) =>
      amounts.push(...amountsOf(item)),
    );
    left.next(HEADER);
    right.next({ ...HEADER, schema });
    right.next({ kind: "idle", untilUs: 1e9 });
    left.next(batchOf([5000, 1, 0]));
    const twice = batchOf([100, 1, 90], [5100, 1, 91], [5001, 1, 92]);
    left.next(twice);
    left.next(twice);
    // Late rows of so many keys that none of theirs is needed: the table of keys is made anew, and all that hangs on it, twice.
    const idle = (from: number): void => {
      for (let at = from; at < from + 81_920; at += 4096)
        left.next(batchOf(...Array.from({ length: 4096 }, (_, i) => [500, at + i, 0] as const)));
    };
    idle(1000);
    left.next(batchOf([5002, 1, 93]));
    idle(200_000);
    for (const each of [left, right]) each.complete();
    expect(amounts).toEqual([0, 91, 92, 91, 92, 93]);
  });

  it("wait for the columns of an input that may still have rows, whatever it has promised", () => {
    for (const isEarly of [true, false]) {
      const [left, right] = [new Subject<Flow>(), new Subject<Flow>()];
      let pairs = 0;
      (intervalJoin({ left, right } as never, { after: "1s" }) as Observable<Flow>).subscribe((item) => {
        if (isBatch(item)) pairs += item.rows;
      });
      for (const each of [left, right]) each.next(HEADER);
      right.next({ kind: "idle", untilUs: 10 });
      const pushes = [() => right.next(batchOf([12, 7, 12])), () => left.next(batchOf([5, 7, 5], [20, 7, 20]))];
      for (const push of isEarly ? pushes : pushes.toReversed()) push();
      for (const each of [left, right]) each.complete();
      expect(pairs).toBe(1);
    }
  });
});
