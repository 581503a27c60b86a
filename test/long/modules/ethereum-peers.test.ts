import { afterAll, describe, expect, it } from "vitest";
import { ERAS, eraBlock } from "../../../bench/chain/eras.ts";
import { loadPeers, type Peers } from "../../../bench/chain/peers.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import {
  blockBatch,
  blockRow,
  type EthereumBlock,
  hexOf,
  loadBuiltIn,
  rowsMade,
} from "../../support/ethereum-module.ts";
import { SEED } from "../../support/seed.ts";

const peers = loadPeers();
if (peers === undefined) console.warn("skipped: EthereumJS is not installed (npm install --prefix bench)");
const lane = openLane();
afterAll(() => lane.close());

describe.skipIf(peers === undefined)("random blocks that EthereumJS makes", () => {
  // Around the numbers where the keys of a trie get longer, and where its root is a leaf, a branch or an extension.
  it.each([0, 1, 2, 16, 17, 127, 129])("of %i transactions are verified in full in every era", async (count) => {
    const module = await loadBuiltIn(lane, "ethereum", { table: "transactions", verify: "full" });
    for (const [i, era] of ERAS.entries()) {
      // Signing takes its time: large blocks are of the first and the last era.
      if (count > 17 && i > 0 && i < ERAS.length - 1) continue;
      const made = await eraBlock(peers as Peers, era, SEED + 100 * count + i, count);
      const block = structuredClone(made) as unknown as EthereumBlock;
      const rows = await rowsMade(module, blockBatch([blockRow(block)]));
      const txs = block.block["transactions"] as { hash: string }[];
      expect(rows.map(({ tx }) => hexOf(tx))).toEqual(txs.map(({ hash }) => hash));
    }
  });
});
