import fc from "fast-check";
import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { fromArrow, toArrow } from "../../../src/streams/arrow/arrow-stream.ts";
import { columns, drain, source } from "../../../src/streams/index.ts";
import { batchesOf, rowsOf } from "./reference.ts";

const schema = columns({
  at: "timestamp",
  t: "utf8?",
  d: "dict",
  b: "bool?",
  i: "i16?",
  u: "u64",
  f: "f64?",
  x: "fixed3?",
  y: "binary?",
});
const some = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });
const row = fc.tuple(
  fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
  some(fc.string({ unit: "binary", maxLength: 5 })),
  fc.constantFrom("a", "bb"),
  some(fc.boolean()),
  some(fc.integer({ min: -32_768, max: 32_767 })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  some(fc.double({ noNaN: true })),
  some(fc.uint8Array({ minLength: 3, maxLength: 3 })),
  some(fc.uint8Array({ maxLength: 4 })),
);

async function bytesOf(rows: readonly (readonly unknown[])[], cut: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of toArrow(source(batchesOf(schema, rows as never, cut)))) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("Arrow at the edges", () => {
  it("comes back as it went out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 30 }),
        async (rows, cut) => {
          const bytes = await bytesOf(rows, cut);
          const found: Parameters<typeof rowsOf>[0][number][] = [];
          await drain(fromArrow(bytes), (batch) => void found.push(batch));
          expect(rowsOf(found)).toEqual(rows);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("is refused by name when a byte is wrong, or read as something else, and never worse", async () => {
    const bytes = await bytesOf([[1n, "a", "a", true, 1, 1n, 1, null, null]], 1);
    for (let at = 0; at < bytes.length; at += 3) {
      const wrong = Uint8Array.from(bytes);
      wrong[at] = (wrong[at] as number) ^ 0xff;
      const error = await lastValueFrom(fromArrow(wrong).pipe(toArray())).then(
        () => undefined,
        (failure: unknown) => (failure as { code?: string }).code,
      );
      expect([undefined, "ARROW_MALFORMED", "ARROW_UNSUPPORTED", "SCHEMA_INVALID", "BATCH_MALFORMED"]).toContain(error);
    }
    await expect(lastValueFrom(fromArrow(bytes.subarray(0, 900)).pipe(toArray()))).rejects.toMatchObject({
      code: "ARROW_MALFORMED",
    });
  });
});
