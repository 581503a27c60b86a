import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import validRange from "semver/ranges/valid.js";
import { z } from "zod";
import { IpdmError } from "../core/errors.ts";
import { readJson } from "../core/json.ts";
import type { ColumnTypeName } from "../sources/port.ts";
import type { ModuleConfig } from "./config.ts";
import { CONFIG_BYTES_MAX } from "./limits.ts";
import { moduleObject } from "./module-schema.ts";
import { resolveModule } from "./resolve.ts";

/** Name of the file that describes a module in its folder. */
export const MANIFEST_FILE = "ipdm.module.json";

/** What a command line may say of a module, over what its manifest says. */
export interface ModuleOverrides {
  readonly abi?: string;
  readonly trust?: string;
  readonly kind?: string;
  readonly unit?: number;
  /** Columns of the output, as name and type. */
  readonly columns?: Readonly<Record<string, string>>;
  readonly features?: readonly string[];
}

/** A module as its author describes it: its file and limits, and what publishing and testing it need. */
export interface DescribedModule {
  readonly module: ModuleConfig;
  /** Name and version, where there is a manifest. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly description: string;
  /** Columns of the rows that it is made for. */
  readonly input: Readonly<Record<string, ColumnTypeName>> | undefined;
  /** The column of those rows that gives its calls their event time. */
  readonly inputTime: string | undefined;
  /** For a stateful module: range of the versions whose memory it goes on from. */
  readonly continues: string | undefined;
  /** Folder of the manifest, or of the file. */
  readonly folder: string;
}

const manifestSchema = moduleObject.omit({ time: true }).extend({
  $schema: z.string().optional(),
  name: z.string().max(63),
  version: z.string().max(64),
  description: z.string().max(2000).default(""),
  input: moduleObject.shape.columns,
  inputTime: z.string().max(200).optional(),
  continues: z
    .string()
    .max(256)
    .refine((range) => range !== "" && validRange(range) !== null, "is no version range")
    .optional(),
});
const fileSchema = manifestSchema.partial({ name: true, version: true });

/**
 * Reads what there is to know of a module: a `.wasm` file by itself, or a folder (or the manifest in it) with an
 * `ipdm.module.json`. Throws `MODULE_MISSING`, `MODULE_MANIFEST_MISSING`, `MODULE_MANIFEST_INVALID`, all of kind `config`.
 */
export async function describeModule(path: string, overrides: ModuleOverrides = {}): Promise<DescribedModule> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new IpdmError("MODULE_MISSING", `there is no module at ${path}`, {
      kind: "config",
      where: path,
      hint: "name a .wasm file, or a folder with an ipdm.module.json; one of a catalogue is name@range",
      cause,
    });
  });
  const manifest = found.isDirectory() ? join(path, MANIFEST_FILE) : path.endsWith(".json") ? path : undefined;
  const written: unknown = manifest === undefined ? { file: path } : await readManifest(manifest);
  if (typeof written !== "object" || written === null || Array.isArray(written))
    throw invalid(manifest ?? path, "it is no JSON object");
  const schema = manifest === undefined ? fileSchema : manifestSchema;
  const parsed = schema.safeParse({ ...written, ...overrides });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(manifest ?? path, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`);
  }
  const { name, version, description, input, inputTime, continues, $schema: _, ...module } = parsed.data;
  if (continues !== undefined && module.kind !== "stateful")
    throw invalid(manifest ?? path, "continues: only a module of kind stateful goes on from the memory of another");
  if (module.kind === "rows" && module.capabilities?.includes("time") === true)
    throw invalid(manifest ?? path, "capabilities: calls of a module of kind rows have no event time");
  const folder = manifest === undefined ? dirname(path) : dirname(manifest);
  return {
    module: await resolveModule(name ?? "module", module, manifest === undefined ? process.cwd() : folder),
    name,
    version,
    description,
    input: input as DescribedModule["input"], // the schema has read every type
    inputTime,
    continues,
    folder,
  };
}

async function readManifest(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new IpdmError("MODULE_MANIFEST_MISSING", `${path} cannot be read: ${(cause as Error).message}`, {
      kind: "config",
      where: path,
      hint: "`ipdm-runtime module new <dir>` writes a project with one",
      cause,
    });
  }
  if (text.length > CONFIG_BYTES_MAX) throw invalid(path, `it has more than ${CONFIG_BYTES_MAX} characters`);
  try {
    return readJson(text);
  } catch (cause) {
    throw invalid(path, (cause as Error).message);
  }
}

function invalid(path: string, why: string): IpdmError {
  return new IpdmError("MODULE_MANIFEST_INVALID", `${path} does not describe a module: ${why}`, {
    kind: "config",
    where: path,
    hint: "docs/reference/modules.md lists its keys",
  });
}
