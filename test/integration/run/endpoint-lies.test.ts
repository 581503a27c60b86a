import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";
import { RpcServer } from "../../support/rpc-server.ts";

const DATA = new URL("../../../../shared/data/ethereum-mainnet/", import.meta.url);
const present = existsSync(DATA);
if (!present) console.warn("skipped: the reference blocks are not at ../shared/data/ethereum-mainnet");
/** The two smallest blocks that follow each other. */
const [FROM, TO] = [17_686_116, 17_686_117] as const;

const folder = await makeTestFolder("endpoint-lies");
let server: RpcServer;
let other: RpcServer;
beforeEach(async () => {
  server = await RpcServer.open();
  other = await RpcServer.open();
  for (const each of [server, other]) await serve(each);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
afterAll(() => folder.remove());

/** Lets a server tell the truth. */
async function serve(each: RpcServer): Promise<void> {
  each.chainId = "0x1";
  for (let number = FROM; present && number <= TO; number++) {
    const text = gunzipSync(await readFile(new URL(`${number}.json.gz`, DATA))).toString();
    const { block, receipts } = JSON.parse(text) as { block: unknown; receipts: unknown };
    each.blocks.set(number, { block: JSON.stringify(block), receipts: JSON.stringify(receipts) });
  }
}

/** Changes what the server says of a block. */
function lie(about: "block" | "receipts", change: (text: string) => string, number: number = TO): void {
  const served = server.blocks.get(number) as { block: string; receipts: string };
  const changed = change(served[about]);
  expect(changed).not.toBe(served[about]);
  server.blocks.set(number, { ...served, [about]: changed });
}

async function transfersOf(urls: readonly string[], out = folder.fresh("out"), more = ""): Promise<RunSummary> {
  const config = `${folder.fresh("lies")}.yaml`;
  const source = `{ ethereum: ${JSON.stringify(urls)}, range: { from: ${FROM}, to: ${TO} }${more} }`;
  const tasks = "{ logs: { input: blocks, table: logs }, transfers: { input: logs, events: erc20 } }";
  await writeFile(
    config,
    `name: lies\nsources: { blocks: ${source} }\ntasks: ${tasks}\noutputs: { all: { input: transfers, file: all.csv } }\n`,
  );
  return runConfig({ configPath: config, outDir: out });
}

interface Log {
  readonly logs: unknown[];
}

describe.runIf(present)("an endpoint with real blocks", () => {
  it("that agrees with another one has an anchor in it, and is read again from any endpoint", async () => {
    const config = folder.fresh("raw");
    const source = `{ ethereum: ${JSON.stringify([server.url, other.url])}, range: { from: ${FROM}, to: ${TO} } }`;
    await writeFile(
      `${config}.yaml`,
      `name: raw\nsources: { blocks: ${source} }\noutputs: { all: { input: blocks, file: all.ndjson } }\n`,
    );
    const out = folder.fresh("out");
    await runConfig({ configPath: `${config}.yaml`, outDir: out });
    const { ok, receipt } = await verifyReceiptFile(join(out, "receipt.car"));
    expect(ok).toBe(true);
    expect(receipt?.config.anchored).toMatchObject({ blocks: { block: TO, by: "compared", endpoints: 2 } });
    expect(await replayReceiptFile(join(out, "receipt.car"), { inputs: { blocks: server.url } })).toMatchObject({
      ok: true,
    });
  });

  it("that leaves a log out is found out by name, and no table is written", async () => {
    lie("receipts", (text) => {
      const receipts = JSON.parse(text) as Log[];
      receipts.findLast(({ logs }) => logs.length > 0)?.logs.pop();
      return JSON.stringify(receipts);
    });
    const out = folder.fresh("out");
    const found = transfersOf([server.url], out);
    await expect(found).rejects.toMatchObject({ code: "ETH_RECEIPTS_ROOT_MISMATCH", kind: "verification" });
    expect((await readdir(out)).filter((name) => name !== ".data")).toEqual([]);
    // Asked once more, in the same folder: what was refused is not kept, and only that is fetched and computed again.
    await serve(server);
    const { requests } = server;
    const summary = await transfersOf([server.url], out);
    expect(summary.rows.in).toBe(2);
    expect(server.requests - requests).toBeLessThan(8);
    expect((await transfersOf([server.url])).result).toBe(summary.result);
  });

  it("that says it is of another chain than its transactions is found out", async () => {
    server.chainId = "0x5";
    await expect(transfersOf([server.url])).rejects.toMatchObject({
      code: "ENDPOINT_ODD",
      message: expect.stringContaining("says that it is of chain 5, and gives blocks of chain 1"),
    });
  });

  it("that another one contradicts is named, with what both say", async () => {
    const hash = server.hashOf(TO);
    lie("block", (text) => text.replaceAll(hash, `0x${"7".repeat(64)}`));
    lie("receipts", (text) => text.replaceAll(hash, `0x${"7".repeat(64)}`));
    const error = await transfersOf([server.url, other.url]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ENDPOINTS_DISAGREE", kind: "verification" });
    expect((error as Error).message).toContain(hash);
    expect((error as Error).message).toContain("0x7777");
  });

  it("is not asked without the first block's number", async () => {
    const config = folder.fresh("range");
    await writeFile(
      `${config}.yaml`,
      "name: raw\nsources: { blocks: { ethereum: ./none } }\noutputs: { all: { input: blocks, file: all.ndjson } }\n",
    );
    const run = runConfig({
      configPath: `${config}.yaml`,
      outDir: folder.fresh("out"),
      inputs: { blocks: server.url },
    });
    await expect(run).rejects.toMatchObject({ code: "RANGE_MISSING", kind: "config" });
  });

  it("does not know the hash that the reader trusts", async () => {
    const found = transfersOf([server.url], undefined, `, anchor: "0x${"9".repeat(64)}"`);
    await expect(found).rejects.toMatchObject({ code: "CHAIN_ANCHOR_MISMATCH" });
  });
});
