import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES, IpdmError } from "../../../src/core/errors.ts";
import { type Block, cborBlock, decodeBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import type { RunNotice } from "../../../src/run/options.ts";
import { runConfig, runTampered } from "../../../src/run/run.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { writeSmall } from "../../support/small-flights.ts";

let folder: TestFolder;
let config: string;
let honest: string;

beforeAll(async () => {
  folder = await makeTestFolder("liars");
  config = await writeSmall(folder.path, { rows: 6000, replicas: 3, quorum: 2 });
  honest = (await runConfig({ configPath: config, outDir: folder.fresh("out"), replicas: 1 })).result;
});
afterAll(() => folder.remove());

/** The statement with a state that nobody holds. */
function madeUp(statement: Block): Block {
  const value = decodeBlock(statement) as { state: { after: unknown } };
  value.state.after = cborBlock(sha256, ["made up"]).cid;
  return cborBlock(sha256, value);
}

/** The statement with another Merkle root for one of its outputs. */
function otherRoot(statement: Block, mark: number): Block {
  const value = decodeBlock(statement) as { outputs: Record<string, { root: Uint8Array }> };
  for (const output of Object.values(value.outputs)) output.root = new Uint8Array(32).fill(mark);
  return cborBlock(sha256, value);
}

/** Runs with these nodes lying about a task: each in its own way, or all in the same. */
async function attempt(
  nodes: readonly string[],
  task = "daily",
  together = false,
): Promise<{ notices: RunNotice[]; result?: string; error?: unknown; outDir: string }> {
  const outDir = folder.fresh("out");
  await mkdir(outDir);
  const notices: RunNotice[] = [];
  const tampers = nodes.map((node, i) => ({
    node,
    change: (at: string, _seq: number, statement: Block) =>
      at === task ? otherRoot(statement, together ? 7 : 7 + i) : statement,
  }));
  try {
    const options = { configPath: config, outDir, onNotice: (notice: RunNotice) => notices.push(notice) };
    const { result } = await runTampered(options, tampers);
    return { notices, result, outDir };
  } catch (error) {
    return { notices, error, outDir };
  }
}

describe("a node that lies", () => {
  it.each(["bravo", "charlie"])("as a voter (%s) is named, and the right result is committed", async (node) => {
    const { notices, result, error } = await attempt([node]);
    expect(error).toBeUndefined();
    expect(result).toBe(honest);
    const named = notices.filter(({ code, facts }) => code === "EVIDENCE" && facts?.["node"] === node);
    expect(named.length).toBeGreaterThan(0);
    expect(named[0]?.message).toContain(`${node} claimed another result for daily/0`);
    expect(notices.filter(({ code, facts }) => code === "EVIDENCE" && facts?.["node"] !== node)).toEqual([]);
  });

  it.each(["delayed", "daily"])("as the submitter, about %s, fails the run and commits nothing", async (task) => {
    const { error, outDir } = await attempt(["alpha"], task);
    expect(error).toBeInstanceOf(IpdmError);
    const { kind, code, where } = error as IpdmError;
    expect({ code, where, exit: EXIT_CODES[kind] }).toMatchObject({ where: `${task}/0` });
    expect([EXIT_CODES.verification, EXIT_CODES.conflict]).toContain(EXIT_CODES[kind]);
    expect(existsSync(join(outDir, "receipt.car"))).toBe(false);
    expect(existsSync(join(outDir, "daily.csv"))).toBe(false);
  });

  it("finds no quorum when two of three lie, each in its own way", async () => {
    const { error, outDir } = await attempt(["bravo", "charlie"]);
    expect(error).toMatchObject({ code: "NO_QUORUM", kind: "conflict", where: "daily/0" });
    expect(existsSync(join(outDir, "receipt.car"))).toBe(false);
  });

  it("ends with an error of the honest submitter when a quorum lies in the same way", async () => {
    const { error, outDir } = await attempt(["bravo", "charlie"], "daily", true);
    expect(error).toMatchObject({ code: "DIVERGED", where: "daily/0" });
    expect(existsSync(join(outDir, "receipt.car"))).toBe(false);
  });

  it("ends when everybody lies", async () => {
    const { error } = await attempt(["alpha", "bravo", "charlie"], "delayed");
    expect(error).toMatchObject({ code: "NO_QUORUM", kind: "conflict" });
  });

  it("and names blocks that nobody has does not keep the receipt from being made", { timeout: 60_000 }, async () => {
    const outDir = folder.fresh("out");
    await mkdir(outDir);
    const change = (at: string, _seq: number, statement: Block) => (at === "daily" ? madeUp(statement) : statement);
    const { result } = await runTampered({ configPath: config, outDir }, [{ node: "charlie", change }]);
    expect(result).toBe(honest);
    expect(existsSync(join(outDir, "receipt.car"))).toBe(true);
  });

  it("where windows are to be proved leaves no quorum, and nobody waits", { timeout: 60_000 }, async () => {
    const dir = folder.fresh("proving");
    await mkdir(dir);
    const proving = await writeSmall(dir, { rows: 3000, replicas: 2, quorum: 2, prove: 1 });
    const change = (at: string, _seq: number, statement: Block) =>
      at === "daily" ? otherRoot(statement, 9) : statement;
    const failed = runTampered({ configPath: proving, outDir: folder.fresh("out") }, [{ node: "bravo", change }]);
    await expect(failed).rejects.toMatchObject({ code: "NO_QUORUM", kind: "conflict" });
  });
});
