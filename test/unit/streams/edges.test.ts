import { from, lastValueFrom, type Observable, of, Subject, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { sha256 } from "../../../src/node.ts";
import type { Credits, Flow, Row, SourceItem, Step } from "../../../src/streams/index.ts";
import {
  aggregate,
  allSteps,
  Checkpointer,
  col,
  columns,
  count,
  countersOf,
  countWindow,
  cumulate,
  custom,
  dedup,
  diagnostics,
  distinct,
  drain,
  eventTime,
  explain,
  filter,
  flatMap,
  fromObservable,
  globalWindow,
  hop,
  instant,
  intervalJoin,
  isBatch,
  keyBy,
  lit,
  map,
  openSavepoint,
  rename,
  rowSource,
  scan,
  session,
  source,
  sum,
  temporalJoin,
  toBatches,
  topN,
  toRows,
  toWebStream,
  tumble,
  union,
  windowJoin,
} from "../../../src/streams/index.ts";
import { KeptRows } from "../../../src/streams/join/kept-rows.ts";
import { KeyedValues } from "../../../src/streams/keyed/keyed-values.ts";

const schema = columns({ at: "timestamp", who: "utf8", amount: "i64?", mark: "timestamp?" });

function rows(...given: readonly (readonly [number, string, number?, number?])[]): Record<string, bigint | string>[] {
  return given.map(([at, who, amount, mark]) => ({
    at: BigInt(at),
    who,
    ...(amount === undefined ? {} : { amount: BigInt(amount) }),
    ...(mark === undefined ? {} : { mark: BigInt(mark) }),
  }));
}

const stream = (given: readonly Record<string, bigint | string>[], batchRows = 2, name = "input"): Observable<Flow> =>
  rowSource(given as never[], schema as never, { batchRows, name }) as Observable<Flow>;
const out = async (found: Observable<Flow>): Promise<Row[]> => lastValueFrom(found.pipe(toRows(), toArray()));
const codeOf = (found: Observable<unknown>): Promise<unknown> => lastValueFrom(found.pipe(toArray()));

describe("event time", () => {
  it("is moved by punctuation alone where that is said", async () => {
    const late: Batch[] = [];
    const found = await out(
      stream(rows([1, "a"], [50, "a"], [2, "a", 1, 10], [3, "a"], [12, "a"])).pipe(
        eventTime("at", { punctuated: "mark" }),
        tumble("10us", { late: { next: (batch) => void late.push(batch) } }),
        aggregate({ n: count() }),
      ),
    );
    expect(found.map(({ start, n }) => [start, n])).toEqual([
      [0n, 2n],
      [10n, 1n],
      [50n, 1n],
    ]);
    expect(late.flatMap((batch) => rowValues(batch, 0)[0])).toEqual([3n]);
  });

  it("decides at the very edges: a row at the watermark, a watermark at a window's end, a session bridged late", async () => {
    const tumbled = (lateness: string, emit: "final" | "retract"): Promise<Row[]> =>
      out(
        stream(rows([0, "a"], [10, "a"], [9, "a"], [10, "a"], [20, "a"], [5, "a"])).pipe(
          eventTime("at", { monotonic: true }),
          tumble("10us", { lateness, emit }),
          aggregate({ n: count() }),
        ),
      );
    expect((await tumbled("0s", "final")).map(({ start, n }) => [start, n])).toEqual([
      [0n, 1n],
      [10n, 2n],
      [20n, 1n],
    ]);
    expect((await tumbled("11us", "retract")).map(({ start, n, change }) => [start, n, change])).toEqual([
      [0n, 1n, "insert"],
      [0n, 1n, "retract"],
      [0n, 2n, "insert"],
      [10n, 2n, "insert"],
      [0n, 2n, "retract"],
      [0n, 3n, "insert"],
      [20n, 1n, "insert"],
    ]);
    const bridged = await out(
      stream(rows([0, "a"], [10, "a"], [5, "a"], [30, "a"])).pipe(
        eventTime("at", { outOfOrder: "0s" }),
        session("5us", { lateness: "6us", emit: "retract" }),
        aggregate({ n: count() }),
      ),
    );
    expect(bridged.map(({ start, end, n, change }) => [start, end, n, change])).toEqual([
      [0n, 5n, 1n, "insert"],
      [0n, 5n, 1n, "retract"],
      [0n, 15n, 3n, "insert"],
      [30n, 35n, 1n, "insert"],
    ]);
  });

  it("of several inputs goes on behind a promise of the one that is silent", async () => {
    const silent = async function* (): AsyncGenerator<SourceItem> {
      yield { kind: "idle", untilUs: 15 };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      yield { kind: "watermark", timeUs: 100 };
    };
    let wake = (): void => undefined;
    const quiet = source({ [Symbol.asyncIterator]: silent }, { name: "quiet", schema }).pipe(
      eventTime("at", { outOfOrder: "0s" }),
    );
    const busy = stream(rows([1, "a"], [12, "a"], [20, "a"]), 1, "busy").pipe(eventTime("at", { outOfOrder: "0s" }));
    const seen: unknown[] = [];
    let told: string | undefined;
    let union_: Step | undefined;
    await drain(
      union({ quiet, busy } as never),
      (batch) => {
        seen.push(rowValues(batch, 0)[0]);
        // The row at 20 waits for what the silent input has not promised yet.
        if (seen.length !== 2) return;
        setImmediate(() => {
          told = union_?.counters.waitsFor;
          wake();
        });
      },
      {
        control: (item) => {
          if (item.kind === "header") union_ = item.steps?.at(-1);
        },
      },
    );
    expect(told).toBe("quiet");
    expect(seen).toEqual([1n, 12n, 20n]);
  });

  it("says in a stream of diagnostics which input holds the watermark back", async () => {
    const [left, right] = [new Subject<Flow>(), new Subject<Flow>()];
    const told: string[] = [];
    let isOver = false;
    const named = (items: Subject<Flow>): Observable<Flow> =>
      items.pipe(eventTime("at", { outOfOrder: "0s" })) as Observable<Flow>;
    const merged = union({ left: named(left), right: named(right) } as never) as Observable<Flow>;
    merged
      .pipe(
        diagnostics({
          next: ({ place, waitsFor }) => void told.push(`${place} ${waitsFor ?? "-"}`),
          complete: () => {
            isOver = true;
          },
        }),
      )
      .subscribe();
    const [one, two] = [writerOf(5), writerOf(9)];
    left.next({ kind: "header" });
    right.next({ kind: "header" });
    left.next(one);
    left.next(two);
    right.next({ kind: "idle", untilUs: 7 });
    right.next({ kind: "watermark", timeUs: 20 });
    left.complete();
    right.complete();
    expect(told).toEqual(["union(left, right) right", "union(left, right) left", "union(left, right) -"]);
    expect(isOver).toBe(true);
  });
  const writerOf = (at: number): Batch => {
    const writer = new BatchWriter(schema);
    writer.push([BigInt(at), "a", null, null]);
    return writer.take();
  };
});

describe("operators over rows", () => {
  it("map, flatMap, rename, dedup, scan and topN", async () => {
    const input = (): Observable<Flow> => stream(rows([1, "b", 5], [2, "a", 7], [3, "b", 1], [4, "a", 9]));
    const pair = columns({ who: "utf8", twice: "i64" });
    expect(
      await out(
        input().pipe(map((row: Row) => ({ who: row["who"], twice: (row["amount"] as bigint) * 2n }), pair as never)),
      ),
    ).toEqual([
      { who: "b", twice: 10n },
      { who: "a", twice: 14n },
      { who: "b", twice: 2n },
      { who: "a", twice: 18n },
    ]);
    expect(
      await out(
        input().pipe(
          flatMap((row: Row) => (row["who"] === "a" ? [{ who: "x" }, {}] : []), columns({ who: "utf8?" }) as never),
        ),
      ),
    ).toEqual([{ who: "x" }, { who: null }, { who: "x" }, { who: null }]);
    const first = await out(input().pipe(rename({ who: "name" }), keyBy("name"), dedup()));
    expect(first.map((row) => [row["name"], row["amount"]])).toEqual([
      ["b", 5n],
      ["a", 7n],
    ]);
    const running = await out(input().pipe(keyBy("who"), scan({ paid: sum("amount"), n: count() })));
    expect(running.map((row) => [row["who"], row["paid"], row["n"]])).toEqual([
      ["b", 5n, 1n],
      ["a", 7n, 1n],
      ["b", 6n, 2n],
      ["a", 16n, 2n],
    ]);
    const best = await out(input().pipe(topN(2, { by: "amount" })));
    expect(best.map((row) => row["amount"])).toEqual([9n, 7n]);
    expect(() => topN(0, { by: "amount" })).toThrow(/WINDOW_INVALID|topN of 0/);
  });

  it("take aggregates of a program's own, with plain states", async () => {
    const product = custom("amount", {
      type: "i64",
      zero: () => 1n as bigint,
      add: (state, value: bigint) => state * value,
      merge: (before, after) => before * after,
      value: (state) => state,
    });
    const found = await out(
      stream(rows([1, "a", 2], [3, "a", 3], [12, "a", 5])).pipe(
        eventTime("at", { outOfOrder: "0s" }),
        hop("20us", "10us"),
        aggregate({ product }),
      ),
    );
    expect(found.map((row) => [row["start"], row["product"]])).toEqual([
      [-10n, 6n],
      [0n, 30n],
      [10n, 5n],
    ]);
  });

  it("compare with instants and plain values", async () => {
    const found = await out(
      stream(rows([1, "a", 2], [3_000_000, "a", 3])).pipe(
        filter(col("at").lt(instant("1970-01-01T00:00:01Z")).and(lit(true))),
      ),
    );
    expect(found).toHaveLength(1);
  });
});

describe("what a pipeline says of itself", () => {
  const pipeline = (): Observable<Flow> =>
    intervalJoin(
      {
        bids: stream(rows([1, "a", 2], [4, "b", 3]), 1, "bids").pipe(
          eventTime("at", { outOfOrder: "1us" }),
          keyBy("who"),
        ),
        sales: stream(rows([2, "a", 9], [9, "a", 9], [1, "a", 9]), 1, "sales").pipe(
          eventTime("at", { outOfOrder: "1us" }),
          keyBy("who"),
        ),
      } as never,
      { after: "5us" },
    ).pipe(filter(col("amount").gt(1)) as never);

  it("explain shows operators, inputs and what they were told", async () => {
    const { text, mermaid } = await explain(pipeline());
    expect(text.split("\n")).toEqual([
      "  bids:",
      "    bids",
      "    bids/1 eventTime: at, 1us out of order",
      "    bids/2 keyBy: who",
      "  sales:",
      "    sales",
      "    sales/1 eventTime: at, 1us out of order",
      "    sales/2 keyBy: who",
      "intervalJoin(bids, sales): inner, 0s before to 5us after",
      "intervalJoin(bids, sales)/1 filter: amount > 1",
    ]);
    expect(mermaid).toContain("flowchart TD");
    expect(mermaid).toContain("-- sales -->");
    expect((await explain(of())).text).toBe("");
  });

  it("counters are live, by operator", async () => {
    let counters: ReturnType<typeof countersOf> = {};
    await drain(pipeline(), () => undefined, {
      control: (item) => {
        if (item.kind === "header") expect(allSteps(item.steps ?? [])).toHaveLength(8);
        if (item.kind === "header") steps = item.steps ?? [];
        counters = countersOf(steps);
      },
    });
    expect(counters["intervalJoin(bids, sales)"]).toMatchObject({ rowsIn: 5, rowsOut: 1, late: 1 });
    expect(counters["intervalJoin(bids, sales)/1 filter"]).toMatchObject({ rowsIn: 1, rowsOut: 1 });
  });

  it("counters tell of keyed state and its watermark", async () => {
    const keyed = stream(rows([1, "a", 2], [4, "b", 3], [9, "a", 1])).pipe(
      eventTime("at", { outOfOrder: "2us" }),
      keyBy("who"),
      dedup({ within: "5us" }),
      scan({ n: count() }, { ttl: "1m" }),
      topN(2, { by: "n" }),
    ) as Observable<Flow>;
    let seen: Step[] = [];
    await drain(keyed, () => undefined, {
      control: (item) => void (item.kind === "header" && (seen = allSteps(item.steps ?? []))),
    });
    const [deduped, scanned, best] = seen.slice(-3).map(({ counters: own }) => own);
    // A key of one letter takes 3 bytes, and 8 beside each of its numbers and itself.
    expect(deduped).toMatchObject({
      rowsIn: 3,
      rowsOut: 3,
      stateBytes: 2 * (3 + 16),
      watermarkUs: 7,
      watermarkLagUs: 2,
    });
    expect(scanned).toMatchObject({ stateBytes: 2 * (3 + 8 * 4), watermarkUs: 7, watermarkLagUs: 2 });
    expect(best).toMatchObject({ rowsIn: 3, rowsOut: 2, stateBytes: 64 });
  });
  let steps: Parameters<typeof countersOf>[0] = [];
});

describe("joins", () => {
  /** Batches of one row that a side's source has given, and a source that counts them. */
  function counted(
    side: "left" | "right",
    times: readonly number[],
    credits: number,
    given: { left: number; right: number },
    asked: () => void = () => undefined,
  ) {
    function* pull(): Generator<Batch> {
      for (const at of times) {
        given[side]++;
        asked();
        yield rowBatch(at);
      }
    }
    return source({ [Symbol.iterator]: pull }, { credits, name: side }).pipe(
      eventTime("at", { outOfOrder: "0s" }),
      keyBy("who"),
    ) as Observable<Flow>;
  }
  function rowBatch(at: number): Batch {
    const writer = new BatchWriter(schema);
    writer.push([BigInt(at), "a", BigInt(at), null]);
    return writer.take();
  }
  const slow = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const JOINS = {
    interval: (inputs: never) => intervalJoin(inputs, {}),
    window: (inputs: { readonly left: Observable<Flow> }) =>
      windowJoin({ ...inputs, left: inputs.left.pipe(tumble("1us")) } as never),
    temporal: (inputs: never) => temporalJoin(inputs),
  } as const;

  it.each(Object.entries(JOINS))(
    "%s: at most credits + 1 batches of each input are anywhere, however slow the sink",
    async (_, joined) => {
      for (const credits of [1, 3]) {
        const given = { left: 0, right: 0 };
        const times = Array.from({ length: 40 }, (__, i) => i);
        const inputs = { left: counted("left", times, credits, given), right: counted("right", times, credits, given) };
        let taken = 0;
        let most = 0;
        let seen: Credits | undefined;
        const look = (): void => {
          // A pair comes out with each row: what was given and not taken waits somewhere.
          most = Math.max(most, given.left - taken, given.right - taken);
        };
        await drain(
          joined(inputs as never) as Observable<Flow>,
          async (batch) => {
            look();
            await slow();
            look();
            taken += batch.rows;
          },
          { control: (item) => void (item.kind === "header" && (seen = item.credits)) },
        );
        expect(taken).toBe(40);
        expect(seen?.peak).toBeGreaterThanOrEqual(credits);
        expect(seen?.peak).toBeLessThanOrEqual(credits + 1);
        // A window's pairs and a temporal pair wait for the row that moves the watermark past them.
        expect(most).toBeLessThanOrEqual(credits + 2);
      }
    },
  );

  it("hold an input that is ahead at its credits until the other comes", async () => {
    for (const credits of [1, 3]) {
      const given = { left: 0, right: 0 };
      const [early, late] = [0, 100].map((offset) => Array.from({ length: 40 }, (__, i) => i + offset));
      let ahead = 0;
      const asked = (): void => {
        if (given.left < 40) ahead = Math.max(ahead, given.right);
      };
      const inputs = {
        left: counted("left", early as number[], credits, given, asked),
        right: counted("right", late as number[], credits, given, asked),
      };
      const joined = intervalJoin(inputs as never, { after: "1s" });
      await drain(joined as Observable<Flow>, slow);
      expect(given).toEqual({ left: 40, right: 40 });
      expect(ahead).toBeLessThanOrEqual(credits + 1);
    }
  });

  it("say what does not fit", async () => {
    const left = stream(rows([1, "a", 2]), 1, "left").pipe(eventTime("at", { outOfOrder: "0s" }), keyBy("who"));
    const right = stream(rows([1, "a", 2]), 1, "right").pipe(eventTime("at", { outOfOrder: "0s" }));
    const empty = source([], { name: "none" }).pipe(eventTime("at", { outOfOrder: "0s" }), keyBy("who"));
    await expect(codeOf(intervalJoin({ left, right } as never, {}))).rejects.toMatchObject({ code: "JOIN_KEYS" });
    await expect(codeOf(intervalJoin({ left, right: right.pipe(keyBy("amount")) } as never, {}))).rejects.toMatchObject(
      {
        code: "JOIN_KEYS",
        message: expect.stringContaining("left.who is utf8, right.amount is i64"),
      },
    );
    expect(() => temporalJoin({ left } as never)).toThrow(/two inputs/);
    await expect(codeOf(windowJoin({ left, right: right.pipe(keyBy("who")) } as never))).rejects.toMatchObject({
      code: "WINDOW_UNDESCRIBED",
    });
    await expect(codeOf(intervalJoin({ left, empty } as never, { kind: "left" }))).rejects.toMatchObject({
      code: "JOIN_SCHEMA",
    });
    expect(await out(intervalJoin({ left, empty } as never, {}))).toEqual([]);
    const other = source([], { name: "other", schema: columns({ x: "i32" }) as never }).pipe(
      eventTime("at", { outOfOrder: "0s" }),
    );
    await expect(codeOf(union({ other, left } as never))).rejects.toMatchObject({ code: "SCHEMA_MISMATCH" });
  });
});

describe("edges", () => {
  it("take rows of iterables and Observables, and give async iterables and web streams", async () => {
    const subject = new Subject<Record<string, bigint | string>>();
    const found = out(fromObservable(subject as never, schema as never) as Observable<Flow>);
    for (const row of rows([1, "a", 2], [2, "b"])) subject.next(row);
    subject.complete();
    expect((await found).map((row) => row["amount"])).toEqual([2n, null]);
    await expect(
      codeOf(fromObservable(from(rows([1, "a"], [2, "a"], [3, "a"])) as never, schema as never, { waitingMax: 2 })),
    ).rejects.toMatchObject({ code: "SOURCE_OVERRUN" });
    const sizes: number[] = [];
    for await (const batch of toBatches(stream(rows([1, "a"], [2, "a"], [3, "a"])))) {
      sizes.push(batch.rows);
      if (sizes.length === 2) break;
    }
    expect(sizes).toEqual([2, 1]);
    const web: number[] = [];
    for await (const batch of toWebStream(stream(rows([1, "a"], [2, "a"], [3, "a"])))) web.push(batch.rows);
    expect(web).toEqual([2, 1]);
  });

  it("refuse windows that cannot be", async () => {
    const run = (shape: ReturnType<typeof tumble>): Promise<unknown> =>
      codeOf(stream(rows([1, "a", 2])).pipe(eventTime("at", { outOfOrder: "0s" }), shape, aggregate({ n: count() })));
    for (const shape of [
      hop("2s", "3s"),
      cumulate("10s", "3s"),
      session("1s", { emit: "upsert" as string as "final" }),
      countWindow(0),
      globalWindow({}),
      globalWindow({ everyRows: 0 }),
      tumble("1s", { everyRows: 2 }),
    ])
      await expect(run(shape)).rejects.toMatchObject({ code: "WINDOW_INVALID", where: "input/3 aggregate" });
  });

  it("bound what operators keep", async () => {
    const kept = new KeptRows(schema, 2);
    for await (const batch of toBatches(stream(rows([1, "a"], [2, "a"], [3, "a"]), 3))) {
      kept.add(batch, 0, 1, 0);
      kept.add(batch, 1, 2, 0);
      expect(() => kept.add(batch, 2, 3, 0)).toThrow(expect.objectContaining({ code: "STREAM_STATE_FULL" }));
    }
    const numbers = columns({ at: "timestamp", x: "i64" });
    const writer = new BatchWriter(numbers);
    for (let i = 0; i <= 65_536; i++) writer.push([0n, i]);
    const counted = source([writer.take()]).pipe(
      eventTime("at", { outOfOrder: "0s" }),
      tumble("1d"),
      aggregate({ n: distinct("x") }),
    );
    await expect(codeOf(counted)).rejects.toMatchObject({ code: "AGGREGATE_LIMIT" });
  });

  it("forget keys that are over while they run, not only where a savepoint is made", () => {
    const numbers = columns({ at: "timestamp", x: "i64" });
    const values = new KeyedValues(numbers, ["x"], 1);
    const ids = new Int32Array(4096);
    let most = 0;
    for (let from = 0; from < 200_000; from += 4096) {
      const writer = new BatchWriter(numbers);
      for (let i = 0; i < 4096; i++) writer.push([0n, from + i]);
      const batch = writer.take();
      values.fill(batch, 0, 4096, ids);
      for (let row = 0; row < 4096; row++) {
        values.begin(ids[row] as number, batch, row);
        (values.numbers[0] as Float64Array)[ids[row] as number] = from + row;
      }
      values.tidy((id) => (values.numbers[0]?.[id] as number) < from);
      most = Math.max(most, values.keys.size);
    }
    expect(most).toBeLessThan(2 * 4096 + 70_000);
  });

  it("keep savepoints apart by name, and take only what is one", async () => {
    const blocks = new Map<string, Uint8Array>();
    const checkpoints = new Checkpointer({
      hash: sha256,
      store: { put: (cid, bytes) => void blocks.set(cid.toString(), bytes), get: () => new Uint8Array(0) },
    });
    const twice = union({
      a: source([], { name: "x", checkpoints }).pipe(eventTime("at", { outOfOrder: "0s" })),
      b: source([], { name: "x", checkpoints }).pipe(eventTime("at", { outOfOrder: "0s" })),
    } as never);
    await expect(codeOf(twice)).rejects.toMatchObject({ code: "SAVEPOINT_PLACE" });
    const { cborBlock } = await import("../../../src/dag/block.ts");
    for (const node of [{ v: 2 }, { v: 1, name: "x", sources: {}, operators: { y: { state: 1, schema: [] } } }, []]) {
      const block = cborBlock(sha256, node);
      await expect(openSavepoint(block.cid, sha256, async () => block.bytes)).rejects.toMatchObject({
        code: "SAVEPOINT_MALFORMED",
      });
    }
    expect(isBatch({ kind: "end" })).toBe(false);
  });
});
