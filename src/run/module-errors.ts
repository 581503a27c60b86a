import { readFile } from "node:fs/promises";
import { builtInModule, isBuiltIn } from "../config/built-in-module.ts";
import type { Config } from "../config/config.ts";
import type { ModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";

/** A module as people know it: what tasks call it, its name, and where it comes from. */
interface KnownModule {
  readonly reference: string;
  readonly name: string;
  readonly place: string;
}

/** A module of the catalogue that a run has to do with, and what its tasks call it. */
export interface NamedModule {
  readonly reference: string;
  readonly entry: ModuleEntry;
}

/**
 * An error of the sandbox in the words of the configuration: it knows a module by its CID only, people know its name and its file or
 * version. Other errors come back as they are.
 */
export async function namingModule(
  error: unknown,
  config: Config,
  catalogued: readonly NamedModule[],
): Promise<unknown> {
  if (!(error instanceof IpdmError)) return error;
  const cid = error.facts["module"];
  if (typeof cid !== "string" || !error.message.includes(`module ${cid}`)) return error;
  const known = inCatalogue(cid, catalogued) ?? (await inFiles(cid, config));
  if (known === undefined) return error;
  const { reference, name, place } = known;
  const tasks = config.tasks
    .filter((task) => task.kind === "module" && task.module === reference)
    .map((task) => `tasks.${task.name}`);
  const { code, kind, retry, facts } = error;
  const hint = error.hint ?? nextStep(code, reference);
  return new IpdmError(code, `${tasks.join(", ")}: ${error.message.replace(`module ${cid}`, `module ${name}`)}`, {
    kind,
    retry,
    facts: { ...facts, name },
    cause: error,
    where: (error.where ?? cid).replace(cid, place),
    hint,
  });
}

/** A module that comes with the runtime is not the reader's to correct: what it finds has a line on the page of codes. */
function nextStep(code: string, reference: string): string {
  return isBuiltIn(reference)
    ? `ipdm-runtime explain ${code} says what to do about it`
    : "correct the module, or the rows it is given";
}

function inCatalogue(cid: string, catalogued: readonly NamedModule[]): KnownModule | undefined {
  for (const { reference, entry } of catalogued) {
    if (entry.module.toString() !== cid) continue;
    const name = `${entry.name}@${entry.version}`;
    return { reference, name, place: name };
  }
  return undefined;
}

async function inFiles(cid: string, config: Config): Promise<KnownModule | undefined> {
  const builtIn = config.tasks.flatMap((task) => (task.kind === "module" ? (builtInModule(task.module) ?? []) : []));
  for (const { name, file } of [...config.modules, ...builtIn]) {
    const bytes = await readFile(file.path).catch(() => undefined);
    if (bytes !== undefined && rawBlock(sha256, bytes).cid.toString() === cid)
      return { reference: name, name, place: isBuiltIn(name) ? name : file.path };
  }
  return undefined;
}
