import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { decodeBatch } from "../../../src/batch/batch.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { COLUMN_TYPES, schemaOf, typeCode } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";

const page = await readFile(new URL("../../../docs/reference/batch.md", import.meta.url), "utf8");

/** The bytes of the page's test vector. */
function vector(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  const block = /```batch-vector\n([^`]*)```/.exec(page)?.[1] ?? "";
  for (const line of block.trim().split("\n")) {
    const [offset = "", ...words] = line.split(" ");
    bytes.set(Buffer.from(words.join("").replace("*", ""), "hex"), Number.parseInt(offset, 16));
  }
  return bytes;
}

describe("docs/reference/batch.md", () => {
  it("shows the bytes that its rows are laid out as", () => {
    const rows = [
      [33n, "LAS"],
      [null, "ATL"],
      [-4n, "LAS"],
    ];
    const writer = new BatchWriter(
      schemaOf([
        { name: "delay", type: "i64", nullable: true },
        { name: "origin", type: "dict", nullable: false },
      ]),
    );
    for (const row of rows) writer.push(row);
    const batch = writer.take();
    expect(batch.bytes).toEqual(vector(576));
    expect(rows.map((_, row) => rowValues(decodeBatch(vector(576)), row))).toEqual(rows);
  });

  it("numbers every type as the code does", () => {
    const table = page.slice(page.indexOf("## Types"), page.indexOf("## One layout"));
    const named = [...table.matchAll(/^\| ([\d, ]+) \| ([\w, ]+) \|/gm)].flatMap(([, numbers = "", names = ""]) => {
      const types = names.split(", ");
      return numbers.split(", ").map((number, i) => [types[i], Number(number)]);
    });
    expect(named).toEqual(COLUMN_TYPES.map((type) => [type, typeCode(type)]));
  });
});
