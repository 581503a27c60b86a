import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CID } from "multiformats/cid";
import { expect } from "vitest";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { randomFrom, sha256 } from "./seeded-store.ts";

const CHILD = fileURLToPath(new URL("./append-child.ts", import.meta.url));

/**
 * Kills a child that appends, `kills` times, at a seeded number of acknowledgements; checks each time that all acknowledged is there. Every other
 * time LevelDB loses its log besides, which nobody syncs: the power went.
 */
export async function killCycles(seed: number, kills: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-kill-"));
  const random = randomFrom(seed);
  const acknowledged = new Set<string>();
  try {
    for (let kill = 0; kill < kills; kill++) {
      for (const line of await linesUntilKilled(folder, seed + kill, 1 + Math.floor(random() * 400)))
        acknowledged.add(line);
      if (kill % 2 === 1) await loseLogs(join(folder, "index"));
      await checkAll(folder, acknowledged, `seed ${seed}, kill ${kill}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function linesUntilKilled(folder: string, seed: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) child.kill("SIGKILL");
  }
  await exited;
  expect(child.signalCode).toBe("SIGKILL");
  // The last line may be half a line: the child died while it wrote it.
  return lines.filter((line) => /^(entry|block) \S+ \S+ b[a-z2-7]{58}$/.test(line));
}

async function loseLogs(index: string): Promise<void> {
  for (const name of await readdir(index)) if (name.endsWith(".log")) await truncate(join(index, name), 0);
}

async function checkAll(folder: string, acknowledged: ReadonlySet<string>, where: string): Promise<void> {
  await using store = await LevelStore.open({ path: folder, hash: sha256, segmentBytes: 256 * 1024 });
  const journalled = new Set<string>();
  for (const actor of await store.actors()) {
    for await (const { cid, entry } of store.entries(actor))
      journalled.add(`entry ${actor} ${entry.seq} ${cid.toString()}`);
  }
  for (const line of acknowledged) {
    if (line.startsWith("entry ")) expect(journalled.has(line), `${where}: ${line}`).toBe(true);
    else expect(await store.blocks.get(CID.parse(line.split(" ")[3] as string)), `${where}: ${line}`).toBeDefined();
  }
}
