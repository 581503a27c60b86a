import fc from "fast-check";
import type { Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { sha256 } from "../../../src/node.ts";
import type { Flow, SavedPlaces, SourceItem } from "../../../src/streams/index.ts";
import {
  aggregate,
  Checkpointer,
  col,
  columns,
  count,
  dedup,
  drain,
  eventTime,
  filter,
  hop,
  intervalJoin,
  join,
  keyBy,
  scan,
  session,
  source,
  sum,
  temporalJoin,
  topN,
  tumble,
  union,
  when,
  windowJoin,
  withColumns,
} from "../../../src/streams/index.ts";
import { KeptSavepoints } from "../../support/kept-savepoints.ts";
import { batchesOf, leavesOf, rowsOf } from "./reference.ts";

const schema = columns({ at: "timestamp", who: "dict?", amount: "i64" });
type R = readonly [bigint, string | null, bigint];
type Input = Observable<Flow>;
type Kind = "inner" | "left" | "right" | "full";

const row = fc.tuple(
  fc.integer({ min: 0, max: 6 }),
  fc.option(fc.constantFrom("a", "b", "c"), { nil: null, freq: 6 }),
  fc.bigInt({ min: 0n, max: 9n }),
  fc.integer({ min: -14, max: 6 }),
);
const rows = fc
  .array(row, { maxLength: 40, size: "max" })
  .map((all) => all.map(([step, who, amount, jitter], i): R => [BigInt(3 * i + step + jitter), who, amount]));
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 });

const prepared = (input: Input, outOfOrder = "5us"): Input => input.pipe(eventTime("at", { outOfOrder }), keyBy("who"));

/** Pipelines over two inputs, by name. */
const PIPELINES: Readonly<Record<string, (left: Input, right: Input) => Input>> = {
  union: (left, right) =>
    union({ left: prepared(left), right: prepared(right, "9us") }).pipe(tumble("10us"), aggregate({ n: count() })),
  interval: (left, right) =>
    intervalJoin({ left: prepared(left), right: prepared(right) }, { before: "4us", after: "6us", kind: "full" }),
  regular: (left, right) => join({ left: prepared(left), right: prepared(right) }, { kind: "left" }),
  temporal: (left, right) => temporalJoin({ left: prepared(left), right: prepared(right) }, { kind: "left" }),
  window: (left, right) =>
    windowJoin({ left: prepared(left).pipe(hop("8us", "4us")), right: prepared(right) }, { kind: "full" }),
  windows: (left, right) => {
    // Far more batches than credits, on both sides of a join that waits for either.
    const one = (input: Input, size: string): Input =>
      prepared(input).pipe(
        hop(size, "4us"),
        aggregate({ amount: count() }, { batchRows: 1 }),
        withColumns({ at: col("end") }),
      ) as Input;
    return intervalJoin(
      { left: prepared(one(left, "12us"), "0us"), right: prepared(one(right, "4us"), "20us") },
      { before: "8us", after: "8us", kind: "full" },
    );
  },
  punctuated: (left, right) => {
    const marked = (input: Input): Input =>
      input.pipe(
        withColumns({ mark: when(col("amount").lt(3), col("at").minus(4), null) }),
        eventTime("at", { punctuated: "mark" }),
        keyBy("who"),
      );
    const [one, two] = [marked(left), marked(right)];
    return intervalJoin({ one }, { two }, { after: "6us", kind: "full" }) as Input;
  },
  marked: (left, right) => {
    const marked = (input: Input): Input =>
      input.pipe(
        withColumns({ mark: when(col("amount").lt(3), col("at").minus(4), null) }),
        eventTime("at", { punctuated: "mark" }),
        keyBy("who"),
      );
    return union({ one: marked(left), two: marked(right) }).pipe(
      scan({ n: count() }, { ttl: "5us" }),
      tumble("10us"),
      aggregate({ n: count(), most: sum("n") }),
    );
  },
  stateful: (left, right) =>
    union({ left: prepared(left), right: prepared(right) }).pipe(
      withColumns({ twice: col("amount").times(2) }),
      filter(col("twice").gt(1)),
      dedup({ within: "3us" }),
      scan({ paid: sum("amount"), rows: count() }),
      session("4us"),
      aggregate({ n: count(), paid: sum("paid") }),
      topN(2, { by: "n", per: ["end"] }),
    ),
};

interface Run {
  readonly cut: readonly number[];
  readonly credits: number;
  readonly checkpoints?: Checkpointer;
  readonly from?: SavedPlaces;
}

