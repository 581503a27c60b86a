import { readdir, readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventSettings } from "../../../src/config/ethereum/event-plan.ts";
import { EVENT_SETS, type EventSet } from "../../../src/config/ethereum/event-sets.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { Lane } from "../../../src/sandbox/port.ts";
import { TextRowsEncoder } from "../../../src/sinks/text.ts";
import { headerHash } from "../../support/block-header.ts";
import {
  blockBatch,
  blockRow,
  callOf,
  type EthereumBlock,
  eraBlocks,
  loadBuiltIn,
} from "../../support/ethereum-module.ts";
import { failureOf } from "../../support/rows.ts";

type Json = Record<string, unknown>;

let lane: Lane;
beforeAll(() => {
  lane = openLane();
});
afterAll(() => lane.close());

const failureWith = async (settings: Record<string, string>, block: EthereumBlock) =>
  failureOf(callOf(await loadBuiltIn(lane, "ethereum", settings), blockBatch([blockRow(block)])));

describe("blocks that no chain has", () => {
  it("are refused where a header with a right hash contradicts its receipts", async () => {
    const full = { table: "logs", verify: "full" };
    const cancun = (await eraBlocks()).find(({ era }) => era === "cancun") as EthereumBlock;
    expect(headerHash(cancun.block)).toBe(cancun.block.hash);
    const changed = (change: Json): EthereumBlock => {
      const block = { ...cancun.block, ...change };
      return { ...cancun, block: { ...block, hash: headerHash(block) } };
    };
    expect((await failureWith(full, changed({ logsBloom: `0x${"00".repeat(256)}` }))).code).toBe("ETH_BLOOM_MISMATCH");
    expect((await failureWith(full, changed({ gasUsed: "0x5208" }))).code).toBe("ETH_GAS_USED_MISMATCH");
    expect((await failureWith(full, changed({ receiptsRoot: `0x${"00".repeat(32)}` }))).code).toBe(
      "ETH_RECEIPTS_ROOT_MISMATCH",
    );
  });

  it("are refused where a signature tells no sender, or an amount does not fit", async () => {
    const [frontier] = structuredClone(await eraBlocks());
    const txs = frontier?.block["transactions"] as Json[];
    const recover = { table: "transactions", verify: "none", senders: "recover" };
    (txs[0] as Json)["v"] = "0x1d";
    expect(await failureWith(recover, frontier as EthereumBlock)).toMatchObject({ code: "ETH_SIGNATURE_INVALID" });
    Object.assign(txs[0] as Json, { v: "0x1b", r: "0x0" });
    expect(await failureWith(recover, frontier as EthereumBlock)).toMatchObject({ code: "ETH_SIGNATURE_INVALID" });
    (txs[1] as Json)["value"] = "0x8000000000000000";
    const narrow = { table: "transactions", verify: "none", "column.value": "i64" };
    expect(await failureWith(narrow, frontier as EthereumBlock)).toEqual({
      code: "ETH_VALUE_RANGE",
      message: expect.stringContaining("transaction 1: value 9223372036854775808 does not fit") as string,
    });
    expect((await failureWith({ ...narrow, "column.value": "u64" }, frontier as EthereumBlock)).code).toBe("no error");
  });

  it("are not read with settings that are none", async () => {
    const loading = loadBuiltIn(lane, "ethereum", { table: "log" });
    const module = await loading;
    const [frontier] = await eraBlocks();
    expect(await failureOf(callOf(module, blockBatch([blockRow(frontier as EthereumBlock)])))).toMatchObject({
      code: "ETH_SETTING_INVALID",
    });
  });
});

const FOLDER = new URL("../../../../shared/data/ethereum-mainnet/", import.meta.url);
const files = (await readdir(FOLDER).catch(() => [])).filter((name) => /^\d+\.json\.gz$/.test(name)).sort();
if (files.length === 0) console.warn("skipped: the reference blocks are not at ../shared/data/ethereum-mainnet");

describe.skipIf(files.length === 0)("fifteen blocks of mainnet", () => {
  it("verify in full, and give the transfers that others found, row by row", async () => {
    const blocks = await Promise.all(
      files.map(
        async (name) => JSON.parse(gunzipSync(await readFile(new URL(name, FOLDER))).toString()) as EthereumBlock,
      ),
    );
    const logs = await loadBuiltIn(lane, "ethereum", { table: "logs", verify: "full" });
    const settings = eventSettings(EVENT_SETS["erc20"] as EventSet, { where: {}, columns: {} });
    const events = await loadBuiltIn(lane, "ethereum-events", settings);
    let csv: TextRowsEncoder | undefined;
    let text = "";
    for (const [i, block] of blocks.entries()) {
      const parent = blocks[i - 1]?.block.hash ?? block.block.parentHash;
      const transfers = await callOf(events, await callOf(logs, blockBatch([blockRow(block, { parent })])));
      csv ??= new TextRowsEncoder("csv", transfers.schema);
      for (const bytes of csv.encode(transfers)) text += Buffer.from(bytes).toString();
    }
    const expected = gunzipSync(await readFile(new URL("expected-erc20-transfers.csv.gz", FOLDER))).toString();
    expect(text.replaceAll("\r\n", "\n")).toBe(expected);
  });
});
