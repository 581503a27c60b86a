import { describe, expect, it } from "vitest";
import { chainTie } from "../../../src/audit/chain-tie.ts";
import { type ChainAnchor, openAnchor } from "../../../src/consensus/chain-anchor.ts";

const anchor = (kind: ChainAnchor["kind"], from: number, to: number): ChainAnchor => ({
  ...openAnchor({ v: 1, kind, chain: "1", from, to: null, blocks: null, root: null, hashes: [] }),
  to,
});
const known = (block: number) => ({ block, hash: new Uint8Array(32), by: "given" as const, endpoints: 0 });

describe("what a known block hash ties to the chain", () => {
  it.each([
    [4, "block 5 of b is a child of that block", "that blocks 5 to 9 of b, behind the known one, are of the chain"],
    [5, "block 5 of b is that block", "that blocks 6 to 9 of b, behind the known one, are of the chain"],
    [
      8,
      "blocks 5 to 8 of b are that block and those before it",
      "that block 9 of b, behind the known one, is of the chain",
    ],
    [9, "blocks 5 to 9 of b are that block and those before it", undefined],
  ])("is of Ethereum everything up to block %i", (block, proved, open) => {
    expect(chainTie("b", anchor("ethereum", 5, 9), known(block))).toEqual({ proved, open });
  });

  it("is of Solana that block alone, and nothing where none is known", () => {
    expect(chainTie("s", anchor("solana", 5, 9), known(7)).open).toBe(
      "that the blocks of s other than 7 are those of the chain",
    );
    expect(chainTie("s", anchor("solana", 7, 7), known(7))).toEqual({ proved: undefined, open: undefined });
    expect(chainTie("b", anchor("ethereum", 5, 9), undefined).open).toContain("no block's hash was known beforehand");
  });
});
