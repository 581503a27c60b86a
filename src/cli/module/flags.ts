import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ModuleOverrides } from "../../config/module-manifest.ts";
import { isReference, readReference } from "../../config/module-reference.ts";
import { operatorOfEntry } from "../../consensus/module-entry.ts";
import { IpdmError } from "../../core/errors.ts";
import { CATALOGUE_FOLDER } from "../../registry/catalogue.ts";
import { openCatalogue } from "../../registry/catalogue-lease.ts";
import { checkEntry } from "../../registry/entry-check.ts";
import { type GivenModule, readGivenModule } from "../../registry/given-module.ts";
import { isolationFor } from "../../registry/own-key.ts";
import type { ModuleOperatorForm } from "../../runtime/stage/module-spec.ts";
import type { ModuleSpec } from "../../sandbox/port.ts";

/** Flags that say how a module is to be called, where no manifest does. */
export interface HowFlags {
  readonly abi?: string;
  readonly trust?: string;
  readonly kind?: string;
  readonly unit?: string;
  readonly columns?: string;
  readonly features?: string;
}

/** The flag that says where the catalogue is. */
export interface CatalogueFlag {
  readonly catalogue?: string;
}

/** The flags as a manifest's keys; those that are not given are left out. Throws `USAGE`. */
export function overridesOf({ abi, trust, kind, unit, columns, features }: HowFlags): ModuleOverrides {
  return {
    ...(abi === undefined ? {} : { abi }),
    ...(trust === undefined ? {} : { trust }),
    ...(kind === undefined ? {} : { kind }),
    ...(unit === undefined ? {} : { unit: wholeNumber("--unit", unit) }),
    ...(columns === undefined ? {} : { columns: readColumns("--columns", columns) }),
    ...(features === undefined ? {} : { features: features.split(",").map((feature) => feature.trim()) }),
  };
}

/** Columns written as `name=type,name=type`. Throws `USAGE`. */
export function readColumns(flag: string, text: string): Record<string, string> {
  const columns: Record<string, string> = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at < 1) throw usage(`${flag} takes columns as name=type,name=type, not ${JSON.stringify(part.slice(0, 64))}`);
    columns[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return columns;
}

/** The catalogue's folder: the flag's, else that of the working folder. */
export function catalogueFolder({ catalogue }: CatalogueFlag): string {
  return resolve(catalogue ?? CATALOGUE_FOLDER);
}

/** A module that is to be run: a file or folder, or one of the catalogue by `name@range`. */
export async function runnable(
  module: string,
  flags: HowFlags & CatalogueFlag,
): Promise<{
  readonly spec: ModuleSpec;
  readonly operator: ModuleOperatorForm;
  readonly label: string;
  readonly given?: GivenModule;
}> {
  if (!isReference(module) || existsSync(module)) {
    const given = await readGivenModule(module, overridesOf(flags));
    return { spec: given.spec, operator: given.operator, given, label: module };
  }
  const reference = readReference(module);
  if (Object.keys(overridesOf(flags)).length > 0)
    throw usage(
      "a module of the catalogue runs as its entry declares; leave --abi, --trust, --kind, --unit, --columns and --features out",
    );
  await using catalogue = await openCatalogue(catalogueFolder(flags));
  const { entry, moduleBlock } = await catalogue.resolve(reference);
  const isolation = await isolationFor(catalogue.folder, entry.publisher);
  const spec = { ...checkEntry(entry, moduleBlock.bytes), isolation };
  return { spec, operator: operatorOfEntry(entry), label: `${entry.name}@${entry.version}` };
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw usage(`${flag} takes a whole number, not ${text}`);
  return value;
}

function usage(message: string): IpdmError {
  return new IpdmError("USAGE", message, { kind: "usage" });
}

/** Does some work with a file's rows; where an error advises to declare columns, the flag that does so is named, not a key of `ipdm.yaml`. */
export async function namingColumns<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IpdmError) || error.hint?.includes("under `columns`") !== true) throw error;
    const { code, message, kind, where, retry, facts, cause } = error;
    const hint = error.hint.replace("under `columns`", "with `--input-columns`");
    throw new IpdmError(code, message, { kind, hint, retry, facts, cause, ...(where === undefined ? {} : { where }) });
  }
}
