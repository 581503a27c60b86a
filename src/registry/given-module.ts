import { readFile } from "node:fs/promises";
import { type DescribedModule, describeModule, type ModuleOverrides } from "../config/module-manifest.ts";
import {
  MODULE_ENTRY_KIND,
  MODULE_NAME,
  MODULE_VERSION,
  MODULE_VERSION_CHARS_MAX,
  type ModuleEntryBody,
} from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { moduleForm } from "../plan/module-form.ts";
import { type ModuleOperatorForm, moduleSpec } from "../runtime/stage/module-spec.ts";
import type { ModuleSpec } from "../sandbox/port.ts";

/** A module that someone has at hand: what is said of it, its bytes, and how it runs. */
export interface GivenModule {
  readonly described: DescribedModule;
  readonly operator: ModuleOperatorForm;
  readonly spec: ModuleSpec;
}

/** Reads a module from a file or a folder. Throws as {@link describeModule}, and `MODULE_UNREADABLE`. */
export async function readGivenModule(path: string, overrides: ModuleOverrides = {}): Promise<GivenModule> {
  const described = await describeModule(path, overrides);
  const { module } = described;
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(module.file.path));
  } catch (cause) {
    throw new IpdmError("MODULE_UNREADABLE", `${module.file.path} cannot be read: ${(cause as Error).message}`, {
      kind: "config",
      where: module.file.path,
      hint: "build it first, or check the path and its permissions",
      cause,
    });
  }
  const operator = moduleForm(module, rawBlock(sha256, bytes).cid);
  const spec = moduleSpec(operator, bytes, Math.ceil(module.timeoutUs / 1000));
  return { described, operator, spec: { ...spec, isolation: module.isolation } };
}

/** What a publisher signs of a module. Throws `MODULE_NAME_INVALID`, `MODULE_VERSION_INVALID`, both of kind `usage`. */
export function entryBodyOf(
  { operator, spec, described }: GivenModule,
  named: { readonly name: string | undefined; readonly version: string | undefined; readonly description?: string },
  costTable: string,
): ModuleEntryBody {
  const { name = described.name ?? "", version = described.version ?? "" } = named;
  if (!MODULE_NAME.test(name))
    throw new IpdmError("MODULE_NAME_INVALID", `${JSON.stringify(name.slice(0, 64))} cannot be a module's name`, {
      kind: "usage",
      hint: "--name takes 1 to 63 lower-case letters, digits and -, beginning with a letter",
    });
  if (!MODULE_VERSION.test(version) || version.length > MODULE_VERSION_CHARS_MAX)
    throw new IpdmError("MODULE_VERSION_INVALID", `${JSON.stringify(version.slice(0, 64))} is no version of a module`, {
      kind: "usage",
      hint: "--version takes a semantic version without build metadata, such as 1.2.0 or 2.0.0-beta.1",
    });
  const { kind: _, ...form } = operator;
  return {
    v: 1,
    kind: MODULE_ENTRY_KIND,
    name,
    version,
    bytes: spec.bytes.length,
    ...form,
    costTable,
    ...(described.continues === undefined ? {} : { continues: described.continues }),
    description: named.description ?? described.description,
  };
}
