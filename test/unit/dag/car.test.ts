import { hash as nodeHashing } from "node:crypto";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { concat, fromHex, utf8 } from "../../../src/core/bytes.ts";
import { type Block, CODEC, cborBlock, cidOf, jsonBlock, rawBlock } from "../../../src/dag/block.ts";
import { encodeCar, readCar, walk } from "../../../src/dag/car.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => nodeHashing("sha256", bytes, "buffer");
const failsWith = (code: string, where?: string): unknown =>
  expect.objectContaining({ code, kind: "verification", ...(where === undefined ? {} : { where }) });

const leaf = rawBlock(sha256, Uint8Array.of(1, 2, 3));
const root = cborBlock(sha256, { v: 1, leaf: leaf.cid });

/** A file by hand: header bytes as given, one-byte lengths. */
function file(header: Uint8Array, ...blocks: readonly Block[]): Uint8Array {
  const sections = blocks.map(({ cid, bytes }) =>
    concat(Uint8Array.of(cid.bytes.length + bytes.length), cid.bytes, bytes),
  );
  return concat(Uint8Array.of(header.length), header, ...sections);
}

describe("readCar", () => {
  it("takes the file that a header and sections by hand make", () => {
    const bytes = file(dagCbor.encode({ version: 1, roots: [root.cid] }), root, leaf);
    expect(Buffer.compare(bytes, encodeCar(root.cid, [root, leaf]))).toBe(0);
    expect(readCar(sha256, bytes).blocks.size).toBe(2);
  });

  it.each([
    { what: "no root", roots: [] },
    { what: "two roots", roots: [root.cid, leaf.cid] },
    { what: "a root that is no link", roots: ["x"] },
    { what: "no list of roots", roots: 1 },
  ])("refuses $what", ({ roots }) => {
    expect(() => readCar(sha256, file(dagCbor.encode({ version: 1, roots }), root, leaf))).toThrow(
      failsWith("CAR_ROOTS", "byte 1"),
    );
  });

  it.each([
    { what: "version 2", header: dagCbor.encode({ version: 2, roots: [root.cid] }) },
    { what: "no version", header: dagCbor.encode({ roots: [root.cid] }) },
    { what: "another key", header: dagCbor.encode({ version: 1, roots: [root.cid], more: 1 }) },
    { what: "no map", header: dagCbor.encode([1]) },
    { what: "no dag-cbor", header: Uint8Array.of(0xff, 0xff) },
    // The same map with its keys in the other order.
    {
      what: "keys out of order",
      header: concat(
        Uint8Array.of(0xa2),
        fromHex("6776657273696f6e01") as Uint8Array,
        dagCbor.encode({ roots: [root.cid] }).slice(1),
      ),
    },
  ])("refuses a header with $what", ({ header }) => {
    expect(() => readCar(sha256, file(header, root, leaf))).toThrow(failsWith("CAR_MALFORMED"));
  });

  it("refuses a varint that is not minimal, and one that is none", () => {
    const good = encodeCar(root.cid, [root, leaf]);
    const header = good[0] as number;
    const long = concat(Uint8Array.of(header | 0x80, 0), good.slice(1));
    expect(() => readCar(sha256, long)).toThrow(failsWith("CAR_MALFORMED", "byte 0"));
    expect(() => readCar(sha256, new Uint8Array(20).fill(0xff))).toThrow(failsWith("CAR_MALFORMED", "byte 0"));
    expect(() => readCar(sha256, new Uint8Array(0))).toThrow(failsWith("CAR_MALFORMED", "byte 0"));
  });

  it("refuses a length beyond the limit before it reads that far", () => {
    const head = encodeCar(root.cid, [root]);
    const huge = concat(head, Uint8Array.of(0xff, 0xff, 0xff, 0x7f), leaf.cid.bytes, leaf.bytes);
    expect(() => readCar(sha256, huge)).toThrow(failsWith("CAR_MALFORMED", `byte ${head.length}`));
  });

  it("refuses a node that is not in canonical encoding, in either codec", () => {
    const padded = utf8(`{ "v": 1 }`);
    const json = { cid: cidOf(sha256, CODEC.dagJson, padded), bytes: padded };
    expect(() => readCar(sha256, encodeCar(json.cid, [json]))).toThrow(failsWith("DAG_MALFORMED", json.cid.toString()));
    // The number 1 in two bytes.
    const wide = Uint8Array.of(0xa1, 0x61, 0x76, 0x18, 0x01);
    const cbor = { cid: cidOf(sha256, CODEC.dagCbor, wide), bytes: wide };
    expect(() => readCar(sha256, encodeCar(cbor.cid, [cbor]))).toThrow(failsWith("DAG_MALFORMED", cbor.cid.toString()));
  });

  it("refuses CIDs of other kinds: version 0, other codecs, other hashes, non-minimal", () => {
    const v0 = CID.parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
    const header = dagCbor.encode({ version: 1, roots: [root.cid] });
    const odd = (section: Uint8Array): Uint8Array => concat(file(header, root), Uint8Array.of(section.length), section);
    const digest = sha256(new Uint8Array(0));
    for (const prefix of [
      [],
      [1, 0x70, 0x12, 0x20],
      [1, 0x55, 0x13, 0x20],
      [1, 0xd5, 0, 0x12, 0x20],
      [2, 0x55, 0x12, 0x20],
    ]) {
      expect(() => readCar(sha256, odd(concat(Uint8Array.from(prefix), digest, new Uint8Array(8))))).toThrow(
        failsWith("CAR_MALFORMED"),
      );
    }
    expect(() => readCar(sha256, odd(concat(v0.bytes, new Uint8Array(8))))).toThrow(failsWith("CAR_MALFORMED"));
  });

  it("says so when a node is nested too deeply to be encoded again", () => {
    const depth = 200_000;
    const deep = concat(new Uint8Array(depth).fill(0x81), Uint8Array.of(0));
    const block = { cid: cidOf(sha256, CODEC.dagCbor, deep), bytes: deep };
    expect(() => readCar(sha256, encodeCar(block.cid, [block]))).toThrow(
      expect.objectContaining({ kind: "verification" }),
    );
  });

  it("refuses a file whose root is not in it", () => {
    const bytes = file(dagCbor.encode({ version: 1, roots: [root.cid] }), leaf);
    expect(() => readCar(sha256, bytes)).toThrow(failsWith("CAR_LINK_MISSING", root.cid.toString()));
  });
});

