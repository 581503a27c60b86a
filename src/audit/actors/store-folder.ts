import { stat } from "node:fs/promises";
import { join } from "node:path";
import { IpdmError } from "../../core/errors.ts";
import type { LevelStore } from "../../journal/level-store.ts";
import { openStore } from "../../runtime/runtime.ts";

/**
 * Opens the store of a folder that there is: of a runtime, or of a node in a run's data folder. Throws `STORE_MISSING`; `DATA_DIR_IN_USE` while
 * another process has it open.
 */
export async function openExistingStore(dir: string): Promise<LevelStore> {
  const there = await stat(join(dir, "store", "index")).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (there) return await openStore(dir);
  throw new IpdmError("STORE_MISSING", `there is no store in ${dir}`, {
    kind: "usage",
    where: dir,
    hint: "give the folder that createRuntime({ dir }) was given, or a node's folder such as out/.data/alpha",
  });
}