async function run(name: string, tables: readonly [readonly R[], readonly R[]], given: Run): Promise<Batch[]> {
  const found: Batch[] = [];
  const input = (index: 0 | 1, called: string): Input =>
    source(batchesOf(schema, tables[index], ...given.cut), {
      name: called,
      credits: given.credits,
      schema,
      ...(given.checkpoints === undefined ? {} : { checkpoints: given.checkpoints }),
      ...(given.from === undefined ? {} : { from: given.from }),
    }) as Input;
  const stream = PIPELINES[name]?.(input(0, "first"), input(1, "second")) as Input;
  await drain(stream, (batch) => void found.push(batch), {
    ...(given.checkpoints === undefined ? {} : { checkpoints: given.checkpoints }),
  });
  return found;
}

describe("pipelines", () => {
  for (const name of Object.keys(PIPELINES)) {
    it(`${name}: the same rows for any cut, any credits, and from every checkpoint`, async () => {
      let restored = 0;
      await fc.assert(
        fc.asyncProperty(rows, rows, cuts, cuts, fc.integer({ min: 1, max: 4 }), async (left, right, a, b, credits) => {
          const tables = [left, right] as const;
          const expected = leavesOf(await run(name, tables, { cut: [100], credits: 16 }));
          const found: Batch[] = [];
          const savepoints = new KeptSavepoints(() => found.reduce((sum, batch) => sum + batch.rows, 0), {
            everyBatches: 2,
          });
          const { checkpoints, saved } = savepoints;
          const input = (index: 0 | 1, called: string): Input =>
            source(batchesOf(schema, tables[index], ...a), { name: called, credits, schema, checkpoints }) as Input;
          const stream = PIPELINES[name]?.(input(0, "first"), input(1, "second")) as Input;
          await drain(stream, (batch) => void found.push(batch), { checkpoints });
          expect(leavesOf(found)).toEqual(expected);
          for (const { root, done } of saved) {
            const from = await savepoints.open(root);
            const rest = await run(name, tables, { cut: b, credits: 1, from });
            expect(leavesOf(rest)).toEqual(expected.slice(done));
            restored++;
          }
        }),
        { numRuns: 25 },
      );
      expect(restored).toBeGreaterThan(20);
    });
  }
});

describe("savepoints", () => {
  const savedAt = async (
    name: string,
    tables: readonly [readonly R[], readonly R[]],
    cut: readonly number[],
  ): Promise<string> => {
    let root = "";
    const checkpoints = new Checkpointer({
      hash: sha256,
      store: { put: () => undefined, get: () => new Uint8Array(0) },
      stored: (_, cid) => (root = cid.toString()),
    });
    const input = (index: 0 | 1, called: string): Input => {
      async function* items(): AsyncGenerator<SourceItem> {
        for (const batch of batchesOf(schema, tables[index], ...cut)) yield batch;
        // Both have given all their rows and nothing has ended: the first to come here waits for the other.
        if (++arrived === 2) checkpoints.trigger("here");
        else await new Promise<void>((resolve) => (go = resolve));
        go();
      }
      return source({ [Symbol.asyncIterator]: items }, { name: called, schema, checkpoints, credits: 100 }) as Input;
    };
    let arrived = 0;
    let go = (): void => undefined;
    await drain(PIPELINES[name]?.(input(0, "first"), input(1, "second")) as Input, undefined, { checkpoints });
    return root;
  };

  it("have one CID for equal rows, whatever batches they came in", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, cuts, fc.constantFrom(...Object.keys(PIPELINES)), async (left, right, cut, name) => {
        expect(await savedAt(name, [left, right], cut)).toBe(await savedAt(name, [left, right], [100]));
      }),
      { numRuns: 60 },
    );
  });
});

/** Rows of both inputs in the order of their merge, and whether each is late where the watermark stays 5 µs behind. */
function merged(
  tables: readonly [readonly R[], readonly R[]],
): { side: 0 | 1; row: R; late: boolean; watermark: bigint }[] {
  const at = [0, 0];
  const all = [];
  let newest: bigint | undefined;
  while (at[0] !== tables[0].length || at[1] !== tables[1].length) {
    const fronts = tables.map((table, side) => table[at[side] as number]?.[0] ?? 2n ** 60n);
    const side = (fronts[0] as bigint) <= (fronts[1] as bigint) ? 0 : 1;
    const next = tables[side][(at[side] as number)++] as R;
    const watermark = newest === undefined ? -(2n ** 60n) : newest - 5n;
    all.push({ side, row: next, late: next[0] < watermark, watermark } as const);
    if (newest === undefined || next[0] > newest) newest = next[0];
  }
  return all;
}