describe("encodeCar", () => {
  it("does not write what readCar would refuse", () => {
    expect(() => encodeCar(root.cid, [root, root])).toThrow(failsWith("CAR_DUPLICATE_BLOCK", root.cid.toString()));
    expect(() => encodeCar(root.cid, [leaf])).toThrow(failsWith("CAR_LINK_MISSING", root.cid.toString()));
    const big = { cid: leaf.cid, bytes: new Uint8Array(32 * 1024 * 1024 + 1) };
    expect(() => encodeCar(root.cid, [root, big])).toThrow(failsWith("CAR_MALFORMED", leaf.cid.toString()));
  });
});

describe("walk", () => {
  const blocksOf = (...blocks: readonly Block[]): Map<string, Block> =>
    new Map(blocks.map((block) => [block.cid.toString(), block]));
  const none = { external: () => false };

  it("gives the blocks in the order of links, each once", () => {
    const two = jsonBlock(sha256, { a: root.cid, b: leaf.cid });
    expect(walk(two.cid, blocksOf(leaf, root, two), none).blocks).toEqual([two, root, leaf]);
  });

  it("lists links that lead outside, and only those it may", () => {
    const found = walk(root.cid, blocksOf(root), { external: (cid) => cid.code === CODEC.raw });
    expect(found.external.map(String)).toEqual([leaf.cid.toString()]);
    expect(() => walk(root.cid, blocksOf(root), none)).toThrow(failsWith("CAR_LINK_MISSING", leaf.cid.toString()));
  });

  it("refuses a block that nothing leads to", () => {
    const stray = rawBlock(sha256, Uint8Array.of(9));
    expect(() => walk(root.cid, blocksOf(root, leaf, stray), none)).toThrow(
      failsWith("CAR_UNREFERENCED_BLOCK", stray.cid.toString()),
    );
  });

  it("follows a chain longer than the call stack", () => {
    let last = cborBlock(sha256, { prev: null });
    const chain = [last];
    for (let i = 0; i < 20_000; i++) {
      last = cborBlock(sha256, { prev: last.cid });
      chain.push(last);
    }
    expect(walk(last.cid, blocksOf(...chain), none).blocks.length).toBe(chain.length);
  });
});
