import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson } from "../../../src/core/json.ts";

/** The text of a value with every letter of every key written as an escape. */
function escaped(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(escaped).join(" ,\n")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const key = (text: string): string =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
  return `{${Object.entries(value)
    .map(([name, inner]) => `\t"${key(name)}" : ${escaped(inner)}`)
    .join(", ")} }`;
}

describe("JSON from anyone", () => {
  it("has the keys that it says, whatever objects there were before, at any depth", () => {
    // V8 13 remembers the keys of objects of this shape.
    for (let i = 0; i < 3; i++) readJson(String.raw`[{"x":1,"\\":2}]`);
    expect(readJson(String.raw`[{"x":1,"\u0061":2}]`)).toEqual([{ x: 1, a: 2 }]);
    expect(readJson(String.raw`{"o":{"x":1,"\u0061":2}}`)).toEqual({ o: { x: 1, a: 2 } });
    expect(readJson(String.raw`{"x":1,"\u0061":2}`)).toEqual({ x: 1, a: 2 });
  });

  it("is what it was written from, with plain keys and with escaped ones", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const plain = JSON.stringify(value);
        expect(readJson(plain)).toEqual(JSON.parse(plain));
        expect(readJson(escaped(value))).toEqual(JSON.parse(plain));
      }),
      { numRuns: 200 },
    );
  });

  it("takes the last of equal keys, and __proto__ for a key like others", () => {
    expect(JSON.stringify(readJson(String.raw`{"a":1,"b":2,"\u0061":3}`))).toBe('{"a":3,"b":2}');
    const value = readJson(String.raw`{"__proto__":{"a":1},"\u0062":2}`) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__", "b"]);
  });

  it("refuses what is no JSON, as it does without escapes", () => {
    const good = String.raw`{"\u0061":[1,{"b":null},"x"],"c":{}}`;
    expect(readJson(good)).toEqual({ a: [1, { b: null }, "x"], c: {} });
    for (let at = 0; at < good.length; at++) {
      for (const text of [
        good.slice(0, at),
        `${good.slice(0, at)}${good.slice(at + 1)}`,
        `${good.slice(0, at)},${good.slice(at)}`,
      ]) {
        let plain: unknown;
        try {
          plain = JSON.parse(text);
        } catch {
          expect(() => readJson(text), text).toThrow(SyntaxError);
          continue;
        }
        expect(readJson(text), text).toEqual(plain);
      }
    }
    for (const text of [
      String.raw`{"\u0061":}`,
      String.raw`{"\u0061" 1}`,
      String.raw`[{"\u0061":1}}`,
      String.raw`{"\u0061":1} 2`,
    ])
      expect(() => readJson(text), text).toThrow(SyntaxError);
  });

  it("takes time and memory in proportion to the text, however deep", () => {
    const depth = 100_000;
    const text = `${"[".repeat(depth)}${String.raw`{"\u0061":1}`}${"]".repeat(depth)}`;
    let value = readJson(text);
    for (let i = 0; i < depth; i++) [value] = value as unknown[];
    expect(value).toEqual({ a: 1 });
  });
});
