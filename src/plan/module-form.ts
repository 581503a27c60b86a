import { readFile } from "node:fs/promises";
import type { CID } from "multiformats/cid";
import type { ModuleConfig, ModuleTaskConfig } from "../config/config.ts";
import type { FileAnchor } from "../consensus/result.ts";
import { IpdmError } from "../core/errors.ts";
import { type ModuleOperatorForm, optionsForm } from "../runtime/stage/module-spec.ts";
import { NO_OPTIONS } from "../sandbox/abi/port.ts";

/** A module task in normal form, from what a configuration says of the module. */
export function moduleForm(
  config: Pick<ModuleConfig, "abi" | "unit" | "stateful" | "columns" | "options" | "stdin" | "policy" | "features">,
  module: CID,
): ModuleOperatorForm {
  const { policy, abi, unit, stateful, stdin, features } = config;
  const { capabilities, ...limits } = policy;
  return {
    kind: "module",
    module,
    abi,
    unit,
    stateful,
    columns: declaredColumns(config.columns),
    ...optionsForm(config.options ?? NO_OPTIONS),
    ...(stdin === undefined ? {} : { stdin }),
    limits,
    capabilities: [...capabilities],
    ...(features === undefined ? {} : { features: [...features] }),
  };
}

/** The bytes of a module's file. Throws `MODULE_UNREADABLE`, naming the task. */
export async function readModule(
  task: string,
  { name, file }: Pick<ModuleConfig, "name" | "file">,
): Promise<Uint8Array> {
  const bytes = await readFile(file.path).catch((cause: Error) => {
    throw new IpdmError("MODULE_UNREADABLE", `tasks.${task}: module ${name} cannot be read: ${cause.message}`, {
      kind: "config",
      where: file.path,
      hint: "check the file and its permissions",
      cause,
    });
  });
  return new Uint8Array(bytes);
}

/** A module with the settings of a task over its own. */
export function withSettings(module: ModuleConfig, settings: ModuleTaskConfig["settings"]): ModuleConfig {
  if (settings === undefined) return module;
  const { entry, settings: own } = module.options ?? NO_OPTIONS;
  return { ...module, options: { entry, settings: { ...own, ...settings } } };
}

/** Declared columns as a list: a map would lose their order. */
export function declaredColumns(columns: Readonly<Record<string, string>> | null): FileAnchor["columns"] {
  return columns === null ? null : Object.entries(columns).map(([name, type]) => ({ name, type }));
}
