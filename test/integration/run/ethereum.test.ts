import { existsSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IpdmError } from "../../../src/core/errors.ts";
import type { RunProgress } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { type EthereumBlock, eraBlocks } from "../../support/ethereum-module.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("ethereum-run");
afterAll(() => folder.remove());

// A made-up token of the kept blocks: any log with a topic can be an event by its first topic.
const CONFIG = (events: string): string => `name: chain
sources: { blocks: { ethereum: ./blocks } }
tasks:
  logs: { input: blocks, table: logs }
  found: { input: logs, events: ${events} }
outputs:
  logs: { input: logs, file: logs.csv }
  found: { input: found, file: found.csv }
  rejected: { input: found.rejected, file: rejected.csv }
`;

let prague: EthereumBlock;
const write = async (block: EthereumBlock, events = "erc20"): Promise<string> => {
  const place = folder.fresh("case");
  await mkdir(join(place, "blocks"), { recursive: true });
  await writeFile(join(place, "blocks", "106.json"), JSON.stringify({ block: block.block, receipts: block.receipts }));
  await writeFile(join(place, "ipdm.yaml"), CONFIG(events));
  return place;
};
beforeAll(async () => {
  prague = (await eraBlocks()).find(({ era }) => era === "prague") as EthereumBlock;
});

describe("a pipeline over blocks", () => {
  it("writes the tables of blocks that are what their hash says, and what events did not decode", async () => {
    const place = await write(prague);
    const summary = await runConfig({ configPath: place, outDir: join(place, "out") });
    const logs = prague.receipts.flatMap(({ logs }) => logs as { topics: string[] }[]);
    const lines = (await readFile(join(place, "out", "logs.csv"), "utf8")).trim().split("\n");
    expect(lines.length).toBe(1 + logs.length);
    expect(lines[0]).toBe("block,timestamp,tx,txIndex,logIndex,address,topic0,topic1,topic2,topic3,data");
    expect(await readFile(join(place, "out", "found.csv"), "utf8")).toMatch(
      /^block,timestamp,tx,logIndex,token,from,to,value\n$/,
    );
    const rejected = (await readFile(join(place, "out", "rejected.csv"), "utf8")).trim().split("\n").slice(1);
    expect(rejected.length).toBe(logs.filter(({ topics }) => topics.length === 0).length);
    expect(rejected.every((line) => line.endsWith(",anonymous,0"))).toBe(true);
    expect(summary.rejected).toEqual({ found: { anonymous: rejected.length } });
    expect(summary.outputs.map(({ name }) => name)).toEqual(["logs", "found", "rejected"]);
  });

  it("ends where the folder came to hold other blocks once the run was planned", async () => {
    const [place, file] = [await write(prague), "blocks/106.json"];
    const fork = { ...prague.block, hash: `0x${"7".repeat(64)}` };
    const onProgress = ({ phase }: RunProgress): void => {
      if (phase === "running")
        writeFileSync(join(place, file), JSON.stringify({ block: fork, receipts: prague.receipts }));
    };
    await expect(runConfig({ configPath: place, outDir: join(place, "out"), onProgress })).rejects.toMatchObject({
      code: "INPUT_CHANGED",
      kind: "verification",
      message: "./blocks came to hold other blocks while the run was reading it",
    });
    expect(existsSync(join(place, "out", "logs.csv"))).toBe(false);
  });

  it("ends with exit code 5 where a block was tampered with, and writes nothing", async () => {
    const block = structuredClone(prague);
    ((block.receipts[1] as Record<string, unknown>)["logs"] as unknown[]).pop();
    const place = await write(block);
    const dataDir = join(place, "data");
    const error = await runConfig({ configPath: place, outDir: join(place, "out"), dataDir }).then(
      () => expect.unreachable("it was caught"),
      (cause: IpdmError) => cause,
    );
    expect(error).toMatchObject({
      code: "ETH_RECEIPTS_ROOT_MISMATCH",
      kind: "verification",
      hint: "ipdm-runtime explain ETH_RECEIPTS_ROOT_MISMATCH says what to do about it",
    });
    expect(error.message).toMatch(
      /^tasks\.logs: module ipdm:ethereum found an error in rows 0 to 0: block 106, receipt \d: its log/,
    );
    // With the right block in its place, the same folder of the run goes on.
    await writeFile(join(place, "blocks", "106.json"), JSON.stringify(prague));
    expect((await runConfig({ configPath: place, outDir: join(place, "mended"), dataDir })).rows.in).toBe(1);
    expect(["logs.csv", "found.csv", "receipt.car"].filter((name) => existsSync(join(place, "out", name)))).toEqual([]);
  });
});
