import { readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { IpdmError } from "../../core/errors.ts";
import { makeFolder } from "../../run/folders.ts";
import { shellWord } from "../shell-word.ts";
import type { Terminal } from "../terminal.ts";
import { projectOf, TEMPLATE_NAMES } from "./project.ts";

/** What may stand in a folder that still counts as empty. */
const IGNORED = new Set([".git", ".DS_Store"]);

/** Flags of `module new`, as the command line gives them. */
export interface NewFlags {
  readonly template?: string;
}

/** `ipdm-runtime module new <dir>`: writes a project that builds, with cases that pass. */
export async function newCommand(dir: string, { template = "filter" }: NewFlags, terminal: Terminal): Promise<void> {
  const project = await projectOf(resolve(dir), template);
  if (project === undefined)
    throw new IpdmError("USAGE", `there is no template ${template}`, {
      kind: "usage",
      hint: `templates: ${TEMPLATE_NAMES.join(", ")}`,
    });
  const { files, tools } = project;
  await makeFolder(dir);
  const present = (await readdir(dir)).filter((name) => !IGNORED.has(name));
  if (present.length > 0)
    throw new IpdmError(
      "INIT_NOT_EMPTY",
      `the folder ${dir} is not empty: it holds ${present.slice(0, 3).join(", ")}`,
      {
        kind: "config",
        where: dir,
        hint: "name a new folder",
      },
    );
  for (const [path, text] of Object.entries(files)) {
    await makeFolder(dirname(join(dir, path)));
    // wx: a file that appeared meanwhile stays as it is.
    await writeFile(join(dir, path), text, { flag: "wx" });
  }
  const way = relative(process.cwd(), resolve(dir));
  const next = `${way === "" ? "" : `cd ${shellWord(way)} && `}${project.next}`;
  if (terminal.options.json) {
    const needs = tools === undefined ? {} : { needs: tools };
    terminal.json({ event: "created", ok: true, template, files: Object.keys(files), ...needs, next });
    return;
  }
  for (const file of Object.keys(files)) terminal.print(`wrote ${file}`);
  terminal.print("");
  if (tools !== undefined) terminal.print(`needs: ${tools}`);
  terminal.print(`next: ${next}`);
}
