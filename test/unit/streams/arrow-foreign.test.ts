import {
  Field,
  Float16,
  Int32,
  List,
  Table,
  TimestampNanosecond,
  tableFromArrays,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { fromArrow } from "../../../src/streams/arrow/arrow-stream.ts";
import { readArrow } from "../../../src/streams/arrow/read-arrow.ts";

describe("Arrow data that another library wrote", () => {
  const table = new Table({ n: vectorFromArray([1, 2, null], new Int32()) });

  it("is read as a stream, and as a file whose footer alone names its columns", () => {
    for (const form of ["stream", "file"] as const) {
      const [batch, ...more] = [...readArrow(tableToIPC(table, form))] as [Batch];
      expect([0, 1, 2].map((row) => rowValues(batch, row))).toEqual([[1], [2], [null]]);
      expect(more).toEqual([]);
    }
  });

  it("is ARROW_MALFORMED where a file's footer is cut, or says wrong sizes, and never worse", () => {
    const bytes = tableToIPC(table, "file");
    const refused = expect.objectContaining({ code: "ARROW_MALFORMED" }) as Error;
    for (const cut of [1, 6, 10]) expect(() => [...readArrow(bytes.subarray(0, -cut))]).toThrow(refused);
    for (const size of [-1, 0, 3, 2 ** 31 - 1]) {
      const wrong = Buffer.from(bytes);
      wrong.writeInt32LE(size, wrong.length - 10);
      expect(() => [...readArrow(wrong)]).toThrow(refused);
    }
  });

  it.each([
    ["a dictionary", tableFromArrays({ s: ["a", "b"] }), /dictionar/],
    ["timestamps in nanoseconds", new Table({ t: vectorFromArray([1, 2], new TimestampNanosecond()) }), /nanoseconds/],
    ["floats of 16 bits", new Table({ h: vectorFromArray([1, 2], new Float16()) }), /16 bits/],
    ["lists", new Table({ l: vectorFromArray([[1], [2]], new List(new Field("i", new Int32()))) }), /type of l/],
  ])("is refused by name where it has %s, as a stream and as a file", async (_, table, message) => {
    for (const form of ["stream", "file"] as const) {
      const read = lastValueFrom(fromArrow(tableToIPC(table as Table, form)).pipe(toArray()));
      const refused = { code: "ARROW_UNSUPPORTED", kind: "config", message: expect.stringMatching(message) };
      await expect(read).rejects.toMatchObject(refused);
    }
  });
});
