import fc from "fast-check";
import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import {
  CODEC,
  cborBlock,
  checkBlock,
  cidOf,
  decodeBlock,
  decodeStrict,
  jsonBlock,
  linksOf,
  rawBlock,
} from "../../../src/dag/block.ts";
import { BLOCK_SIZE_MAX } from "../../../src/dag/limits.ts";
import { sha256 } from "../../../src/node.ts";

const error = (code: string): unknown => expect.objectContaining({ code });

describe("blocks", () => {
  it("have the CIDs that other implementations give", () => {
    // Of the empty raw block and of the dag-cbor map {}, as printed by `ipfs`.
    expect(rawBlock(sha256, new Uint8Array()).cid.toString()).toBe(
      "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    );
    expect(cborBlock(sha256, {}).cid.toString()).toBe("bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
  });

  it("decode to what was encoded", () => {
    const value = {
      z: [1, -2, 2n ** 60n, null, true, "ü", new Uint8Array([1, 2])],
      a: { link: rawBlock(sha256, utf8("x")).cid },
    };
    for (const block of [cborBlock(sha256, value), jsonBlock(sha256, { ...value, z: [1, null] })])
      expect(cborBlock(sha256, decodeStrict(sha256, block)).bytes.length).toBeGreaterThan(10);
    const bytes = utf8("as they are");
    expect(decodeStrict(sha256, rawBlock(sha256, bytes))).toEqual(bytes);
  });

  it("keep a byte order mark at the beginning of a text, short or long, in names too", () => {
    const long = "\u{feff}".padEnd(300, "a");
    const value = { "\u{feff}name": ["\u{feff}x", "x", "\u{feff}", "\u{feff}\u{feff}", long, "x\u{feff}"], name: long };
    for (const block of [cborBlock(sha256, value), jsonBlock(sha256, value)])
      expect(decodeStrict(sha256, block)).toEqual(value);
  });

  it.each([
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a function", () => 0],
    ["a symbol", Symbol("s")],
  ])("are not made of %s", (_, value) => {
    expect(() => cborBlock(sha256, { value })).toThrow(error("DAG_NOT_ENCODABLE"));
  });

  it("are not read when their bytes are others", () => {
    const { cid } = cborBlock(sha256, { a: 1 });
    expect(() => decodeStrict(sha256, { cid, bytes: cborBlock(sha256, { a: 2 }).bytes })).toThrow(
      error("DAG_CID_MISMATCH"),
    );
  });

  it("are not read when they do not decode, or only loosely", () => {
    const of = (code: number, bytes: Uint8Array) => ({ cid: cidOf(sha256, code, bytes), bytes });
    expect(() => decodeStrict(sha256, of(CODEC.dagCbor, Uint8Array.of(0xff)))).toThrow(error("DAG_MALFORMED"));
    expect(() => decodeStrict(sha256, of(CODEC.dagJson, utf8("{")))).toThrow(error("DAG_MALFORMED"));
    expect(() => decodeStrict(sha256, of(CODEC.dagJson, utf8('{"b":1, "a":2}')))).toThrow(error("DAG_MALFORMED"));
    // The map {b: 1, a: 2} with its keys out of order, and the number 1 in two bytes.
    expect(() => decodeStrict(sha256, of(CODEC.dagCbor, Uint8Array.of(0xa2, 0x61, 0x62, 1, 0x61, 0x61, 2)))).toThrow(
      error("DAG_MALFORMED"),
    );
    expect(() => decodeStrict(sha256, of(CODEC.dagCbor, Uint8Array.of(0x18, 1)))).toThrow(error("DAG_MALFORMED"));
  });

  it("are not read when they are too large", () => {
    const bytes = new Uint8Array(BLOCK_SIZE_MAX + 1);
    expect(() => checkBlock(sha256, rawBlock(sha256, bytes))).toThrow(error("DAG_MALFORMED"));
    expect(() => checkBlock(sha256, rawBlock(sha256, bytes.subarray(1)))).not.toThrow();
  });

  it("are not read under another kind of CID", () => {
    const bytes = utf8("x");
    const digest = sha256(bytes);
    const kinds = [
      CID.createV0(Digest.create(0x12, digest)),
      CID.createV1(0x70, Digest.create(0x12, digest)),
      CID.createV1(CODEC.raw, Digest.create(0x13, digest)),
      CID.createV1(CODEC.raw, Digest.create(0x12, digest.subarray(1))),
    ];
    for (const cid of kinds) expect(() => checkBlock(sha256, { cid, bytes })).toThrow(error("DAG_UNSUPPORTED"));
  });

  it("never make decoding throw anything but its own errors", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...Object.values(CODEC)), (bytes, code) => {
        const block = { cid: cidOf(sha256, code, bytes), bytes };
        try {
          decodeStrict(sha256, block);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "DAG_MALFORMED" });
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are decoded unchecked where they are trusted", () => {
    const block = cborBlock(sha256, { a: 1 });
    expect(decodeBlock({ cid: cborBlock(sha256, 0).cid, bytes: block.bytes })).toEqual({ a: 1 });
  });
});

describe("links", () => {
  it("are found at any depth, in order, and nowhere else", () => {
    const [a, b, c] = ["a", "b", "c"].map((text) => rawBlock(sha256, utf8(text)).cid);
    const found = linksOf({ x: a, y: [b, { z: c }, a], text: String(a), bytes: a?.bytes, none: null, n: 1 });
    expect(found.map(String)).toEqual([a, b, c, a].map(String));
    expect(linksOf(null)).toEqual([]);
  });
});
