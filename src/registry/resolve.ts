import { resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { isReference, readReference } from "../config/module-reference.ts";
import { located } from "../core/errors.ts";
import type { CataloguedModule } from "../plan/plan.ts";
import { CATALOGUE_FOLDER, Catalogue } from "./catalogue.ts";
import { isolationFor } from "./own-key.ts";

/** Where a run's catalogue is: the folder given, else the configuration's, else that of the working folder. */
export function catalogueFolder(config: Config, folder: string | undefined): string {
  return resolve(folder ?? config.catalogue ?? CATALOGUE_FOLDER);
}

/**
 * Looks up the modules that a configuration's tasks take from its catalogue: each reference once, at its highest version that
 * fits now. Nothing is opened where no task asks for one. Throws `CATALOGUE_MISSING`, `MODULE_UNKNOWN`, `MODULE_VERSION_NONE`,
 * `CATALOGUE_CORRUPT`, `DATA_DIR_IN_USE`, with `where` naming the task.
 */
export async function resolveModules(
  config: Config,
  folder: string | undefined,
): Promise<ReadonlyMap<string, CataloguedModule>> {
  const found = new Map<string, CataloguedModule>();
  const tasks = config.tasks.flatMap((task) => (task.kind === "module" && isReference(task.module) ? [task] : []));
  const [first] = tasks;
  if (first === undefined) return found;
  const path = catalogueFolder(config, folder);
  await using catalogue = await located(`tasks.${first.name}`, () => Catalogue.open(path));
  for (const { name, module } of tasks) {
    if (found.has(module)) continue;
    const resolved = await located(`tasks.${name}.module`, () => catalogue.resolve(readReference(module)));
    found.set(module, { ...resolved, isolation: await isolationFor(path, resolved.entry.publisher) });
  }
  return found;
}
