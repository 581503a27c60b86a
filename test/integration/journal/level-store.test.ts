import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { holderOf } from "../../../src/journal/holder.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { dataFiles, flipBit, onCopy, openStore, readAll, type Written, writeStore } from "./damage.ts";
import { resumeWriters } from "./resume-writers.ts";
import { randomFrom, sha256 } from "./seeded-store.ts";

let once: Written;
let thrice: Written;
const folders: string[] = [];

beforeAll(async () => {
  [once, thrice] = [await writeStore(1), await writeStore(3)];
  folders.push(once.folder, thrice.folder);
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe("LevelStore finds damage", () => {
  it("none where there is none", async () => {
    for (const written of [once, thrice]) {
      expect(await onCopy(written, (folder) => readAll(written, folder))).toMatchObject({ whole: true, codes: [] });
    }
  });

  it("a write-ahead log cut short, or gone: names the first lost commit", async () => {
    for (const share of [0.5, 0.1, 0]) {
      await onCopy(once, async (folder) => {
        await truncate(join(folder, "ahead.0"), Math.floor((await endOfLog(folder)) * share));
        // LevelDB has what the log had; but it says so itself, and the two no longer fit.
        const isWhole = share === 0;
        for (let attempt = 0; attempt < 2; attempt++) {
          if (isWhole) expect(await readAll(once, folder)).toMatchObject({ whole: true });
          else
            await expect(openStore(folder)).rejects.toMatchObject({
              code: "JOURNAL_CORRUPT",
              message: expect.stringMatching(/group commit \d+/),
              facts: { commit: expect.any(Number) },
            });
        }
      });
    }
  });

  it("a flipped bit in the write-ahead log: names the commit", async () => {
    const random = randomFrom(5);
    const end = await endOfLog(once.folder);
    for (let flip = 0; flip < 12; flip++) {
      await onCopy(once, async (folder) => {
        const bit = Math.floor(random() * end * 8);
        await flipBit(join(folder, "ahead.0"), bit);
        const finding = await readAll(once, folder);
        expect(finding.codes, `bit ${bit}`).toEqual(["JOURNAL_CORRUPT"]);
        expect(finding.messages[0], `bit ${bit}`).toMatch(/group commit \d+/);
      });
    }
  });

  it("a write-ahead log and a LevelDB that are both gone", async () => {
    await onCopy(once, async (folder) => {
      await rm(join(folder, "index"), { recursive: true });
      await rm(join(folder, "ahead.0"));
      await expect(openStore(folder)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", facts: { commit: 1 } });
    });
  });

  it("a segment cut short, or gone: names the file", async () => {
    for (const name of ["000001.seg", "000002.seg", "000003.seg"]) {
      await onCopy(once, async (folder) => {
        await truncate(join(folder, "segments", name), 100);
        await expect(openStore(folder)).rejects.toMatchObject({
          code: "JOURNAL_CORRUPT",
          facts: { segment: name, found: 100 },
        });
        await rm(join(folder, "segments", name));
        await expect(openStore(folder)).rejects.toMatchObject({ code: "JOURNAL_CORRUPT", facts: { segment: name } });
      });
    }
  });

  it("a flipped bit in a segment: names file, byte and block, and the next put repairs it", async () => {
    await onCopy(once, async (folder) => {
      await flipBit(join(folder, "segments", "000001.seg"), 8 * 2000);
      await using store = await openStore(folder);
      const [block] = once.blocks;
      if (block === undefined) throw new Error("no block");
      await expect(store.blocks.get(block.cid)).rejects.toMatchObject({
        code: "JOURNAL_CORRUPT",
        facts: { segment: "000001.seg", offset: 56, cid: block.cid.toString() },
      });
      await store.blocks.put(block);
      expect(await store.blocks.get(block.cid)).toEqual(block.bytes);
    });
  });

  it("a damaged table that was not read before it opened: stops while it is in use, by name", async () => {
    await onCopy(thrice, async (folder) => {
      const table = await newest(join(folder, "index"), ".ldb");
      await flipBit(join(folder, "index", table), 8 * 2000);
      const options = { path: folder, hash: sha256, segmentBytes: 40 * 1024 };
      const damage = { code: "JOURNAL_CORRUPT", facts: { file: `index/${table}` } };
      await expect(LevelStore.open(options)).rejects.toMatchObject(damage);
      await using store = await LevelStore.open({ ...options, tableBytesChecked: 0 });
      await vi.waitFor(() => expect(store.meta.put("more", Uint8Array.of(1))).rejects.toMatchObject(damage));
    });
  });

  it("a flipped bit anywhere: never a wrong entry or wrong bytes", async () => {
    const random = randomFrom(99);
    for (let flip = 0; flip < 30; flip++) {
      const written = flip % 2 === 0 ? once : thrice;
      await onCopy(written, async (folder) => {
        const files = await dataFiles(folder);
        const file = files[Math.floor(random() * files.length)] as string;
        const bit = Math.floor(random() * (await stat(join(folder, file))).size * 8);
        await flipBit(join(folder, file), bit);
        const finding = await readAll(written, folder);
        expect(finding.wrong, `${file} bit ${bit}`).toEqual([]);
        expect(new Set([...finding.codes, "JOURNAL_CORRUPT"]), `${file} bit ${bit}`).toEqual(
          new Set(["JOURNAL_CORRUPT"]),
        );
      });
    }
  });
});

describe("LevelStore makes good from its write-ahead log what LevelDB lost", () => {
  it("a log of LevelDB that is cut short anywhere, altered or gone", async () => {
    const random = randomFrom(7);
    for (let cut = 0; cut < 12; cut++) {
      await onCopy(once, async (folder) => {
        const log = join(folder, "index", await newest(join(folder, "index"), ".log"));
        const { size } = await stat(log);
        if (cut % 2 === 0) await truncate(log, cut === 0 ? 0 : Math.floor(random() * size));
        else await flipBit(log, Math.floor(random() * size * 8));
        // And once more, from what the first start made of it.
        for (let start = 0; start < 2; start++)
          expect(await readAll(once, folder), `cut ${cut}, start ${start}`).toMatchObject({ whole: true });
      });
    }
  });

  it("all of it, while the log reaches back to the first commit", async () => {
    await onCopy(once, async (folder) => {
      await rm(join(folder, "index"), { recursive: true });
      expect(await readAll(once, folder)).toMatchObject({ whole: true });
    });
  });

  it("and leaves, when it is closed in order, little to read for the next start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ipdm-turns-"));
    folders.push(folder);
    const blocks = Array.from({ length: 60 }, (_, at) => cborBlock(sha256, new Uint8Array(10_000).fill(at)));
    const held = async (): Promise<number> =>
      (await stat(join(folder, "ahead.0"))).size + (await stat(join(folder, "ahead.1"))).size;
    {
      await using store = await openStore(folder);
      for (const block of blocks) await store.blocks.put(block);
      expect(await held()).toBeGreaterThan(500_000);
    }
    expect(await held()).toBe(0);
    expect(await readAll({ folder, entries: [], blocks }, folder)).toMatchObject({ codes: [], blocksMissing: 0 });
  });
});

