import { type FileHandle, open } from "node:fs/promises";

/** A file open for reading and writing at any place, made when it is not there. */
export async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    return await open(path, "w+");
  }
}
