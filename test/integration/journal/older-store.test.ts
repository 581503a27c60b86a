import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { resumeWriters } from "./resume-writers.ts";
import { sha256 } from "./seeded-store.ts";

// A folder as version 0.x wrote it before there was a write-ahead log: 44 commits, two journals of 40 entries, one of them sealed in part.
const OLDER = join(import.meta.dirname, "../../fixtures/stores/commits-1");

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "ipdm-older-"));
  await cp(OLDER, path, { recursive: true });
});
afterEach(() => rm(path, { recursive: true, force: true }));

const open = (): Promise<LevelStore> => LevelStore.open({ path, hash: sha256 });

async function seqs(store: LevelStore, actor: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { entry } of store.entries(actor)) found.push(entry.seq);
  return found;
}

describe("a store from before there was a write-ahead log", () => {
  it("is read, goes on, and has a log from then on", async () => {
    for (let start = 0; start < 3; start++) {
      await using store = await open();
      expect(await store.actors()).toEqual(["lake/1", "task/a"]);
      for (const actor of await store.actors())
        expect(await seqs(store, actor)).toEqual(Array.from({ length: 40 + start }, (_, at) => at + 1));
      for (const session of [0, 1]) {
        const raw = rawBlock(sha256, new Uint8Array(3000).fill(session));
        expect(await store.blocks.get(raw.cid)).toEqual(raw.bytes);
        expect(await store.blocks.has(cborBlock(sha256, { session }).cid)).toBe(true);
      }
      expect(await store.meta.get("node/key")).toEqual(Uint8Array.of(1, 2, 1));
      const writers = await resumeWriters(store, await store.actors());
      await Promise.all(writers.map((writer) => store.append(writer.next([{ start }]))));
    }
    expect(await readdir(path)).toContain("ahead.0");
  });

  it("is still held to its commits: what LevelDB lost of it is named", async () => {
    const log = join(path, "index/000007.log");
    const whole = await readFile(log);
    for (const cut of [0, 7000]) {
      await truncate(log, cut);
      await expect(open()).rejects.toMatchObject({
        code: "JOURNAL_CORRUPT",
        message: expect.stringMatching(/group commit \d+/),
      });
      await rm(path, { recursive: true });
      await cp(OLDER, path, { recursive: true });
    }
    const altered = Buffer.from(whole);
    altered[7000] = (altered[7000] as number) ^ 1;
    await writeFile(log, altered);
    await expect(open()).rejects.toMatchObject({ code: "JOURNAL_CORRUPT" });
  });
});
