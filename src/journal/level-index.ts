import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import type { CID } from "multiformats/cid";
import { hasCode, IpdmError } from "../core/errors.ts";
import { type Base, decodeBase } from "./base.ts";
import type { Tip } from "./continuity.ts";
import { corrupt, writeFailed } from "./errors.ts";
import { holderOf } from "./holder.ts";
import { checkLevelFiles } from "./level-files.ts";
import * as keys from "./level-keys.ts";
import type { Wake } from "./port.ts";
import type { Locator } from "./segments.ts";

/** One put or deletion of a batch. */
export type Write =
  | { readonly type: "put"; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: "del"; readonly key: Buffer };

/** A put; the value's bytes are not copied. */
export function put(key: Buffer, value: Uint8Array): Write {
  return { type: "put", key, value: Buffer.from(value.buffer, value.byteOffset, value.length) };
}

/**
 * The LevelDB of a store, by what is kept in it. Whatever LevelDB cannot read is `JOURNAL_CORRUPT`. Reads wait for `before`, where there is
 * one: for what is durable and on its way here.
 */
export class LevelIndex {
  /** LevelDB's folder. */
  readonly path: string;
  /** Tables that were too many to be read before it was opened. */
  readonly unchecked: readonly string[];
  readonly #level: ClassicLevel<Buffer, Buffer>;
  before: (() => Promise<void> | undefined) | undefined;

  private constructor(level: ClassicLevel<Buffer, Buffer>, path: string, unchecked: readonly string[]) {
    this.#level = level;
    this.path = path;
    this.unchecked = unchecked;
  }

  /** Opens `index` in the folder, under LevelDB's own lock, once its files are checked. Throws `DATA_DIR_IN_USE`, `JOURNAL_CORRUPT`, `DISK_FULL`. */
  static async open(folder: string, tableBytesChecked?: number): Promise<LevelIndex> {
    const path = join(folder, "index");
    try {
      const unchecked = await checkLevelFiles(path, tableBytesChecked);
      // It begins to open by itself.
      const level = new ClassicLevel<Buffer, Buffer>(path, { keyEncoding: "buffer", valueEncoding: "buffer" });
      await level.open();
      return new LevelIndex(level, path, unchecked);
    } catch (error) {
      if (error instanceof IpdmError) throw error;
      throw openFailed(folder, path, (error as { cause?: unknown }).cause ?? error, await holderOf(folder));
    }
  }

