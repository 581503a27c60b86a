import { describe, expect, it } from "vitest";
import { parseJson } from "../../../../src/batch/text/json-object.ts";

/** What `JSON.parse` gives as long as it has not been led astray: keys are compared by entries, in order. */
function outcome(parse: (text: string) => unknown, text: string): string {
  try {
    return JSON.stringify(parse(text), (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  } catch (error) {
    return error instanceof SyntaxError ? "no JSON" : String(error);
  }
}

describe("a line of JSON", () => {
  it("has the keys that stand in it, whatever objects were seen before", () => {
    // With these shapes known, V8 13 takes the first character of an escape for the whole key.
    for (let i = 0; i < 100; i++) {
      JSON.parse('{"x":1,"\\\\":2}');
      JSON.parse('{"x":1,"y":1,"\\\\u":2}');
    }
    expect(parseJson('{"x":1,"\\u0061":2}')).toEqual({ x: 1, a: 2 });
    expect(parseJson('{"x":1,"\\"":2}')).toEqual({ x: 1, '"': 2 });
    expect(parseJson('{"x":1,"y":1,"\\u0061b":2}')).toEqual({ x: 1, y: 1, ab: 2 });
    expect(parseJson(' { "x" : 1 , "\\n" : [ "\\"", { "\\t": 9007199254740993 } ] } ')).toMatchObject({
      x: 1,
      "\n": ['"', expect.anything()],
    });
  });

  const keys = ['"\\u0062"', '"\\""', '"a\\\\"', '"\\n\\t"', '"__proto__\\u0020"', '"\\x"', '"\\u12"', '"\\', "b"];
  const values = [
    "1",
    "-0",
    "9007199254740993",
    '"\\":"',
    '"a,}"',
    "[1,{}]",
    '{"k":[2]}',
    "[}",
    "{]",
    "",
    "1 2",
    "nul",
    "tru e",
    '"',
  ];
  const frames = [
    "{K:V}",
    ' {\t"a": V , K :V}\r',
    "{K:V,}",
    "{K:V",
    "{K:V}}",
    "{,K:V}",
    "{K V}",
    "{K:V,K:V}",
    "[{K:V}]",
    '{"a":{K:V}}',
    "K:V",
    "{K:V} x",
    '{"a" "b",K:V}',
  ];
  for (const frame of frames) {
    it(`is what JSON.parse takes it for, in ${JSON.stringify(frame)}`, () => {
      for (const key of keys)
        for (const value of values) {
          const text = frame.replaceAll("K", () => key).replaceAll("V", () => value);
          const exact = (_: string, v: unknown, context?: { source?: string }): unknown =>
            typeof v === "number" && !Number.isSafeInteger(v) && /^-?\d+$/.test(context?.source ?? "")
              ? BigInt(context?.source ?? 0)
              : v;
          expect(outcome(parseJson, text), text).toBe(outcome((line) => JSON.parse(line, exact), text));
        }
    });
  }
});
