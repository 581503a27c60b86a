import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Block } from "../../../src/dag/block.ts";
import { encodeCheckpoint, stateBlock } from "../../../src/journal/checkpoint.ts";
import { encodeEntry, lastSeq } from "../../../src/journal/entry.ts";
import { packFrame, unpackFrame } from "../../../src/journal/frame.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import type { EntryAppend, JournalEntry, StoredEntry } from "../../../src/journal/port.ts";
import { collect, EntryWriter, sha256 } from "../../contract/journal/store.contract.ts";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "ipdm-compact-"));
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

const open = (): Promise<LevelStore> => LevelStore.open({ path, hash: sha256 });
const cids = (entries: readonly StoredEntry[]): string[] => entries.map(({ cid }) => cid.toString());

/** `count` entries of an actor, with a checkpoint at every tenth. */
async function fill(store: LevelStore, actor: string, count: number): Promise<EntryAppend[]> {
  const appends: EntryAppend[] = [];
  let prev: JournalEntry["prev"] = null;
  for (let at = 1; at <= count; at++) {
    let entry: JournalEntry = {
      v: 1,
      actor,
      seq: 2 * at - 1,
      prev,
      events: [{ type: "n", at }, { type: "m" }],
      requests: [],
    };
    let blocks: Block[] = [];
    if (at % 10 === 0) {
      const state = stateBlock(sha256, { status: "active", value: "on", context: { at } });
      const machine = { name: "m", version: 1, definition: state.cid };
      const checkpoint = encodeCheckpoint(sha256, {
        v: 1,
        actor,
        seq: lastSeq(entry),
        machine,
        state: state.cid,
        pending: [],
      });
      blocks = [checkpoint, state];
      entry = { ...entry, checkpoint: checkpoint.cid };
    }
    const block = encodeEntry(sha256, entry);
    prev = block.cid;
    appends.push({ entry, block, blocks });
  }
  await Promise.all(appends.map((append) => store.append(append)));
  return appends;
}

async function indexBytes(): Promise<number> {
  const folder = join(path, "index");
  const sizes = (await readdir(folder))
    .filter((name) => name.endsWith(".ldb"))
    .map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe("frames", () => {
  it("give back the very blocks, links that were cut out included", () => {
    const writer = new EntryWriter("a");
    const blocks = Array.from({ length: 300 }, (_, at) => writer.next([{ type: "n", at }]).block);
    for (const part of [blocks, blocks.slice(17), [blocks[3], blocks[9]] as Block[]]) {
      const frame = packFrame(part);
      expect(unpackFrame(sha256, frame)?.map(({ cid }) => cid.toString())).toEqual(
        part.map(({ cid }) => cid.toString()),
      );
      expect(unpackFrame(sha256, frame.subarray(0, frame.length - 4))).toBeUndefined();
    }
    expect(unpackFrame(sha256, Buffer.from([9, 1, 2]))).toBeUndefined();
  });
});

describe("compaction", () => {
  it("seals older entries; they read as before, from anywhere and by CID, over a restart and beside new ones", async () => {
    let store = await open();
    const appends = await fill(store, "a", 100);
    await fill(store, "b", 5);
    const before = cids(await collect(store.entries("a")));
    expect(await store.compact()).toEqual({ sealed: 99, frames: 1, dropped: 0 });
    expect(await store.compact()).toEqual({ sealed: 0, frames: 0, dropped: 0 });
    for (let pass = 0; pass < 2; pass++) {
      expect(cids(await collect(store.entries("a")))).toEqual(before);
      expect(cids(await collect(store.entries("a", { from: 100 })))).toEqual(before.slice(49));
      expect(cids(await collect(store.entries("a", { from: 200 })))).toEqual(before.slice(99));
      expect((await store.first("a"))?.cid.toString()).toBe(before[0]);
      for (const { block } of appends) {
        expect(await store.blocks.has(block.cid)).toBe(true);
        expect(Buffer.compare((await store.blocks.get(block.cid)) as Uint8Array, block.bytes)).toBe(0);
      }
      await store.close();
      store = await open();
    }
    const next: JournalEntry = {
      v: 1,
      actor: "a",
      seq: 201,
      prev: appends[99]?.block.cid ?? null,
      events: [1],
      requests: [],
    };
    await store.append({ entry: next, block: encodeEntry(sha256, next) });
    expect((await collect(store.entries("a"))).length).toBe(101);
    await store.close();
  });

  it("drops what is older than the last checkpoints, after it was archived, and says so to who asks for it", async () => {
    await using store = await open();
    const appends = await fill(store, "a", 100);
    await store.compact();
    const archives: string[][] = [];
    const archive = async (_actor: string, entries: readonly StoredEntry[]): Promise<void> => {
      archives.push(cids(entries));
    };
    expect(await store.compact({ keepCheckpoints: 2, archive })).toMatchObject({ dropped: 89 });
    const all = appends.map(({ block }) => block.cid.toString());
    expect(archives).toEqual([all.slice(0, 89)]);
    expect(await store.kept("a")).toBe(179);
    const kept = await collect(store.entries("a", { from: 179 }));
    expect(cids(kept)).toEqual(all.slice(89));
    expect(kept[0]?.entry.prev?.toString()).toBe(all[88]);
    expect((await store.first("a"))?.cid.toString()).toBe(all[0]);
    await expect(collect(store.entries("a"))).rejects.toMatchObject({
      code: "JOURNAL_ARCHIVED",
      facts: { from: 1, kept: 179, archive: all[88] },
    });
    expect(await store.blocks.has(appends[50]?.block.cid as Block["cid"])).toBe(false);
    expect(await store.compact({ keepCheckpoints: 2, archive })).toMatchObject({ dropped: 0 });
    expect(await store.compact({ keepCheckpoints: 1, archive })).toMatchObject({ dropped: 10 });
    expect(archives[1]).toEqual(all.slice(89, 99));
  });

  it("leaves alone an entry that is larger than a frame, and seals what is around it", async () => {
    await using store = await open();
    const writer = new EntryWriter("a");
    const appends = Array.from({ length: 80 }, (_, at) =>
      writer.next([{ at, text: at === 40 ? "x".repeat(300_000) : "" }]),
    );
    for (const append of appends.slice(0, 60)) await store.append(append);
    expect(await store.compact()).toMatchObject({ sealed: 58, frames: 2 });
    for (const append of appends.slice(60)) await store.append(append);
    const all = appends.map(({ block }) => block.cid.toString());
    for (let pass = 0; pass < 2; pass++) {
      expect(cids(await collect(store.entries("a")))).toEqual(all);
      expect(cids(await collect(store.entries("a", { from: 41 })))).toEqual(all.slice(40));
      expect(cids(await collect(store.entries("a", { from: 50 })))).toEqual(all.slice(49));
      expect(await store.compact()).toMatchObject({ sealed: pass === 0 ? 20 : 0 });
    }
  });

  it("keeps everything where archiving fails, and takes less room afterwards", async () => {
    await using store = await open();
    for (let actor = 0; actor < 20; actor++) await fill(store, `order/${actor}`, 100);
    const failing = store.compact({ keepCheckpoints: 1, archive: () => Promise.reject(new Error("no room")) });
    await expect(failing).rejects.toThrow("no room");
    expect(await store.kept("order/0")).toBe(1);
    await store.compact({ sealEntriesMin: 1000 });
    const before = await indexBytes();
    await store.compact();
    expect(await indexBytes()).toBeLessThan(before / 3);
  });
});
