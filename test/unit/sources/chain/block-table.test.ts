import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockTable, BlockTableWriter } from "../../../../src/sources/chain/block-table.ts";
import { chainFormat } from "../../../../src/sources/chain/formats.ts";
import { CHAIN_KINDS } from "../../../../src/sources/chain/kind.ts";

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const place = fc.record({ file: fc.nat(), from: fc.nat({ max: 2 ** 40 }), to: fc.nat({ max: 2 ** 40 }) });

describe.each(CHAIN_KINDS)("the table of blocks of %s", (kind) => {
  const format = chainFormat(kind);
  const block = fc.record({
    head: fc.record({
      number: fc.nat({ max: 300 }),
      parentNumber: fc.nat(),
      hash: hash.map((bytes) => format.hashText(bytes)),
      parent: hash.map((bytes) => format.hashText(bytes)),
    }),
    texts: fc.array(place, { minLength: format.texts.length, maxLength: format.texts.length }),
  });

  it("has what was put into it, by number, also in another thread", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 150 }), fc.nat({ max: 300 }), (blocks, to) => {
        const writer = new BlockTableWriter(format);
        for (const { head, texts } of blocks) writer.push(head, texts);
        const { data } = writer.table().sorted((number) => number <= to);
        const table = new BlockTable(format, structuredClone(data));
        const expected = blocks.filter(({ head }) => head.number <= to).sort((a, b) => a.head.number - b.head.number);
        expect([...table.heads()]).toEqual(expected.map(({ head }) => head));
        expect(expected.map((_, row) => table.texts(row))).toEqual(expected.map(({ texts }) => texts));
      }),
      { numRuns: 30 },
    );
  });
});
