import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareBytes } from "../../../src/core/bytes.ts";
import { KeyStore } from "../../../src/streams/window/key-store.ts";

/** Bytes that often share their first twelve. */
const bytes = fc
  .tuple(fc.constantFrom(0, 3, 12), fc.uint8Array({ minLength: 1, maxLength: 6 }))
  .map(([shared, rest]) => Uint8Array.of(0x81, ...new Uint8Array(shared).fill(7), ...rest));
const distinct = fc.uniqueArray(bytes, { selector: (each) => Buffer.from(each).toString("hex"), maxLength: 200 });

function ordered(keys: KeyStore, ids: readonly number[]): Uint8Array[] {
  const ranks = keys.ranks(ids.length);
  expect(ranks?.count).toBe(ids.length);
  const found: Uint8Array[] = [];
  for (const id of ids) found[ranks?.rankOf[id] as number] = keys.bytesOf(id).slice();
  return found;
}

describe("remembered keys", () => {
  it("are ranked by their bytes, those that came later too", () => {
    fc.assert(
      fc.property(distinct, fc.nat(200), (all, first) => {
        const keys = new KeyStore(1);
        const ids = all.map((_, i) => 3 * (all.length - i));
        const put = (from: number, to: number): void =>
          all.slice(from, to).forEach((each, i) => keys.put(ids[from + i] as number, [from + i], each));
        put(0, first);
        ordered(keys, ids.slice(0, first));
        put(first, all.length);
        expect(ordered(keys, ids)).toEqual(all.toSorted(compareBytes));
        for (const [i, id] of ids.entries()) {
          expect(keys.valuesOf(id)).toEqual([i]);
          const copy = new Uint8Array(keys.lengthOf(id) + 1);
          keys.copy(id, copy, 1);
          expect(copy.subarray(1)).toEqual(all[i]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("are ranked by their bytes when there are thousands", () => {
    const keys = new KeyStore(1);
    const all = Array.from({ length: 9000 }, (_, i) => {
      const text = i % 3 === 0 ? `${"same beginning "}${i}` : `${(i * 7919) % 9973} ${i}`;
      return Uint8Array.of(0x81, 0x60 + text.length, ...Buffer.from(text));
    });
    all.forEach((each, i) => keys.put(i, [i], each));
    expect(
      ordered(
        keys,
        all.map((_, i) => i),
      ),
    ).toEqual(all.toSorted(compareBytes));
  });
});
