import fc from "fast-check";
import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import { gatherRows } from "../../../src/batch/gather.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { col, columns, type Expression, filter, project, source, toRows, when } from "../../../src/streams/index.ts";
import { batchesOf, rowsOf } from "./reference.ts";

const schema = columns({ a: "i64?", b: "i32?", f: "f64?", t: "utf8?", d: "dict?", ok: "bool?" });
const wide = fc.oneof(fc.bigInt({ min: -9n, max: 9n }), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }));
const text = fc.constantFrom("", "a", "ab", "b", "é", "😀", "z");
const some = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null, freq: 4 });
const row = fc.tuple(
  some(wide),
  some(fc.integer({ min: -5, max: 5 })),
  some(fc.constantFrom(0, 0.5, -1.5, Number.NaN, 7)),
  some(text),
  some(text),
  some(fc.boolean()),
);
const table = fc.array(row, { maxLength: 30 });

/** What SQL says of two values, one row at a time. */
function sql<T>(x: Value, y: Value, op: (x: never, y: never) => T): T | null {
  return x === null || y === null ? null : op(x as never, y as never);
}

async function computed(
  rows: readonly (readonly Value[])[],
  cut: number,
  made: Record<string, Expression<never, "i64?" | "bool?" | "f64?" | "utf8?" | "bool", string>>,
): Promise<Value[][]> {
  const out = await lastValueFrom(
    source(batchesOf(schema, rows, cut)).pipe(project(made as never), toRows(), toArray()),
  );
  return out.map((each) => Object.values(each as Record<string, Value>));
}

describe("expressions", () => {
  it("give what SQL gives, exactly, however rows are cut", async () => {
    const [a, b, f, t, d, ok] = [col("a"), col("b"), col("f"), col("t"), col("d"), col("ok")];
    const made = {
      sum: a.plus(b),
      less: a.lt(b),
      mixed: a.gte(f),
      same: t.eq(d),
      before: t.lt(d),
      halves: f.div(2),
      rest: a.mod(b),
      both: ok.and(f.gt(0)),
      either: ok.or(f.gt(0)),
      none: t.isNull(),
      part: d.includes("a"),
      choice: when(ok, t, "else"),
      known: d.orElse("none"),
    };
    const bytes = (x: string): Buffer => Buffer.from(x);
    const truth = (x: boolean | null, y: boolean | null, decides: boolean): boolean | null =>
      x === decides || y === decides ? decides : x === null || y === null ? null : !decides;
    const expected = (rows: readonly (readonly Value[])[]): Value[][] =>
      rows.map(([x, y, z, u, v, w]) => {
        const isMore = sql(z ?? null, 0, (p: number, q: number) => p > q);
        return [
          sql(x ?? null, y ?? null, (p: bigint, q: number) => p + BigInt(q)),
          sql(x ?? null, y ?? null, (p: bigint, q: number) => p < q),
          sql(x ?? null, z ?? null, (p: bigint, q: number) => p >= q),
          sql(u ?? null, v ?? null, (p: string, q: string) => p === q),
          sql(u ?? null, v ?? null, (p: string, q: string) => Buffer.compare(bytes(p), bytes(q)) < 0),
          sql(z ?? null, 2, (p: number, q: number) => p / q),
          sql(x ?? null, y ?? null, (p: bigint, q: number) => (q === 0 ? null : p % BigInt(q))),
          truth(w as boolean | null, isMore, false),
          truth(w as boolean | null, isMore, true),
          u === null,
          sql(v ?? null, "a", (p: string, q: string) => p.includes(q)),
          w === true ? (u ?? null) : "else",
          v ?? "none",
        ];
      });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 30 }), async (rows, cut) => {
        expect(await computed(rows, cut, made as never)).toEqual(expected(rows));
      }),
      { numRuns: 120 },
    );
  });

  it("filter to the rows that a writer would have kept, byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 30 }), async (rows, cut) => {
        const batches = batchesOf(schema, rows, cut);
        const kept = await lastValueFrom(source(batches).pipe(filter(col("b").gt(0)), toRows(), toArray()));
        expect(kept.map((each) => Object.values(each))).toEqual(rows.filter(([, b]) => b !== null && b > 0));
        for (const batch of batches) {
          const places = Int32Array.from({ length: batch.rows }, (_, i) => i).filter((i) => i % 3 !== 1);
          const writer = new BatchWriter(schema);
          const all = rowsOf([batch]);
          for (const place of places) writer.push(all[place] as Value[]);
          expect(Buffer.from(gatherRows(batch, places, places.length).bytes)).toEqual(Buffer.from(writer.take().bytes));
        }
      }),
      { numRuns: 80 },
    );
  });

  it("are refused where types do not fit, naming operator and expression", async () => {
    const run = (made: unknown): Promise<unknown> =>
      lastValueFrom(source(batchesOf(schema, [[1n, 1, 1, "a", "a", true]], 1)).pipe(made as never, toArray()));
    await expect(run(filter(col("t").gt(3)))).rejects.toMatchObject({
      code: "EXPRESSION_TYPE",
      where: "input/1 filter",
      message: "input/1 filter: t > 3 is not defined: text is compared with int",
    });
    await expect(run(filter(col("b")))).rejects.toMatchObject({ code: "EXPRESSION_TYPE" });
    await expect(run(project({ x: col("t").plus(1 as never) }))).rejects.toMatchObject({ code: "EXPRESSION_TYPE" });
    await expect(run(project({ x: "nothing" }))).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    await expect(run(project({ x: col("a").times(2n ** 63n) }))).rejects.toMatchObject({ code: "EXPRESSION_OVERFLOW" });
    await expect(
      run(
        project({
          x: col("a")
            .times(2n ** 40n)
            .times(2n ** 40n),
        }),
      ),
    ).rejects.toMatchObject({
      code: "EXPRESSION_OVERFLOW",
    });
    await expect(run(project({ x: col("f").div(0).cast("i32") }))).rejects.toMatchObject({ code: "VALUE_MISFIT" });
    expect(() => schemaOf([])).toThrow();
    expect(() => columns({ x: "i33" as never })).toThrow(/i33/);
  });
});
