import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  elementsOf,
  endOf,
  INCOMPLETE,
  INVALID,
  type KnownEnds,
  membersOf,
  plainText,
  valueEnd,
} from "../../../../src/sources/chain/json-scan.ts";
import { jsonValues } from "../../../../src/sources/chain/json-values.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "utf8");
const textOf = (bytes: Buffer, { from, to }: { from: number; to: number }): string => bytes.toString("utf8", from, to);
const long = "x".repeat(79);
const nested = fc.jsonValue({ maxDepth: 4 }).map((value) => [value, `${long}\\"${long}`, "\\\\"]);

describe("the scanner", () => {
  it("finds where any value ends, and tells when it is not there yet", () => {
    fc.assert(
      fc.property(nested, fc.constantFrom(undefined, 1, "\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const bytes = bytesOf(`${text} `);
        expect(valueEnd(bytes, 0, bytes.length)).toBe(bytes.length - 1);
        for (const end of [0, 1, bytes.length >> 1, bytes.length - 2]) expect(valueEnd(bytes, 0, end)).toBe(INCOMPLETE);
      }),
    );
  });

  it("finds members and elements", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const bytes = bytesOf(JSON.stringify(object));
        const members = membersOf(bytes, 0, bytes.length) ?? [];
        const found = members.map(({ name, value }): unknown[] => [
          JSON.parse(`"${textOf(bytes, name)}"`),
          JSON.parse(textOf(bytes, value)),
        ]);
        expect(found).toEqual(Object.entries(JSON.parse(JSON.stringify(object)) as object));
        const list = bytesOf(JSON.stringify(Object.values(object)));
        const elements = elementsOf(list, 0, list.length, 1000) ?? [];
        expect(elements.map((slice) => JSON.parse(textOf(list, slice)) as unknown)).toEqual(
          JSON.parse(list.toString()),
        );
      }),
    );
  });

  it("goes through objects to the same end, and the members that it found are those", () => {
    const long = fc.constantFrom("", "x".repeat(600), '}"\\'.repeat(200));
    const object = fc.tuple(long, nested, fc.dictionary(fc.string(), fc.jsonValue())).map(([text, value, more]) => ({
      text,
      reply: { result: { block: { value, text, deeper: { deepest: { text, value } } } } },
      ...more,
    }));
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 1), fc.nat(), (value, space, cut) => {
        const bytes = bytesOf(`${JSON.stringify(value, null, space)} `);
        const known: KnownEnds = new Map();
        expect(endOf(bytes, 0, bytes.length, known)).toBe(bytes.length - 1);
        for (const [at, to] of known) expect(valueEnd(bytes, at, bytes.length)).toBe(to);
        expect(membersOf(bytes, 0, bytes.length, known)).toEqual(membersOf(bytes, 0, bytes.length));
        const end = cut % (bytes.length - 1);
        expect(endOf(bytes, 0, end, new Map())).toBe(INCOMPLETE);
        // Whatever stands in it, it ends where its brackets say.
        const bent = Buffer.from(bytes);
        bent[end] = (bent[end] as number) ^ 1;
        expect(endOf(bent, 0, bent.length, new Map())).toBe(valueEnd(bent, 0, bent.length));
      }),
    );
  });

  it("says where there is no JSON", () => {
    for (const text of ["}", ",", ":", "<"]) expect(valueEnd(bytesOf(text), 0, 1)).toBe(INVALID);
    for (const text of ['{"a" 1}', '{"a":1,}', '{"a":1 "b":2}', "{a:1}", '{"a":'])
      expect(membersOf(bytesOf(text), 0, text.length)).toBeUndefined();
    expect(elementsOf(bytesOf("[1 2]"), 0, 5, 9)).toBeUndefined();
    expect(plainText(bytesOf('"a\\u0062"'), { from: 0, to: 9 })).toBeUndefined();
    expect(plainText(bytesOf('"abc"'), { from: 0, to: 5 })).toBe("abc");
  });

  it("finds the values of a stream whatever its chunks are", async () => {
    const values = ['{"a":[1,2,"]"]}', "[]", '"x"', "12", '{"é":"\\\\"}'];
    const bytes = bytesOf(`\u{feff} ${values.join("\n")}\n`);
    for (const size of [1, 2, 3, 7, 100]) {
      const chunks = async function* (): AsyncGenerator<Buffer> {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const found: string[] = [];
      for await (const value of jsonValues(chunks())) {
        if ("fault" in value) throw new Error(value.fault);
        found.push(textOf(value.bytes, value));
        expect(bytes.toString("utf8", value.offset, value.offset + value.to - value.from)).toBe(found.at(-1));
      }
      expect(found).toEqual(values);
    }
  });
});
