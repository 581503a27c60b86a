import { constants } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { IpdmError } from "../core/errors.ts";

/**
 * Makes a folder and those above it that are not there. Throws the system's error. Node's own recursive `mkdir` never returns
 * where a file system answers ENOENT to a new folder in one that exists, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Another process may have made it meanwhile.
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/**
 * Makes a folder that a run will write into and checks that it may. Throws `FOLDER_UNWRITABLE` (kind `config`); `use` says in
 * words what it is for.
 */
async function prepareFolder(path: string, use: string): Promise<void> {
  try {
    await makeFolder(path);
    await access(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unwritable(
      path,
      use,
      REASONS[(cause as NodeJS.ErrnoException).code ?? ""] ?? (cause as Error).message,
      cause,
    );
  }
}

/** Checks that a file may stand at a path before work is spent on it, and makes its folder. Throws `FOLDER_UNWRITABLE`. */
async function prepareFile(path: string, use: string): Promise<void> {
  await prepareFolder(dirname(path), use);
  if (await isFolder(path).catch(() => false)) throw unwritable(path, use, "a folder is in its place");
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "a file is in the place of a folder",
  ENOENT: "no folder can be made there",
  ENOSPC: "there is no space left",
  ENAMETOOLONG: "the name is too long",
};

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is not a folder`), { code: "ENOTDIR", path });
}

function unwritable(path: string, use: string, why: string, cause?: unknown): IpdmError {
  return new IpdmError("FOLDER_UNWRITABLE", `${use} cannot be written to ${path}: ${why}`, {
    kind: "config",
    where: path,
    hint: "check the path and its permissions, or name other folders with --out and --data",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Prepares all that a run writes: what cannot be written is said before the work, not after it. */
export async function prepareRun(
  outDir: string,
  [receipt, keys]: readonly [string, string],
  outputs: ReadonlyMap<string, string>,
  dataDir: string,
): Promise<void> {
  await prepareFolder(outDir, "the receipt");
  await prepareFile(join(outDir, receipt), "the receipt");
  await prepareFile(join(outDir, keys), "the public keys");
  for (const [name, path] of outputs) await prepareFile(path, `the output ${name}`);
  await prepareFolder(dataDir, "keys, journals and batches");
}