describe("LevelStore and its folder", () => {
  it("cuts off what was written to a segment and never committed", async () => {
    await onCopy(once, async (folder) => {
      const last = join(folder, "segments", await newest(join(folder, "segments"), ".seg"));
      const { size } = await stat(last);
      await appendFile(last, "half a frame");
      await appendFile(join(folder, "segments", "000099.seg"), "a segment that no commit knows");
      expect(await readAll(once, folder)).toMatchObject({ whole: true });
      expect((await readFile(last)).length).toBe(size);
      expect(await readdir(join(folder, "segments"))).not.toContain("000099.seg");
    });
  });

  it("belongs to one opener at a time", async () => {
    await onCopy(once, async (folder) => {
      await using store = await openStore(folder);
      await expect(openStore(folder)).rejects.toMatchObject({
        code: "DATA_DIR_IN_USE",
        kind: "conflict",
        where: folder,
        facts: { pid: process.pid },
      });
      expect(await store.actors()).toHaveLength(3);
      // A note of a process that is gone names nobody.
      expect(await holderOf(folder)).toBe(process.pid);
      await writeFile(join(folder, "holder"), "4194999\n");
      expect(await holderOf(folder)).toBeUndefined();
    });
  });

  it.skipIf(process.platform !== "linux")("stops for good when the disk is full", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ipdm-full-"));
    folders.push(folder);
    await using store = await openStore(folder);
    const [writer] = await resumeWriters(store, ["task/a"]);
    if (writer === undefined) throw new Error("no writer");
    await store.append(writer.next([{ n: 1 }]));
    await store.blocks.put(rawBlock(sha256, new Uint8Array(50_000)));
    // The next segment is the device that is always full.
    await symlink("/dev/full", join(folder, "segments", "000002.seg"));
    const [put, append] = await Promise.allSettled([
      store.blocks.put(rawBlock(sha256, new Uint8Array(50_000).fill(1))),
      store.append(writer.next([{ n: 2 }])),
    ]);
    expect(put).toMatchObject({
      status: "rejected",
      reason: { code: "DISK_FULL", kind: "failed", hint: expect.any(String) },
    });
    expect(append).toMatchObject({ status: "rejected", reason: { code: "DISK_FULL" } });
    await expect(store.append(writer.next([{ n: 3 }]))).rejects.toMatchObject({ code: "JOURNAL_STOPPED" });
    await expect(store.head("task/a")).rejects.toMatchObject({ code: "JOURNAL_STOPPED" });
    await store.close();
    await rm(join(folder, "segments", "000002.seg"));
    await using again = await openStore(folder);
    expect((await again.head("task/a"))?.seq).toBe(1);
  });
});

/** Offset behind the newest record of a log that has not turned. */
async function endOfLog(folder: string): Promise<number> {
  const bytes = await readFile(join(folder, "ahead.0"));
  let end = bytes.length;
  while (bytes[end - 1] === 0) end -= 1;
  return end;
}

async function newest(folder: string, ending: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  return names.at(-1) as string;
}
