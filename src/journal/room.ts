import { open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ROOM_BYTES } from "./limits.ts";

const FILE = "room";

/**
 * Whether the disk of a store's folder takes {@link ROOM_BYTES} more: as much as a group commit, and what LevelDB writes when it opens. Where
 * the disk says so they are written, since a quota may say no all the same.
 */
export async function hasRoom(folder: string): Promise<boolean> {
  const path = join(folder, FILE);
  try {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < ROOM_BYTES) return false;
    const file = await open(path, "w");
    try {
      await file.write(Buffer.alloc(ROOM_BYTES, 1));
      await file.datasync();
      return (await file.stat()).size === ROOM_BYTES;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
}
