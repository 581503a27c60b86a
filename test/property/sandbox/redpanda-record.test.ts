import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  payloadBytes,
  topicOfOptions,
  valueOfPayload,
  writePayload,
} from "../../../src/sandbox/abi/redpanda-record.ts";

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => new Uint8Array(array));
const optional = fc.option(bytes, { nil: null });

/** A zigzag varint, written as Kafka's protocol describes it. */
function varint(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const out: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}

function sized(part: Uint8Array | null): number[] {
  return part === null ? varint(-1n) : [...varint(BigInt(part.length)), ...part];
}

describe("payloads of records", () => {
  it("are read whatever key, value and headers they have", () => {
    fc.assert(
      fc.property(
        optional,
        optional,
        fc.array(fc.tuple(optional, optional), { maxLength: 5 }),
        (key, value, headers) => {
          const payload = Uint8Array.from([
            ...sized(key),
            ...sized(value),
            ...varint(BigInt(headers.length)),
            ...headers.flatMap(([name, content]) => [...sized(name), ...sized(content)]),
          ]);
          expect(valueOfPayload(payload)).toEqual(value);
          // Neither a part of one nor one with something behind it is a payload.
          expect(valueOfPayload(payload.slice(0, -1))).toBeUndefined();
          expect(valueOfPayload(Uint8Array.from([...payload, 0]))).toBeUndefined();
        },
      ),
    );
  });

  it("are written as others write them", () => {
    fc.assert(
      fc.property(fc.nat(70_000), (length) => {
        const value = new Uint8Array(length).fill(7);
        const target = new Uint8Array(payloadBytes(length) + 1).fill(9);
        expect(writePayload(target, value)).toBe(payloadBytes(length));
        const expected = Uint8Array.from([...varint(-1n), ...varint(BigInt(length)), ...value, 0, 9]);
        expect(Buffer.compare(target, expected)).toBe(0);
        expect(valueOfPayload(target.slice(0, -1))?.length).toBe(length);
      }),
      { numRuns: 40, examples: [[0], [63], [64], [8191], [8192]] },
    );
  });

  it("may be any bytes at all", () => {
    fc.assert(
      fc.property(bytes, (payload) => {
        expect(() => valueOfPayload(payload)).not.toThrow();
        expect(() => topicOfOptions(payload)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("options of a write", () => {
  it("name one topic, or none", () => {
    expect(topicOfOptions(new Uint8Array(0))).toBeNull();
    expect(topicOfOptions(Uint8Array.of(1, 4, 0x61, 0x62))).toEqual(Uint8Array.of(0x61, 0x62));
    for (const wrong of [[2], [1], [1, 1], [1, 4, 0x61], [1, 4, 0x61, 0x62, 1]])
      expect(topicOfOptions(Uint8Array.from(wrong)), String(wrong)).toBeUndefined();
  });
});
