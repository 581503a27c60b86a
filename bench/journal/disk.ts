import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { encode } from "@ipld/dag-cbor";
import { ClassicLevel } from "classic-level";
import { GroupCommit } from "../../src/journal/group-commit.ts";
import type { Open } from "./subject.ts";

/** The disk itself: the event's bytes appended to a file, and one fdatasync for each. */
export const fdatasync: Open = async (folder) => {
  const file = openSync(join(folder, "log"), "a");
  return {
    send: async (_actor, event) => {
      writeSync(file, encode(event));
      fdatasyncSync(file);
    },
    [Symbol.asyncDispose]: async () => closeSync(file),
  };
};

/**
 * LevelDB alone: as many bytes an event as ours puts there (the entry under its CID, the entry's CID under actor and number, the journal's
 * tip, a share of the commit's record), batches that gather while one is synced. No transition, no hash, no link.
 */
export const level: Open = async (folder) => {
  const db = new ClassicLevel<Buffer, Buffer>(join(folder, "level"), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await db.open();
  let commit = 0;
  const group = new GroupCommit<readonly [number, number, Buffer]>(async (waiting) => {
    const writes: { type: "put"; key: Buffer; value: Buffer }[] = [];
    const put = (key: Buffer, value: Buffer): void => {
      writes.push({ type: "put", key, value });
    };
    for (const [actor, at, value] of waiting) {
      const cid = Buffer.alloc(36, at);
      put(Buffer.concat([Buffer.from("b"), cid, Buffer.from(`${actor}/${at}`)]), value);
      put(Buffer.from(`eorder/${actor}\0${String(at).padStart(8, "0")}`), cid);
      put(Buffer.from(`horder/${actor}`), Buffer.concat([Buffer.alloc(8, at), cid]));
    }
    commit += 1;
    put(Buffer.from(`c${String(commit).padStart(8, "0")}`), Buffer.alloc(120 + 58 * waiting.length, commit));
    await db.batch(writes, { sync: true });
  });
  let count = 0;
  return {
    send: (actor, event) => {
      // The entry around the event: version, actor, number, link to the one before.
      const value = Buffer.concat([encode(event), Buffer.alloc(100, count)]);
      return group.add([actor, (count += 1), value], value.length);
    },
    [Symbol.asyncDispose]: async () => {
      await group.close();
      await db.close();
    },
  };
};
