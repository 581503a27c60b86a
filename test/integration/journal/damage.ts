import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equalBytes } from "../../../src/core/bytes.ts";
import { hasCode } from "../../../src/core/errors.ts";
import { type Block, rawBlock } from "../../../src/dag/block.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import type { EntryAppend } from "../../../src/journal/port.ts";
import { resumeWriters } from "./resume-writers.ts";
import { sha256 } from "./seeded-store.ts";

/** A store on disk, closed, and what was acknowledged by it. */
export interface Written {
  readonly folder: string;
  readonly entries: readonly EntryAppend[];
  readonly blocks: readonly Block[];
}

/**
 * Writes 3 × 40 entries and 30 raw blocks in many commits; `sessions` times opened and closed. When `compacted`, entries are sealed after
 * every session.
 */
export async function writeStore(sessions: number, compacted = false): Promise<Written> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-damage-"));
  const entries: EntryAppend[] = [];
  const blocks: Block[] = [];
  for (let session = 0; session < sessions; session++) {
    await using store = await openStore(folder);
    const writers = await resumeWriters(store, ["task/a", "task/b", "lake/1"]);
    for (let at = 0; at < 40 / sessions; at++) {
      const round = writers.map((writer) => writer.next([{ type: "n", at, session }]));
      await Promise.all(round.map((append) => store.append(append)));
      entries.push(...round);
    }
    const raw = Array.from({ length: 30 / sessions }, (_, at) =>
      rawBlock(sha256, new Uint8Array(3000 + at).fill(at + 100 * session)),
    );
    for (const block of raw) await store.blocks.put(block);
    blocks.push(...raw);
    if (compacted) await store.compact({ sealEntriesMin: 2 });
  }
  return { folder, entries, blocks };
}

export function openStore(path: string): Promise<LevelStore> {
  return LevelStore.open({ path, hash: sha256, segmentBytes: 40 * 1024 });
}

/** Runs `check` on a copy of the folder. */
export async function onCopy<T>(written: Written, check: (folder: string) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), "ipdm-damaged-"));
  try {
    await cp(written.folder, copy, { recursive: true });
    return await check(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Files of a store that hold data, relative to its folder. */
export async function dataFiles(folder: string): Promise<string[]> {
  const index = (await readdir(join(folder, "index"))).filter((name) => /\.(log|ldb|sst)$/.test(name));
  const segments = await readdir(join(folder, "segments"));
  const all = [
    ...index.map((name) => join("index", name)),
    ...segments.map((name) => join("segments", name)),
    "commits",
    "ahead.0",
    "ahead.1",
  ].sort();
  const sizes = await Promise.all(all.map(async (name) => (await stat(join(folder, name))).size));
  return all.filter((_, at) => (sizes[at] as number) > 0);
}

export async function flipBit(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(bit / 8);
  bytes[at] = (bytes[at] as number) ^ (1 << (bit % 8));
  await writeFile(path, bytes);
}

/** What a reader finds in a damaged folder. */
export interface Finding {
  /** Everything acknowledged was read back. */
  readonly whole: boolean;
  /** Codes of the errors met. */
  readonly codes: readonly string[];
  readonly messages: readonly string[];
  /** Something wrong or missing was handed out without an error; a block that reads as never stored is counted apart. */
  readonly wrong: readonly string[];
  readonly blocksMissing: number;
}

/** Reads everything that was acknowledged. */
export async function readAll(written: Written, folder: string): Promise<Finding> {
  const errors: unknown[] = [];
  const wrong: string[] = [];
  let blocksMissing = 0;
  const note = (error: unknown): void => {
    errors.push(error);
  };
  try {
    await using store = await openStore(folder);
    for (const actor of ["task/a", "task/b", "lake/1"]) {
      const found: string[] = [];
      const expected = written.entries
        .filter((append) => append.entry.actor === actor)
        .map((append) => append.block.cid.toString());
      try {
        for await (const { cid } of store.entries(actor)) found.push(cid.toString());
        if (found.join() !== expected.join()) wrong.push(`entries of ${actor}: ${found.length} of ${expected.length}`);
      } catch (error) {
        note(error);
      }
    }
    for (const block of written.blocks) {
      try {
        const bytes = await store.blocks.get(block.cid);
        if (bytes === undefined) blocksMissing += 1;
        else if (!equalBytes(bytes, block.bytes)) wrong.push(`block ${block.cid.toString()}`);
      } catch (error) {
        note(error);
      }
    }
  } catch (error) {
    note(error);
  }
  const codes = errors.map((error) => (hasCode(error, "JOURNAL_CORRUPT") ? "JOURNAL_CORRUPT" : String(error)));
  const messages = errors.map((error) => (error as Error).message);
  return {
    whole: errors.length === 0 && wrong.length === 0 && blocksMissing === 0,
    codes,
    messages,
    wrong,
    blocksMissing,
  };
}
