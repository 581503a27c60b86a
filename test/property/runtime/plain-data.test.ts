import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainOf } from "../../../src/runtime/plain-data.ts";
import { ipld } from "../journal/ipld-arbitrary.ts";

/** Keys in order at every level, which `toEqual` does not look at. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || "multihash" in value)
    return typeof value;
  return Object.entries(value).map(([key, member]) => [key, shape(member)]);
}

describe("plain data", () => {
  it("is exactly what comes back from dag-cbor, key order included", () => {
    fc.assert(
      fc.property(ipld, fc.boolean(), (value, remember) => {
        const known = remember ? new WeakSet<object>() : undefined;
        const plain = plainOf(value, known);
        if (!plain.ok) throw new Error(`${plain.reason} at ${plain.path}`);
        const back: unknown = dagCbor.decode(dagCbor.encode(plain.value));
        expect(back).toEqual(plain.value);
        expect(shape(back)).toEqual(shape(plain.value));
        const again = plainOf(plain.value, known);
        expect(again).toEqual(plain);
        if (remember && again.ok) expect(again.value).toBe(plain.value);
      }),
      { numRuns: 500 },
    );
  });

  it("orders the keys of large records too, and keeps one that is in order as it is", () => {
    for (const size of [31, 32, 33, 34, 200]) {
      const names = Array.from({ length: size }, (_, at) => `k${at % 7 === 0 ? "ä" : ""}${(at * 37) % size}`);
      const plain = plainOf(Object.fromEntries(names.map((name, at) => [name, at])));
      if (!plain.ok) throw new Error(plain.reason);
      expect(shape(plain.value)).toEqual(shape(dagCbor.decode(dagCbor.encode(plain.value))));
      const known = new WeakSet<object>();
      const ordered = { ...(plain.value as object) };
      expect(plainOf(ordered, known)).toEqual({ ok: true, value: ordered });
      expect(known.has(ordered)).toBe(true);
    }
  });

  it("drops undefined members, unwraps byte arrays, and shares nothing with what it was given", () => {
    const given = { b: undefined, long: [1, { x: Buffer.from("ab") }], a: 1 };
    const plain = plainOf(given);
    expect(plain).toEqual({ ok: true, value: { a: 1, long: [1, { x: Uint8Array.of(97, 98) }] } });
    given.long.push(2);
    expect(plain.ok && Object.keys(plain.value as object)).toEqual(["a", "long"]);
    expect(plain.ok && (plain.value as { long: unknown[] }).long).toHaveLength(2);
  });

  const refused: readonly (readonly [string, unknown])[] = [
    ["NaN", Number.NaN],
    ["-0", -0],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a class instance", new (class Box {})()],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a small bigint", 5n],
    ["a huge bigint", 2n ** 64n],
    ["half a surrogate pair", "\ud800"],
    ["undefined in a list", [undefined]],
    ["__proto__", JSON.parse('{"__proto__": 1}')],
    ["a cycle", cycle()],
  ];
  for (const [name, value] of refused) {
    it(`refuses ${name} and says where`, () => {
      const plain = plainOf({ at: value });
      expect(plain.ok).toBe(false);
      expect(!plain.ok && plain.path.startsWith("$.at")).toBe(true);
    });
  }
});

function cycle(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
}
