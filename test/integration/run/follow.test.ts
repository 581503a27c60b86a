import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import type { RunNotice, RunOptions, RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { blockHash, madePair } from "../../support/blocks.ts";
import { RpcServer } from "../../support/rpc-server.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";

let folder: string;
let server: RpcServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "follow-"));
  server = await RpcServer.open();
  server.make(1, 12);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function configure(source = "", file = "all.ndjson"): Promise<string> {
  const path = join(folder, "ipdm.yaml");
  await writeFile(
    path,
    `name: heads\nsources:\n  blocks: { ethereum: "${server.url}", range: { from: 3 }, finality: 4${source} }\noutputs:\n  all: { input: blocks, file: ${file} }\n`,
  );
  return path;
}

/** A run that is ended once so many rows are done. */
async function followUntil(configPath: string, rows: number, options: Partial<RunOptions> = {}): Promise<RunSummary> {
  let end: () => void = () => expect.unreachable();
  return runConfig({
    configPath,
    outDir: join(folder, "out"),
    pollMs: 5,
    onFollow: (stop) => (end = stop),
    onProgress: ({ rowsIn }) => rowsIn >= rows && end(),
    ...options,
  });
}

async function hashes(): Promise<string[]> {
  const text = await readFile(join(folder, "out", "all.ndjson"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { hash: string }).hash);
}

const made = (from: number, to: number, branch = "a"): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => blockHash(from + i, branch).replace("0x", ""));

/** Block numbers and hashes that a database has at the moment; none before it is there. */
function rowsIn(path: string, table: string): string[] {
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = database.prepare(`SELECT number, lower(hex(hash)) AS hash FROM ${table}`).all();
    return rows.map(({ hash }) => String(hash));
  } catch {
    return []; // it is being made
  } finally {
    database.close();
  }
}

