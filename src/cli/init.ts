import { readdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { configSchemaText } from "../config/json-schema.ts";
import { IpdmError } from "../core/errors.ts";
import { makeFolder } from "../run/folders.ts";
import { shellWord } from "./shell-word.ts";
import { type Template, templateOf } from "./templates.ts";

/** What {@link initProject} wrote: file names relative to the folder, and the command to type next. */
export interface InitResult {
  readonly files: string[];
  readonly next: string;
}

/** What may stand in a folder that still counts as empty. */
const IGNORED = new Set([".git", ".DS_Store"]);

/**
 * Writes a working starter (`ipdm.yaml`, what it needs of its own, the schema for editors) into a new or empty folder.
 * Existing files are never touched. Throws `USAGE` (there is no such template), and `INIT_NOT_EMPTY`, `INIT_NOT_A_FOLDER` and
 * `INIT_UNWRITABLE`, of kind `config`.
 */
export async function initProject(dir: string, template = "readings"): Promise<InitResult> {
  const chosen = await templateOf(template);
  const files: Template["files"] = { ...chosen.files, ".ipdm.schema.json": configSchemaText() };
  try {
    await makeFolder(dir);
    const present = (await readdir(dir)).filter((name) => !IGNORED.has(name));
    if (present.length > 0) throw notEmpty(dir, present);
    // wx: a file that appeared meanwhile stays as it is.
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text, { flag: "wx" });
  } catch (error) {
    throw explained(dir, error);
  }
  const way = relative(process.cwd(), resolve(dir));
  const { run } = chosen;
  return { files: Object.keys(files), next: way === "" ? run : `cd ${shellWord(way)} && ${run}` };
}

function notEmpty(dir: string, present: readonly string[]): IpdmError {
  const some = [...present].sort().slice(0, 3).join(", ");
  return new IpdmError(
    "INIT_NOT_EMPTY",
    `the folder ${dir} is not empty: it holds ${some}${present.length > 3 ? ", …" : ""}`,
    {
      kind: "config",
      where: dir,
      hint: "name a new folder",
      facts: { present: present.slice(0, 100) },
    },
  );
}

function explained(dir: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof IpdmError || typeof code !== "string") return error;
  if (code === "EEXIST" || code === "ENOTDIR") {
    return new IpdmError("INIT_NOT_A_FOLDER", `${dir} cannot be made a folder: a file is in its place`, {
      kind: "config",
      where: dir,
      hint: "name a new folder",
      cause: error,
    });
  }
  return new IpdmError(
    "INIT_UNWRITABLE",
    `${dir} could not be written: ${error instanceof Error ? error.message : code}`,
    { kind: "config", where: dir, retry: "later", cause: error },
  );
}
