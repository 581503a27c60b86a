import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import type { EthereumBlock } from "../../support/ethereum-module.ts";
import { makeTestFolder } from "../../support/folder.ts";
import { failureOf } from "../../support/rows.ts";

const FOLDER = new URL("../../../../shared/data/ethereum-mainnet/", import.meta.url);
const names = (await readdir(FOLDER).catch(() => [])).filter((name) => /^\d+\.json\.gz$/.test(name)).sort();
if (names.length === 0) console.warn("skipped: the reference blocks are not at ../shared/data/ethereum-mainnet");

const folder = await makeTestFolder("ethereum-long");
afterAll(() => folder.remove());

/** The whole example over three consecutive blocks, of which one was changed; what it ends with. */
async function runOver(change: (blocks: EthereumBlock[]) => void): Promise<{ code: string; written: boolean }> {
  const place = folder.fresh("case");
  await mkdir(join(place, "blocks"), { recursive: true });
  const blocks = await Promise.all(
    names
      .slice(1, 4)
      .map(async (name) => JSON.parse(gunzipSync(await readFile(new URL(name, FOLDER))).toString()) as EthereumBlock),
  );
  change(blocks);
  await writeFile(join(place, "blocks", "all.ndjson"), blocks.map((block) => JSON.stringify(block)).join("\n"));
  const example = await readFile(new URL("../../../examples/ethereum-erc20/ipdm.yaml", import.meta.url), "utf8");
  await writeFile(join(place, "ipdm.yaml"), example);
  const { code } = await failureOf(runConfig({ configPath: place, outDir: join(place, "out") }));
  return { code, written: existsSync(join(place, "out", "transfers.csv")) };
}

/** The logs of the first receipt that has more than one. */
function logsOf(block: EthereumBlock | undefined): unknown[] {
  const all = block?.receipts.map(({ logs }) => logs as unknown[]) ?? [];
  return all.find((logs) => logs.length > 1) ?? [];
}

describe.skipIf(names.length === 0)("the example over blocks of mainnet", () => {
  it("writes its tables of blocks that nobody touched", async () => {
    expect(await runOver(() => undefined)).toEqual({ code: "no error", written: true });
  });

  it.each<readonly [string, (blocks: EthereumBlock[]) => void, string]>([
    ["a log left out", ([, b]) => logsOf(b).pop(), "ETH_RECEIPTS_ROOT_MISMATCH"],
    ["a receipt twice", ([, b]) => b?.receipts.splice(1, 1, b.receipts[0] as never), "ETH_RECEIPTS_ROOT_MISMATCH"],
    [
      "transactions swapped",
      ([, b]) => ((b as EthereumBlock).block["transactions"] as unknown[]).reverse(),
      "ETH_TRANSACTIONS_ROOT_MISMATCH",
    ],
    ["a header altered", ([, b]) => Object.assign(b?.block ?? {}, { gasLimit: "0x1" }), "ETH_BLOCK_HASH_MISMATCH"],
    ["a block left out", (blocks) => blocks.splice(1, 1), "CHAIN_GAP"],
    [
      "a fake parent",
      ([, b]) => Object.assign(b?.block ?? {}, { parentHash: `0x${"12".repeat(32)}` }),
      "ETH_BLOCK_HASH_MISMATCH",
    ],
  ])("ends by name and writes nothing: %s", async (_, change, code) => {
    expect(await runOver(change)).toEqual({ code, written: false });
  });
});
