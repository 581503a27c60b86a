import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModuleReference } from "../config/module-reference.ts";
import { hasCode } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { Catalogue, type CatalogueModule } from "./catalogue.ts";

/** Most files of a catalogue's folder whose sizes and times are compared: far more than one has. */
const FILES_MAX = 10_000;

/**
 * A catalogue that others publish to while a run goes on. Its folder is opened only when its files have changed, and only for as long
 * as it takes to look: whoever publishes has it open too. A look that fails (`DATA_DIR_IN_USE`, say) changes nothing, and the next
 * one tries again.
 */
export class CatalogueWatch {
  private readonly folder: string;
  private readonly references: ReadonlyMap<string, ModuleReference>;
  private readonly log: Log;
  private readonly newestOf = new Map<string, CatalogueModule>();
  private seen: string | undefined;
  private looking: Promise<void> = Promise.resolve();

  /** `references`: what to look for, by any key. */
  constructor(folder: string, references: ReadonlyMap<string, ModuleReference>, log: Log) {
    this.folder = folder;
    this.references = references;
    this.log = log;
  }

  /** The newest version that a reference means by now; `undefined` before the first look that succeeded. */
  async newest(key: string): Promise<CatalogueModule | undefined> {
    // One look at a time: the folder can be open once.
    this.looking = this.looking.then(() => this.look());
    await this.looking;
    return this.newestOf.get(key);
  }

  /** Waits until the folder is not open any more. */
  async close(): Promise<void> {
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      if ((await stampOf(this.folder)) === this.seen) return;
      await using catalogue = await Catalogue.open(this.folder);
      for (const [key, reference] of this.references) this.newestOf.set(key, await catalogue.resolve(reference));
      // Taken while the folder is ours: what changes afterwards is someone else's.
      this.seen = await stampOf(this.folder);
    } catch (error) {
      const message = "the catalogue cannot be looked at now; the run goes on with the versions that it has";
      const fields = { catalogue: this.folder, error: String(error) };
      if (hasCode(error, "DATA_DIR_IN_USE")) this.log.debug(message, fields);
      else this.log.warn(message, fields);
    }
  }
}

/** Names, sizes and times of a catalogue's files, as a text; LevelDB's notes on its own doings are left out. */
async function stampOf(folder: string): Promise<string> {
  const root = join(folder, "store");
  const names = (await readdir(root, { recursive: true })).filter((name) => !/(^|\/)LOG(\.old)?$/.test(name));
  const lines: string[] = [];
  for (const name of names.slice(0, FILES_MAX).sort()) {
    const found = await stat(join(root, name)).catch(() => undefined); // compaction may have removed it by now
    if (found?.isFile() === true) lines.push(`${name} ${found.size} ${found.mtimeMs}`);
  }
  return lines.join("\n");
}
