import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { IpdmError } from "../../core/errors.ts";
import type { Compression } from "../byte-stream.ts";
import { type FileVersion, SourceFile } from "../file.ts";
import { CHAIN_FILES_MAX } from "./limits.ts";

/** A file with blocks, as it was when it was found. */
export interface ChainFile {
  readonly version: FileVersion;
  readonly compression: Compression;
}

const NAME = /\.(?:json|ndjson|jsonl)(?:\.(gz|zst))?$/i;

/** True when the name is that of a file which may hold blocks. */
export function isChainFile(name: string): boolean {
  return NAME.test(name);
}

/**
 * The files of files and folders (not of folders in folders), in the order of their names: `.json`, `.ndjson` and `.jsonl`, each
 * also with `.gz` or `.zst`. Throws `SOURCE_MISSING`, `SOURCE_UNREADABLE`, `SOURCE_FORMAT_UNKNOWN` (a file of another name),
 * `CHAIN_EMPTY` (kind `config`) for a folder without any, `SOURCE_LIMIT`.
 */
export async function chainFiles(places: readonly string[]): Promise<readonly ChainFile[]> {
  const files: ChainFile[] = [];
  for (const place of places) {
    const paths = await pathsOf(place);
    if (files.length + paths.length > CHAIN_FILES_MAX) {
      throw new IpdmError("SOURCE_LIMIT", `${place} has more than ${CHAIN_FILES_MAX} files`, {
        where: place,
        hint: "write several blocks in a file, one a line",
      });
    }
    for (const path of paths) files.push(await lookAt(path));
  }
  return files;
}

/** True when places hold the same files as when they were found, each in the version that was found. */
export async function areUnchanged(places: readonly string[], files: readonly ChainFile[]): Promise<boolean> {
  try {
    let i = 0;
    for (const place of places)
      for (const path of await pathsOf(place)) {
        const file = files[i++];
        const { size, mtimeNs, ino } = await stat(path, { bigint: true });
        const isSame =
          file?.version.path === path &&
          file.version.size === size &&
          file.version.mtimeNs === mtimeNs &&
          file.version.ino === ino;
        if (!isSame) return false;
      }
    return i === files.length;
  } catch {
    // Whoever looks for blocks anew is told what is wrong.
    return false;
  }
}

async function pathsOf(place: string): Promise<readonly string[]> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [place];
  let entries: Dirent[];
  try {
    entries = await readdir(place, { withFileTypes: true });
  } catch (cause) {
    throw new IpdmError("SOURCE_UNREADABLE", `the folder ${place} cannot be read: ${(cause as Error).message}`, {
      kind: "config",
      where: place,
      hint: "check its permissions",
      cause,
    });
  }
  const names = entries.filter((entry) => !entry.isDirectory() && isChainFile(entry.name)).map(({ name }) => name);
  if (names.length === 0) {
    throw new IpdmError("CHAIN_EMPTY", `the folder ${place} has no file with blocks`, {
      kind: "config",
      where: place,
      hint: "its files are called .json, .ndjson or .jsonl, each also with .gz or .zst",
    });
  }
  return names.sort().map((name) => join(place, name));
}

async function lookAt(path: string): Promise<ChainFile> {
  const match = NAME.exec(path);
  if (match === null) {
    throw new IpdmError("SOURCE_FORMAT_UNKNOWN", `${path} is not called like a file with blocks`, {
      kind: "config",
      where: path,
      hint: "name it .json, .ndjson or .jsonl, each also with .gz or .zst",
    });
  }
  const ending = match[1]?.toLowerCase();
  const compression = ending === "gz" ? "gzip" : ending === "zst" ? "zstd" : "none";
  return { version: (await SourceFile.look(path)).version, compression };
}
