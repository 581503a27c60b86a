import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseStatement, parseTaskState } from "../../../src/consensus/statement.ts";
import { decodeBlock } from "../../../src/dag/block.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { sha256 } from "../../../src/node.ts";
import type { RunOptions, RunSummary } from "../../../src/run/options.ts";
import { runTampered } from "../../../src/run/run.ts";
import type { Tamper } from "../../../src/run/trial.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

/** Rows of a batch, and of a slot, which has 256 of them. */
const BATCH_ROWS = 800;
const SLOT_ROWS = 256 * BATCH_ROWS;

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("keys");
});
afterAll(() => folder.remove());

/** Rows of one window, a key for each of the first `keys` rows, then the same keys again; in no order, or in theirs. */
async function writeKeys(rows: number, keys: number, order: "scattered" | "sorted", domain = ""): Promise<string> {
  const dir = folder.fresh("keys");
  await mkdir(dir);
  const lines = ["at,id,amount"];
  for (let row = 0; row < rows; row++) {
    const id = Math.imul(row % keys, order === "sorted" ? 1 : 0x9e37_79b1) >>> 0;
    const at = new Date(Date.UTC(2024, 0, 1) + row * 100).toISOString();
    lines.push(`${at},${id.toString(16).padStart(8, "0")}-${row % keys},${row % 1000}`);
  }
  await writeFile(join(dir, "rows.csv"), `${lines.join("\n")}\n`);
  const path = join(dir, "ipdm.yaml");
  await writeFile(
    path,
    `name: keys
domain: { id: keys, replicas: 1${domain} }
sources:
  rows: { file: ./rows.csv, columns: { at: timestamp, id: utf8, amount: i64 }, time: { column: at } }
tasks:
  yearly:
    input: rows
    window: { tumble: 36500d }
    key: [id]
    aggregate: { n: count(), total: sum(amount), top: max(amount) }
outputs:
  table: { input: yearly, file: yearly.csv }
`,
  );
  return path;
}

async function go(
  configPath: string,
  options: Partial<RunOptions>,
  ...tampers: readonly Tamper[]
): Promise<RunSummary & { readonly outDir: string }> {
  const outDir = options.outDir ?? folder.fresh("out");
  return { ...(await runTampered({ configPath, ...options, outDir }, tampers)), outDir };
}

/** Links of the chunks of a task's state, as a node's store has them, all of whose blocks are there. */
async function chunksOf(outDir: string, node: string, state: CID): Promise<CID[]> {
  await using store = await LevelStore.open({ path: join(outDir, ".data", node, "store"), hash: sha256 });
  const read = async (cid: CID): Promise<Uint8Array> => {
    const bytes = await store.blocks.get(cid);
    if (bytes === undefined) throw new Error(`${node} does not have ${cid.toString()}`);
    return bytes;
  };
  const { operator } = parseTaskState(decodeBlock({ cid: state, bytes: await read(state) }));
  const { chunks = [] } = dagCbor.decode<{ chunks?: CID[] }>(await read(operator as CID));
  for (const cid of chunks) await read(cid);
  return chunks;
}

describe("a window with more than 200,000 open keys", () => {
  it("goes on from its stored state after a failure, and the receipt holds", async () => {
    const keys = 203_000;
    const config = await writeKeys(SLOT_ROWS + 1000, keys, "scattered");
    const outDir = folder.fresh("out");
    let after: CID | undefined;
    const stopped = go(
      config,
      { outDir, batchRows: BATCH_ROWS },
      {
        node: "alpha",
        change: (_task, seq, statement) => {
          if (seq > 0) throw new Error("the disk is full");
          after = parseStatement(decodeBlock(statement)).state.after;
          return statement;
        },
      },
    );
    await expect(stopped).rejects.toThrow("the disk is full");
    expect((await chunksOf(outDir, "alpha", after as CID)).length).toBeGreaterThan(20);

    const resumed = await go(config, { outDir, batchRows: BATCH_ROWS });
    expect(resumed.rows).toEqual({ in: SLOT_ROWS + 1000, out: keys });
    const table = (await readFile(resumed.outputs[0]?.file ?? "", "utf8")).trimEnd().split("\n");
    expect(table).toHaveLength(keys + 1);
    // Rows 7 and 203,007 have one key: a count of 2, amounts 7 and 7.
    expect(table.find((line) => line.endsWith("-7,2,14,7"))).toBeDefined();
    await audit(outDir);
  });

  it("has the same result where voters execute a share and take over the other states, and each keeps what it went on from", async () => {
    const rows = 20_000;
    const alone = await go(await writeKeys(rows, 12_000, "sorted"), {});
    const config = await writeKeys(rows, 12_000, "sorted", ", verify: sample, share: 0.5");
    const executed: CID[] = [];
    const change: Tamper["change"] = (_task, _seq, statement) => {
      executed.push(parseStatement(decodeBlock(statement)).state.after);
      return statement;
    };
    // Batches of 10 rows make slots of 2,560: eight of them, so that voters execute after slots that they did not.
    const sampled = await go(config, { replicas: 3, batchRows: 10 }, { node: "bravo", change });
    expect(sampled.result).toBe(alone.result);
    for (const state of executed) await chunksOf(sampled.outDir, "bravo", state);
    await audit(sampled.outDir);
  });
});