function sorted(pairs: readonly (readonly Value[])[]): string[] {
  return pairs.map((pair) => pair.map(String).join("|")).sort();
}

describe("joins give what their definitions give", () => {
  const kinds = fc.constantFrom<Kind>("inner", "left", "right", "full");
  const open = (tables: readonly [readonly R[], readonly R[]]): [Input, Input] => [
    prepared(source(batchesOf(schema, tables[0], 7), { name: "l", schema }) as Input),
    prepared(source(batchesOf(schema, tables[1], 7), { name: "r", schema }) as Input),
  ];
  const collected = async (stream: Input): Promise<Value[][]> => {
    const found: Batch[] = [];
    await drain(stream, (batch) => void found.push(batch));
    return rowsOf(found);
  };
  /** Pairs, and rows without one: [who, left at, left amount, right at, right amount]. */
  const paired = (kind: Kind, left: readonly R[], right: readonly R[], fits: (a: R, b: R) => boolean): Value[][] => {
    const same = (a: R, b: R): boolean => a[1] !== null && a[1] === b[1] && fits(a, b);
    const pairs: Value[][] = left.flatMap((a) =>
      right.filter((b) => same(a, b)).map((b) => [a[1], a[0], a[2], b[0], b[2]]),
    );
    if (kind === "left" || kind === "full")
      for (const a of left) if (!right.some((b) => same(a, b))) pairs.push([a[1], a[0], a[2], null, null]);
    if (kind === "right" || kind === "full")
      for (const b of right) if (!left.some((a) => same(a, b))) pairs.push([b[1], null, null, b[0], b[2]]);
    return pairs;
  };

  it("interval", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, kinds, async (a, b, kind) => {
        const [left, right] = open([a, b]);
        const found = await collected(intervalJoin({ left, right }, { before: "4us", after: "6us", kind }));
        const timely = merged([a, b]).filter(({ late }) => !late);
        const side = (index: 0 | 1): R[] => timely.filter((each) => each.side === index).map(({ row: each }) => each);
        const expected = paired(kind, side(0), side(1), (l, r) => r[0] - l[0] >= -4n && r[0] - l[0] <= 6n);
        expect(sorted(found)).toEqual(sorted(expected));
      }),
      { numRuns: 60 },
    );
  });

  it("regular, in which no row is late", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, kinds, async (a, b, kind) => {
        const [left, right] = open([a, b]);
        expect(sorted(await collected(join({ left, right }, { kind })))).toEqual(
          sorted(paired(kind, a, b, () => true)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("window", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, kinds, async (a, b, kind) => {
        const [left, right] = open([a, b]);
        const found = await collected(windowJoin({ left: left.pipe(tumble("8us")), right }, { kind }));
        const start = (time: bigint): bigint => time - (((time % 8n) + 8n) % 8n);
        const timely = merged([a, b]).filter(({ row: each, watermark }) => start(each[0]) + 8n > watermark);
        const side = (index: 0 | 1): R[] => timely.filter((each) => each.side === index).map(({ row: each }) => each);
        expect(sorted(found)).toEqual(sorted(paired(kind, side(0), side(1), (l, r) => start(l[0]) === start(r[0]))));
      }),
      { numRuns: 60 },
    );
  });

  it("temporal", async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, async (a, b) => {
        const [left, right] = open([a, b]);
        const found = await collected(temporalJoin({ left, right }, { kind: "left" }));
        const timely = merged([a, b]).filter(({ late }) => !late);
        const versions = timely.filter(({ side }) => side === 1).map(({ row: each }) => each);
        const expected = timely
          .filter(({ side }) => side === 0)
          .map(({ row: each }) => {
            let best: R | undefined;
            for (const one of versions)
              if (
                each[1] !== null &&
                one[1] === each[1] &&
                one[0] <= each[0] &&
                (best === undefined || one[0] >= best[0])
              )
                best = one;
            return [each[1], each[0], each[2], best?.[0] ?? null, best?.[2] ?? null];
          });
        expect(sorted(found)).toEqual(sorted(expected));
        expect(found.map((each) => each[1])).toEqual(
          found.map((each) => each[1]).toSorted((x, y) => Number(x) - Number(y)),
        );
      }),
      { numRuns: 60 },
    );
  });
});
