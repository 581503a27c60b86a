import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { randomFrom, sha256 } from "../journal/seeded-store.ts";

const CHILD = fileURLToPath(new URL("./kernel-child.ts", import.meta.url));
const TOTAL = 300;
const SEED = 42;

describe("a kernel under kill -9", () => {
  it(`has every acknowledged event and the request of every begun effect, and ends with the same state (seed ${SEED})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "ipdm-kernel-"));
    const random = randomFrom(SEED);
    const events = new Set<number>();
    const effects = new Set<string>();
    let moved: string | undefined;
    let kills = 0;
    try {
      while (moved === undefined) {
        const lines = await run(folder, kills < 5 ? 5 + Math.floor(random() * 120) : Number.POSITIVE_INFINITY);
        kills += 1;
        for (const line of lines) {
          const [kind, value = ""] = line.split(" ");
          if (kind === "event") events.add(Number(value));
          if (kind === "effect") effects.add(value);
          if (kind === "moved") moved = value;
        }
        const journalled = await journal(folder);
        for (const event of events) expect(journalled.moves, `kill ${kills}`).toContain(event);
        for (const effect of effects) expect(journalled.requests, `kill ${kills}`).toContain(effect);
        expect(journalled.moves.size, `kill ${kills}`).toBe(journalled.count);
      }
      expect(kills).toBe(6);
      expect(Number(moved)).toBe((TOTAL * (TOTAL + 1)) / 2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function run(folder: string, killAfterLines: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(TOTAL)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfterLines) child.kill("SIGKILL");
  }
  await closed;
  expect(child.signalCode ?? child.exitCode).toBe(killAfterLines === Number.POSITIVE_INFINITY ? 0 : "SIGKILL");
  // A line cut by the kill is no acknowledgement; numbers and ids are only trusted from whole lines.
  return lines.filter((line, at) => at < lines.length - 1 || line.startsWith("moved "));
}

async function journal(folder: string): Promise<{ moves: Set<number>; count: number; requests: Set<string> }> {
  await using store = await LevelStore.open({ path: folder, hash: sha256 });
  const moves = new Set<number>();
  const requests = new Set<string>();
  let count = 0;
  for await (const { entry } of store.entries("parcel/k")) {
    for (const event of entry.events as readonly { readonly type: string; readonly by?: number }[]) {
      if (event.type !== "move") continue;
      moves.add(event.by as number);
      count += 1;
    }
    for (const request of entry.requests) requests.add(request.id);
  }
  return { moves, count, requests };
}
