import { beforeAll, describe, expect, it } from "vitest";
import { type Wholeness, wholeness } from "../../../src/audit/same-block.ts";
import { blockBatch, blockRow, type EthereumBlock, eraBlocks } from "../../support/ethereum-module.ts";

type Change = (given: EthereumBlock) => unknown;

let eras: readonly (EthereumBlock & { readonly era: string })[];
beforeAll(async () => {
  eras = await eraBlocks();
});

const kindOf = (given: EthereumBlock, change: Change = () => undefined): Wholeness => {
  const own = structuredClone({ block: given.block, receipts: given.receipts });
  change(own);
  return wholeness(blockBatch([blockRow(own)]), 0);
};
const newest = (): EthereumBlock => eras.at(-1) as EthereumBlock;
const firstOf = (list: unknown): Record<string, unknown> => (list as Record<string, unknown>[])[0] as never;

describe("a block with all that its hash commits to", () => {
  it("is one of any era, however else it is written", () => {
    for (const { era, ...given } of eras) {
      expect(kindOf(given), era).toBe("whole");
      const other: Change = ({ block, receipts }) => {
        block["totalDifficulty"] = "0x1";
        firstOf(block["transactions"])["from"] = `0x${"11".repeat(20)}`;
        firstOf(receipts)["effectiveGasPrice"] = "0x1";
      };
      expect(kindOf(given, other), era).toBe("whole");
    }
  });

  it("may leave its withdrawals out, which then are not there to compare", () => {
    expect(kindOf(newest(), ({ block }) => delete block["withdrawals"])).toBe("no withdrawals");
  });

  it.each<[string, Change]>([
    ["a field of the header", ({ block }) => (block["gasLimit"] = "0x1")],
    ["a transaction's hash", ({ block }) => (firstOf(block["transactions"])["hash"] = `0x${"11".repeat(32)}`)],
    ["a transaction's value", ({ block }) => (firstOf(block["transactions"])["value"] = "0x1")],
    ["the transactions", ({ block }) => (block["transactions"] as unknown[]).pop()],
    ["a receipt's gas", ({ receipts }) => (firstOf(receipts)["cumulativeGasUsed"] = "0x1")],
    ["the receipts", ({ receipts }) => receipts.pop()],
    ["a withdrawal", ({ block }) => (block["withdrawals"] = [{ ...WITHDRAWAL, amount: "0x77777" }])],
    ["the withdrawals", ({ block }) => (block["withdrawals"] = [])],
    ["the block's form", ({ block }) => (block["transactions"] = null)],
  ])("is none where %s was changed", (_, change) => {
    expect(kindOf(newest(), change)).toBe("other");
  });
});

const WITHDRAWAL = { index: "0x0", validatorIndex: "0x5", address: `0x${"3a".repeat(20)}`, amount: "0x64" };