describe("a run that follows the head", () => {
  it("certifies what is final, seals it when it is ended, and goes on from there", async () => {
    const configPath = await configure();
    const first = await followUntil(configPath, 6);
    expect(first.rows).toEqual({ in: 6, out: 6 });
    expect((await hashes()).map((hash) => hash.replace("0x", ""))).toEqual(made(3, 8));
    const receipt = join(folder, "out", "receipt.car");
    expect(await verifyReceiptFile(receipt)).toMatchObject({ ok: true });
    expect(await replayReceiptFile(receipt)).toMatchObject({ ok: true });

    const fetched = server.calls.length;
    server.make(13, 20);
    const second = await followUntil(configPath, 14, { replicas: 2 });
    expect(second.rows).toEqual({ in: 14, out: 14 });
    expect((await hashes()).map((hash) => hash.replace("0x", ""))).toEqual(made(3, 16));
    const asked = server.calls.slice(fetched).filter(({ method }) => method === "eth_getBlockReceipts");
    expect(asked.map(({ params }) => Number(params[0])).filter((number) => number <= 8)).toEqual([]);
    const { receipt: shown, ok } = await verifyReceiptFile(receipt);
    expect(ok).toBe(true);

    const blocks = join(folder, "blocks.ndjson");
    await writeFile(blocks, Array.from({ length: 14 }, (_, i) => madePair(3 + i)).join("\n"));
    expect(await replayReceiptFile(receipt, { inputs: { blocks } })).toMatchObject({ ok: true });

    // The result is that of anyone who reads the same blocks, however.
    const range = await configure();
    await writeFile(range, (await readFile(range, "utf8")).replace("from: 3 }", "from: 3, to: 16 }"));
    const bounded = await runConfig({ configPath: range, outDir: join(folder, "other") });
    expect(bounded.result).toBe(second.result);
    expect(shown?.root.result.toString()).toBe(second.result);
  });

  it("gives up blocks that a reorganisation takes away before they are final", async () => {
    const configPath = await configure();
    let reorganised = false;
    server.deed = (calls) => {
      // Once the head was seen at 12, blocks 10 to 12 become others, and the chain grows.
      if (
        !reorganised &&
        calls.some(({ method, params }) => method === "eth_getBlockReceipts" && Number(params[0]) === 12)
      ) {
        reorganised = true;
        setImmediate(() => server.make(10, 18, { branch: "b" }));
      }
      return undefined;
    };
    await followUntil(configPath, 12);
    const found = (await hashes()).map((hash) => hash.replace("0x", ""));
    expect(found).toEqual([...made(3, 9), ...made(10, 14, "b")]);
  });

  it("stops by name when the chain is reorganised deeper than that, also between two runs", async () => {
    const configPath = await configure();
    await followUntil(configPath, 6);
    server.make(5, 20, { branch: "b" });
    await expect(followUntil(configPath, 99)).rejects.toMatchObject({
      code: "CHAIN_REORGANISED",
      message: expect.stringMatching(/from block 8 or before, which 4 blocks had followed/),
    });
  });

  it("writes rows of blocks that are not final to SQLite, and takes them back when the chain is reorganised", async () => {
    const configPath = await configure("", "live.db");
    const path = join(folder, "out", "live.db");
    const stages: { readonly rows: readonly string[]; readonly final: readonly string[]; readonly next: () => void }[] =
      [
        { rows: made(3, 12), final: made(3, 8), next: () => server.make(11, 14, { branch: "b" }) },
        {
          rows: [...made(3, 10), ...made(11, 14, "b")],
          final: made(3, 10),
          next: () => server.make(15, 15, { branch: "b" }),
        },
        {
          rows: [...made(3, 10), ...made(11, 15, "b")],
          final: [...made(3, 10), ...made(11, 11, "b")],
          next: () => end(),
        },
      ];
    let end: () => void = () => expect.unreachable();
    const reached: string[][] = [];
    server.deed = () => {
      // Each look of the run at the endpoint is one at the database.
      const [stage] = stages;
      const rows = rowsIn(path, "live");
      if (stage === undefined || rows.join() !== stage.rows.join()) return undefined;
      const final = rowsIn(path, "live_final");
      if (final.join() !== stage.final.join()) return undefined;
      reached.push(final);
      stages.shift();
      stage.next();
      return undefined;
    };
    const notices: string[] = [];
    const summary = await followUntil(configPath, 99, {
      onFollow: (stop) => (end = stop),
      onNotice: ({ message }) => notices.push(message),
    });
    expect(reached).toHaveLength(3);
    expect(notices).toEqual(["blocks: the chain was reorganised from block 11 on"]);
    expect(summary.outputs).toMatchObject([{ name: "all", rows: 9 }]);
    expect(rowsIn(path, "live")).toEqual([...made(3, 10), ...made(11, 11, "b")]);
    expect(rowsIn(path, "live_final")).toEqual(rowsIn(path, "live"));
    server.deed = () => undefined;
    const again = await followUntil(configPath, 9);
    expect(again.result).toBe(summary.result);
    expect(rowsIn(path, "live")).toHaveLength(9);
  });

  it("that is ended before any block is final has nothing to seal, and goes on later", async () => {
    const configPath = await configure();
    const early = followUntil(configPath, 99, { onFollow: (end) => end() });
    await expect(early).rejects.toMatchObject({ code: "INTERRUPTED", kind: "interrupted" });
    expect((await followUntil(configPath, 6)).rows.in).toBe(6);
  });

  it("says which block that is not final cannot be executed, and writes no row of it", async () => {
    // It takes a batch without rows, by which its columns are found.
    const process = "(if (i32.load offset=12 (local.get $batch)) (then unreachable)) (local.get $batch)";
    await writeFile(join(folder, "trap.wasm"), await watBytes(watSource({ process })));
    const configPath = await configure(", finality: 40", "live.db");
    const text = (await readFile(configPath, "utf8"))
      .replace("finality: 4, ", "")
      .replace(
        "outputs:",
        "modules: { odd: { file: ./trap.wasm, trust: standard } }\ntasks: { odd: { module: odd, input: blocks } }\noutputs:",
      )
      .replace("all: { input: blocks", "all: { input: odd");
    await writeFile(configPath, text);
    let end: () => void = () => expect.unreachable();
    const notices: RunNotice[] = [];
    const onNotice = (notice: RunNotice): void => {
      notices.push(notice);
      end();
    };
    const run = followUntil(configPath, 99, { onFollow: (stop) => (end = stop), onNotice });
    await expect(run).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(notices).toMatchObject([
      { level: "warn", code: "PROVISIONAL_STUCK", facts: { source: "blocks", block: 3 } },
    ]);
    expect(rowsIn(join(folder, "out", "live.db"), "live")).toEqual([]);
  });

  it("names a trusted hash that the blocks do not have", async () => {
    const configPath = await configure(`, anchor: "${blockHash(4, "z")}"`);
    await expect(followUntil(configPath, 6)).rejects.toMatchObject({ code: "CHAIN_ANCHOR_MISMATCH" });
  });
});
