import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for one test file; {@link remove} takes it away with everything in it. */
export interface TestFolder {
  readonly path: string;
  /** A path in it that was not given out before. */
  fresh(name?: string): string;
  remove(): Promise<void>;
}

/** Where files are in memory, where the system has such a place: for tests that write much, and that are not about syncs. */
export const MEMORY_PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Makes a folder for a test file. */
export async function makeTestFolder(name: string, place = tmpdir()): Promise<TestFolder> {
  const path = await realpath(await mkdtemp(join(place, `ipdm-${name}-`)));
  let count = 0;
  return {
    path,
    fresh: (inside = "f") => join(path, `${inside}-${count++}`),
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
