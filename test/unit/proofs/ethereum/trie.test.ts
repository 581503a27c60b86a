import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRlp, encodeRlp, quantityBytes, type Rlp } from "../../../../proofs/ethereum/rlp.ts";
import { listItemOf, proveListItem } from "../../../../proofs/ethereum/trie.ts";
import { fromHex, toHex, utf8 } from "../../../../src/core/bytes.ts";

const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array;

describe("RLP", () => {
  // Examples of ethereum.org/developers/docs/data-structures-and-encoding/rlp.
  it.each<[Rlp, string]>([
    [utf8("dog"), "83646f67"],
    [[utf8("cat"), utf8("dog")], "c88363617483646f67"],
    [new Uint8Array(0), "80"],
    [[], "c0"],
    [Uint8Array.of(0), "00"],
    [Uint8Array.of(0x0f), "0f"],
    [Uint8Array.of(4, 0), "820400"],
    [[[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"],
    [
      utf8("Lorem ipsum dolor sit amet, consectetur adipisicing elit"),
      `b838${toHex(utf8("Lorem ipsum dolor sit amet, consectetur adipisicing elit"))}`,
    ],
  ])("of %j", (item, encoded) => {
    expect(toHex(encodeRlp(item))).toBe(encoded);
    expect(decodeRlp(hex(encoded))).toEqual(item);
  });

  it("is read in its one form only", () => {
    for (const text of [
      "",
      "8100",
      "b800",
      "b80161",
      "83646f",
      "c883636174",
      "8364",
      "00 00".replace(" ", ""),
      "f800",
      "b90000",
    ])
      expect(decodeRlp(hex(text)), text).toBeUndefined();
    const { item } = fc.letrec<{ item: Rlp; list: Rlp[]; bytes: Uint8Array }>((tie) => ({
      item: fc.oneof({ depthSize: "small" }, tie("bytes"), tie("list")),
      list: fc.array(tie("item"), { maxLength: 4 }),
      bytes: fc.uint8Array({ maxLength: 70 }),
    }));
    fc.assert(
      fc.property(item, (value) => {
        expect(decodeRlp(encodeRlp(value))).toEqual(value);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the trie of a list", () => {
  const values = (count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => encodeRlp([quantityBytes(BigInt(i * 7919)), utf8("x".repeat(i % 50))]));

  it("has the root that chains have for an empty list, and of one value", () => {
    // EMPTY_TRIE_ROOT: Keccak-256 of the RLP of no bytes (yellow paper, appendix D).
    expect(toHex(keccak_256(encodeRlp(new Uint8Array(0))))).toBe(
      "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    );
    const { root, nodes } = proveListItem([utf8("only")], 0);
    expect(toHex(root)).toBe(toHex(keccak_256(encodeRlp([hex("2080"), utf8("only")]))));
    expect(listItemOf(root, 0, nodes)).toEqual(utf8("only"));
  });

  it.each([1, 2, 16, 17, 127, 128, 129, 300])("proves each of %i values at its place, and nowhere else", (count) => {
    const list = values(count);
    for (const index of new Set([0, 1, 15, 16, 127, 128, count >> 1, count - 1].filter((one) => one < count))) {
      const { root, nodes } = proveListItem(list, index);
      expect(listItemOf(root, index, nodes)).toEqual(list[index]);
      // A short neighbour may stand inside a node of the path; it is proved as well then, as what it is.
      for (const other of [index + 1, index + 16, index ^ 1])
        expect([undefined, list[other]]).toContainEqual(listItemOf(root, other, nodes));
      expect(listItemOf(root, index, nodes.slice(1))).toBeUndefined();
      expect(listItemOf(root, index, [...nodes, nodes.at(-1) as Uint8Array])).toBeUndefined();
      expect(listItemOf(keccak_256(root), index, nodes)).toBeUndefined();
      for (const [i, node] of nodes.entries()) {
        const changed = node.with(node.length - 1, (node.at(-1) as number) ^ 1);
        expect(listItemOf(root, index, nodes.with(i, changed))).toBeUndefined();
      }
    }
  });
});
