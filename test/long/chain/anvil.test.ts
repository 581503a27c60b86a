import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { Anvil, anvilProgram, type ToldTransfer } from "../../support/anvil.ts";

const FINALITY = 5;
const program = anvilProgram();

let folder: string;
let anvil: Anvil;
const notices: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anvil-"));
  anvil = await Anvil.open(program ?? "");
  await writeFile(
    join(folder, "ipdm.yaml"),
    `name: live
sources:
  blocks: { ethereum: "${anvil.url}", range: { from: 1 }, verify: full, finality: ${FINALITY} }
tasks:
  logs: { input: blocks, table: logs }
  transfers: { input: logs, events: erc20, columns: { value: i64, timestamp: timestamp }, time: { column: timestamp } }
  received: { input: transfers, window: { tumble: 30s }, key: [to], aggregate: { count: count(), sum: sum(value) } }
outputs:
  transfers: { input: transfers, file: transfers.db }
  received: { input: received, file: received.db }
  lines: { input: transfers, file: transfers.ndjson }
`,
  );
});
afterEach(async () => {
  await anvil[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Run {
  readonly summary: Promise<RunSummary>;
  readonly end: () => void;
}

async function start(): Promise<Run> {
  let follow: (end: () => void) => void = () => undefined;
  const following = new Promise<() => void>((resolve) => (follow = resolve));
  const summary = runConfig({
    configPath: join(folder, "ipdm.yaml"),
    outDir: join(folder, "out"),
    pollMs: 10,
    onFollow: follow,
    onNotice: ({ code }) => notices.push(code),
  });
  const end = await Promise.race([following, summary.then(() => expect.unreachable())]);
  return { summary, end };
}

function query(file: string, sql: string): Record<string, unknown>[] {
  const path = join(folder, "out", file);
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

function written(table = "transfers"): string[] {
  const rows = query(
    "transfers.db",
    `SELECT block, logIndex, lower(hex("to")) AS "to", value, timestamp FROM ${table}`,
  );
  return rows.map((row) =>
    [row["block"], row["logIndex"], row["to"], row["value"], Number(row["timestamp"]) / 1e6].join(),
  );
}

const told = (transfers: readonly ToldTransfer[]): string[] =>
  transfers.map(({ block, logIndex, to, value, timestamp }) => [block, logIndex, to, value, timestamp].join());

/** Windows as they are once the input has ended: by end, start and key. */
function windows(transfers: readonly ToldTransfer[]): string[] {
  const groups = new Map<string, { readonly end: number; readonly to: string; count: number; sum: number }>();
  for (const { timestamp, to, value } of transfers) {
    const end = 30 * (Math.floor(timestamp / 30) + 1);
    const group = groups.get(`${end}/${to}`) ?? { end, to, count: 0, sum: 0 };
    groups.set(`${end}/${to}`, group);
    group.count++;
    group.sum += value;
  }
  const ordered = [...groups.values()].toSorted((a, b) => a.end - b.end || (a.to < b.to ? -1 : 1));
  return ordered.map(({ end, to, count, sum }) => [end, to, count, sum].join());
}

/** Waits until the database has what the node tells; each look asks the node anew. */
async function caughtUp(run: Run): Promise<void> {
  let hasFailed = false;
  run.summary.catch(() => (hasFailed = true));
  for (;;) {
    if (hasFailed) await run.summary;
    const expected = told(await anvil.transfers()).join("\n");
    if (written().join("\n") === expected) return;
  }
}

describe.runIf(program !== undefined)("a real node, followed at level full", () => {
  it("is indexed while contracts are deployed, tokens move and the chain is reorganised under it", {
    timeout: 60_000,
  }, async () => {
    let token = await anvil.deploy();
    for (let i = 1; i <= 8; i++) await anvil.transfer(token, i % 3, i);
    const run = await start();
    await caughtUp(run);
    for (let round = 0; round < 6; round++) {
      await anvil.transfer(token, round % 4, 100 + round);
      if (round === 2) token = await anvil.deploy();
      const snapshot = await anvil.call<string>("evm_snapshot");
      await anvil.transfer(token, 1, 1000 + round);
      await anvil.transfer(token, 2, 2000 + round);
      if (round % 2 === 0) await caughtUp(run);
      // Blocks that were seen are gone, and others take their place.
      if (round % 3 === 1) await anvil.call("anvil_reorg", 3, []);
      else await anvil.call("evm_revert", snapshot);
      await anvil.call("evm_increaseTime", 20 + round);
      await anvil.transfer(token, 3, 3000 + round);
      if (round % 2 === 1) await caughtUp(run);
    }
    await caughtUp(run);
    run.end();
    const summary = await run.summary;
    expect(notices.filter((code) => code === "REORGANISED").length).toBeGreaterThanOrEqual(3);
    expect(notices).not.toContain("PROVISIONAL_STUCK");
    const final = await anvil.transfers((await anvil.head()) - FINALITY);
    expect(summary.rows.in).toBe((await anvil.head()) - FINALITY);
    expect(written()).toEqual(told(final));
    expect(written("transfers_final")).toEqual(told(final));
    const received = query("received.db", `SELECT "end", lower(hex("to")) AS "to", count, sum FROM received`);
    const found = received.map((row) => [Number(row["end"]) / 1e6, row["to"], row["count"], row["sum"]].join());
    expect(found).toEqual(windows(final));
    const receipt = join(folder, "out", "receipt.car");
    expect(await verifyReceiptFile(receipt)).toMatchObject({ ok: true });
    expect(await replayReceiptFile(receipt)).toMatchObject({ ok: true });

    // The next run goes on, and ends with what one that saw everything at once would have.
    await anvil.call("anvil_reorg", 2, []);
    for (let i = 0; i < 4; i++) await anvil.transfer(token, i, 9000 + i);
    const again = await start();
    await caughtUp(again);
    again.end();
    const later = await again.summary;
    const all = await anvil.transfers((await anvil.head()) - FINALITY);
    expect(written()).toEqual(told(all));
    const lines = (await readFile(join(folder, "out", "transfers.ndjson"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(all.length);
    const bounded = (await readFile(join(folder, "ipdm.yaml"), "utf8")).replace(
      "from: 1 }",
      `from: 1, to: ${later.rows.in} }`,
    );
    await writeFile(join(folder, "bounded.yaml"), bounded);
    const once = await runConfig({ configPath: join(folder, "bounded.yaml"), outDir: join(folder, "once") });
    expect(once.result).toBe(later.result);
  });
});
