import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import type { Field } from "../../../src/batch/schema.ts";
import { COLUMN_TYPES, schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle } from "../../../src/sandbox/port.ts";
import { compileModule } from "../../../tools/build-modules.ts";
import { specOf } from "../../support/wat-module.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

// AssemblyScript: keeps rows of even number and adds a column of each way to write one.
const SOURCE = `
import { Batch, Descriptor, Output, OutputColumn, Selection, Type } from "./src/sandbox/sdk/index";
export { ipdm_abi, ipdm_alloc } from "./src/sandbox/sdk/index";

export function ipdm_process(address: usize, beside: usize): usize {
  const input = Batch.at(address);
  const descriptor = Descriptor.at(beside);
  const even = Selection.of(input.rows);
  for (let row = 0; row < input.rows; row++) if ((descriptor.firstRow + <u64>row) % 2 == 0) even.add(row);
  const output = Output.of(even.length, input.columns + 7);
  output.copyAll(input, even);
  const isSet = output.add("is set", Type.BOOL, true);
  const number = output.add("number", Type.U64, false);
  const time = output.add("time", Type.TIMESTAMP, false);
  const float = output.add("float", Type.F64, false);
  const seed = output.add("seed", Type.FIXED, true, 32);
  const text = output.add("t\\u00e9xt", Type.UTF8, true);
  const key = output.add("key", Type.DICT, true);
  const words = input.column("dict");
  const numbers = input.column("i8");
  for (let i = 0; i < even.length; i++) {
    const row = even.at(i);
    number.push<u64>(descriptor.firstRow + <u64>row);
    time.push<i64>(descriptor.hasTime ? descriptor.timeUs : -1);
    float.push<f64>(numbers.isNull(row) ? 0.5 : numbers.float(row) / 2);
    if (words.isNull(row)) {
      isSet.pushNull();
      seed.pushNull();
      text.pushNull();
      key.pushNull();
    } else {
      isSet.pushBool(words.byteLength(row) % 2 == 1);
      seed.pushBytes(descriptor.seed, 32);
      text.pushBytes(words.bytes(row), words.byteLength(row));
      key.pushBytes(words.bytes(row), words.byteLength(row));
    }
  }
  return output.finish();
}`;

const ADDED: readonly Field[] = [
  { name: "is set", type: "bool", nullable: true },
  { name: "number", type: "u64", nullable: false },
  { name: "time", type: "timestamp", nullable: false },
  { name: "float", type: "f64", nullable: false },
  { name: "seed", type: "fixed", nullable: true, width: 32 },
  { name: "téxt", type: "utf8", nullable: true },
  { name: "key", type: "dict", nullable: true },
];

const fields = COLUMN_TYPES.map(
  (type): Field => ({ name: type, type, nullable: true, ...(type === "fixed" ? { width: 5 } : {}) }),
);
const strict = fields.map((field) => ({ ...field, nullable: false }));

function valueOf({ type }: Field): fc.Arbitrary<Value> {
  switch (type) {
    case "bool":
      return fc.boolean();
    case "i8":
      return fc.integer({ min: -128, max: 127 });
    case "u8":
      return fc.integer({ min: 0, max: 255 });
    case "i16":
      return fc.integer({ min: -32_768, max: 32_767 });
    case "u16":
      return fc.integer({ min: 0, max: 65_535 });
    case "i32":
      return fc.integer();
    case "u32":
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case "i64":
    case "timestamp":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "u64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "f32":
      return fc.float({ noNaN: true });
    case "f64":
      return fc.double({ noNaN: true });
    case "utf8":
      return fc.string({ unit: "grapheme", maxLength: 40 });
    case "dict":
      return fc.constantFrom("a", "bb", "ccc", "ä", "", "✈✈");
    case "binary":
      return fc.uint8Array({ maxLength: 60 });
    case "fixed":
      return fc.uint8Array({ minLength: 5, maxLength: 5 });
  }
}

const lane = openLane();
let module: ModuleHandle;
beforeAll(async () => {
  const bytes = await compileModule(root, "sdk-test.ts", { "sdk-test.ts": SOURCE });
  module = await lane.load(specOf(bytes, { memoryBytesMax: 64 * 1024 * 1024 }));
});
afterAll(() => lane.close());

describe("the AssemblyScript SDK", () => {
  it("reads every type and lays out the bytes that BatchWriter lays out", async () => {
    const cases = fc.boolean().chain((nullable) => {
      const chosen = nullable ? fields : strict;
      const values = chosen.map((field) => (nullable ? fc.option(valueOf(field), { nil: null }) : valueOf(field)));
      return fc.record({
        chosen: fc.constant(chosen),
        rows: fc.array(fc.tuple(...values), { maxLength: 60 }),
        firstRow: fc.nat(),
        timeUs: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined }),
      });
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ chosen, rows, firstRow, timeUs }) => {
        const seed = Uint8Array.from({ length: 32 }, (_, i) => (firstRow + i) & 0xff);
        const writer = new BatchWriter(schemaOf(chosen));
        for (const row of rows) writer.push(row);
        const batch = writer.take();
        const output = await module.process(batch, { firstRow, seed, ...(timeUs === undefined ? {} : { timeUs }) });
        const wanted = new BatchWriter(schemaOf([...chosen, ...ADDED]));
        for (let row = 0; row < batch.rows; row++) {
          if ((firstRow + row) % 2 !== 0) continue;
          const values = rowValues(batch, row);
          const word = values[COLUMN_TYPES.indexOf("dict")] as string | null;
          const small = values[COLUMN_TYPES.indexOf("i8")] as number | null;
          const isOdd = word === null ? null : Buffer.byteLength(word) % 2 === 1;
          wanted.push([
            ...values,
            isOdd,
            BigInt(firstRow + row),
            timeUs ?? -1n,
            small === null ? 0.5 : small / 2,
            word === null ? null : seed,
            word,
            word,
          ]);
        }
        expect(Buffer.from(output.bytes).equals(wanted.take().bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
