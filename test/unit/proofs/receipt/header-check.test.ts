import { keccak_256 } from "@noble/hashes/sha3.js";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeHeader, headerSchema } from "../../../../proofs/ethereum/encodings.ts";
import type { Receipt } from "../../../../proofs/receipt/contents.ts";
import { checkHeaders } from "../../../../proofs/receipt/header-check.ts";
import { HEADERS_PER_NODE } from "../../../../src/consensus/chain-anchor.ts";
import { toHex } from "../../../../src/core/bytes.ts";
import { cborBlock } from "../../../../src/dag/block.ts";
import { sha256 } from "../../../../src/node.ts";
import { chainAnchorOf } from "../../../../src/plan/anchor.ts";
import { eraBlocks } from "../../../support/ethereum-module.ts";

const FROM = 500;
const PARENT = new Uint8Array(32).fill(0xa0);
let chain: Uint8Array[];

beforeAll(async () => {
  const [{ block } = { block: {} }] = (await eraBlocks()).slice(-1);
  chain = [];
  for (let i = 0; i < HEADERS_PER_NODE + 2; i++) {
    const before = chain[i - 1];
    const parentHash = `0x${toHex(before === undefined ? PARENT : keccak_256(before))}`;
    chain.push(encodeHeader(headerSchema.parse({ ...block, number: `0x${(FROM + i).toString(16)}`, parentHash })));
  }
});

interface Shown {
  readonly headers?: readonly Uint8Array[];
  readonly hashes?: readonly Uint8Array[];
  readonly nodes?: readonly (readonly Uint8Array[])[];
  readonly from?: number;
  readonly trusted?: { readonly block: number; readonly hash: Uint8Array };
  readonly input?: string;
}

const check = ({ headers = chain, hashes, nodes, from = FROM, trusted, input = "blocks" }: Shown): void => {
  const content = {
    ...{ kind: "ethereum" as const, chain: "1", from, to: from + chain.length - 1 },
    ...{ hashes: hashes ?? chain.map((header) => keccak_256(header)), headers },
  };
  const { anchor, parts, headers: made } = chainAnchorOf(content, sha256);
  const links = nodes?.map((each) => cborBlock(sha256, { v: 1, kind: "block-headers", headers: each })) ?? made;
  const blocks = new Map([...parts, ...links].map((block) => [block.cid.toString(), block]));
  const config = trusted === undefined ? {} : { anchored: { blocks: { ...trusted, by: "given", endpoints: 0 } } };
  const root = { headers: { [input]: links.map(({ cid }) => cid) } };
  checkHeaders({ root, anchors: new Map([["blocks", anchor]]), blocks, config } as unknown as Receipt);
};

describe("headers in a receipt", () => {
  it("are the chain that the block hashes are", () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({ trusted: { block: FROM - 1, hash: PARENT } })).not.toThrow();
    expect(() => check({ trusted: { block: FROM + 1, hash: keccak_256(chain[1] as Uint8Array) } })).not.toThrow();
  });

  it.each<[string, () => Shown]>([
    ["one is missing", () => ({ headers: chain.slice(1) })],
    ["one is more", () => ({ headers: [...chain, chain[0] as Uint8Array] })],
    ["two are exchanged", () => ({ headers: [...chain.slice(0, -2), ...chain.slice(-2).reverse()] })],
    ["a byte is another one", () => ({ headers: chain.with(3, (chain[3] as Uint8Array).with(40, 1)) })],
    [
      "one has another parent",
      () => {
        const headers = chain.with(0, chain[5] as Uint8Array);
        return { headers, hashes: headers.map((header) => keccak_256(header)) };
      },
    ],
    ["the numbers are others", () => ({ from: FROM + 1 })],
    [
      "one is no header",
      () => {
        const headers = chain.with(-1, Uint8Array.of(0xc0));
        return { headers, hashes: headers.map((header) => keccak_256(header)) };
      },
    ],
    ["the first is no child of the trusted block", () => ({ trusted: { block: FROM - 1, hash: new Uint8Array(32) } })],
    [
      "they are cut otherwise",
      () => ({ nodes: [chain.slice(0, 1), chain.slice(1, HEADERS_PER_NODE + 1), chain.slice(-1)] }),
    ],
    ["they are of no input", () => ({ input: "others" })],
  ])("are refused where %s", (_, shown) => {
    expect(() => check(shown())).toThrow(expect.objectContaining({ code: "CHAIN_MISMATCH" }));
  });
});