  /** Where a block is: its bytes, their place in a segment, or the frame that may hold it. */
  find(cid: CID): Promise<{
    readonly inline: Uint8Array | undefined;
    readonly located: Locator | undefined;
    readonly frame: number | undefined;
  }> {
    return this.#reading(async () => {
      const [inline, located, sealed] = await this.#level.getMany([
        keys.blockKey(cid),
        keys.locatorKey(cid),
        keys.sealedKey(cid),
      ]);
      return {
        inline: inline === undefined ? undefined : new Uint8Array(inline.buffer, inline.byteOffset, inline.length),
        located: located === undefined ? undefined : keys.parseLocator(located),
        frame: sealed === undefined ? undefined : keys.parseSealed(sealed),
      };
    });
  }

  /** A sealed frame's bytes. */
  frame(number: number): Promise<Uint8Array | undefined> {
    return this.#reading(() => this.#level.get(keys.frameKey(number)));
  }

  /** The number of the newest sealed frame; 0 for none. */
  lastFrame(): Promise<number> {
    return this.#reading(async () => {
      const [key] = await this.#level.keys({ ...keys.allFrames, reverse: true, limit: 1 }).all();
      return key === undefined ? 0 : keys.numberOfKey(key);
    });
  }

  /** The sealed frame of an actor that holds an event. */
  frameAt(actor: string, seq: number): Promise<keys.FramePlace | undefined> {
    return this.#reading(async () => {
      const range = { gte: keys.frameAtKey(actor, 0), lte: keys.frameAtKey(actor, seq), reverse: true, limit: 1 };
      const [found] = await this.#level.iterator(range).all();
      const place = found === undefined ? undefined : keys.parseFrameAt(...found);
      return place !== undefined && place.to >= seq ? place : undefined;
    });
  }

  /** All sealed frames of an actor, oldest first. */
  frames(actor: string): Promise<readonly keys.FramePlace[]> {
    return this.#reading(async () =>
      (await this.#level.iterator(keys.framesOf(actor)).all()).map(([key, value]) => keys.parseFrameAt(key, value)),
    );
  }

  /** Where the kept entries of an actor begin; `undefined` where nothing was dropped. */
  base(actor: string): Promise<Base | undefined> {
    return this.#reading(async () => {
      const value = await this.#level.get(keys.baseKey(actor));
      return value === undefined ? undefined : decodeBase(value);
    });
  }

  /** Lets LevelDB give back the space of what was deleted. */
  async compact(): Promise<void> {
    await this.#level.compactRange(Buffer.of(0), Buffer.of(0xff));
  }

  /** Whether a block is here. What a sealed frame holds is looked up in it. */
  has(cid: CID): Promise<boolean> {
    return this.#reading(async () =>
      (await this.#level.hasMany([keys.blockKey(cid), keys.locatorKey(cid), keys.sealedKey(cid)])).includes(true),
    );
  }

  /** For each CID whether a segment holds it. */
  hasLocated(cids: readonly CID[]): Promise<readonly boolean[]> {
    return this.#reading(() => this.#level.hasMany(cids.map(keys.locatorKey)));
  }

  tip(actor: string): Promise<Tip | undefined> {
    return this.#reading(async () => {
      const value = await this.#level.get(keys.tipKey(actor));
      return value === undefined ? undefined : keys.parseTip(value);
    });
  }

  /** Tips of these actors, in their order. */
  tips(actors: readonly string[]): Promise<readonly (Tip | undefined)[]> {
    return this.#reading(async () => {
      const found = await this.#level.getMany(actors.map(keys.tipKey));
      return found.map((value) => (value === undefined ? undefined : keys.parseTip(value)));
    });
  }

  actors(): Promise<readonly string[]> {
    return this.#reading(async () => (await this.#level.keys(keys.allTips).all()).map(keys.textOfKey));
  }

  wakes(): Promise<readonly Wake[]> {
    return this.#reading(async () => {
      const found = await this.#level.iterator(keys.allWakes).all();
      return found.map(([key, value]) => ({ actor: keys.textOfKey(key), at: Number(value.readBigUInt64BE(0)) }));
    });
  }

  /** CIDs of the next entries of an actor whose first event is after `seq`. */
  entryCids(actor: string, seq: number, limit: number): Promise<readonly CID[]> {
    return this.#reading(async () =>
      (await this.#level.values({ ...keys.entriesAfter(actor, seq), limit }).all()).map(keys.parseCid),
    );
  }

  /** CID of the last entry of an actor whose first event is at or before `seq`. */
  entryCidAt(actor: string, seq: number): Promise<CID | undefined> {
    return this.#reading(async () => {
      const range = { gte: keys.entryKey(actor, 0), lte: keys.entryKey(actor, seq), reverse: true, limit: 1 };
      const [found] = await this.#level.values(range).all();
      return found === undefined ? undefined : keys.parseCid(found);
    });
  }

  meta(key: string): Promise<Uint8Array | undefined> {
    return this.#reading(async () => {
      const value = await this.#level.get(keys.metaKey(key));
      return value === undefined ? undefined : Uint8Array.from(value);
    });
  }

  /** Commit records in order: number and bytes. */
  async *commits(): AsyncIterable<readonly [number, Uint8Array]> {
    const iterator = this.#level.iterator(keys.allCommits);
    try {
      for (;;) {
        const page = await this.#reading(() => iterator.nextv(1000));
        if (page.length === 0) return;
        for (const [key, value] of page) yield [keys.numberOfKey(key), value];
      }
    } finally {
      await iterator.close();
    }
  }

  /** Final sizes of completed segments, by number. */
  completed(): Promise<ReadonlyMap<number, number>> {
    return this.#reading(async () => {
      const found = await this.#level.iterator(keys.allCompleted).all();
      return new Map(found.map(([key, value]) => [keys.numberOfKey(key), Number(value.readBigUInt64BE(0))]));
    });
  }

  /** How far LevelDB is; `undefined` in an empty store, and in one from before there was a write-ahead log. */
  mark(): Promise<keys.AppliedMark | undefined> {
    return this.#reading(async () => {
      const value = await this.#level.get(keys.markKey);
      return value === undefined ? undefined : keys.parseMark(value);
    });
  }

  /** Writes all or nothing. */
  async write(writes: readonly Write[], sync: boolean): Promise<void> {
    // Handed over one by one they cost half of what a list of them does.
    const batch = this.#level.batch();
    for (const write of writes) {
      if (write.type === "put") batch.put(write.key, write.value);
      else batch.del(write.key);
    }
    await batch.write({ sync });
  }

  /** Takes the commit records of an older store away, and notes in the same moment how far LevelDB is. */
  async dropCommits(mark: Write): Promise<void> {
    const old = await this.#level.keys(keys.allCommits).all();
    await this.write([mark, ...old.map((key): Write => ({ type: "del", key }))], true);
  }

  /** Resolves when all that was written before is in tables that are synced, and so is the list of them. */
  async flush(): Promise<void> {
    // A range without keys: only what LevelDB holds in memory is written. A failure of that is told by the next write.
    await this.#level.compactRange(keys.behindAll, keys.behindAll);
    await this.write([{ type: "del", key: keys.behindAll }], true);
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    const settled = this.before?.();
    if (settled !== undefined) await settled;
    try {
      return await read();
    } catch (error) {
      if (hasCode(error, "LEVEL_DATABASE_NOT_OPEN")) throw error;
      throw corrupt(`LevelDB: ${error instanceof Error ? error.message : String(error)}`, {}, error);
    }
  }
}

function openFailed(folder: string, path: string, cause: unknown, pid: number | undefined): IpdmError {
  if (hasCode(cause, "LEVEL_LOCKED")) {
    const isOwn = pid === process.pid;
    const holder = pid === undefined ? "another process" : isOwn ? "another store of this process" : `process ${pid}`;
    return new IpdmError("DATA_DIR_IN_USE", `${holder} uses the data folder ${folder}`, {
      kind: "conflict",
      where: folder,
      hint: `${pid === undefined || isOwn ? "stop the other one" : `stop process ${pid}`}, or use a folder of its own (--data)`,
      retry: "later",
      facts: pid === undefined ? {} : { pid },
      cause,
    });
  }
  if (hasCode(cause, "LEVEL_CORRUPTION")) return corrupt(`${path}: ${(cause as Error).message}`, {}, cause);
  return writeFailed(cause, path);
}
