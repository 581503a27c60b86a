import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { MANIFEST_FILE } from "../../config/module-manifest.ts";
import { MODULE_NAME } from "../../consensus/module-entry.ts";
import { IpdmError } from "../../core/errors.ts";
import { makeFolder } from "../../run/folders.ts";
import { shellWord } from "../shell-word.ts";
import type { Terminal } from "../terminal.ts";

/** Modules to begin with: each is an example of the package. */
export const TEMPLATES = ["filter", "map", "flat-map", "aggregate"] as const;

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** The package's folder, and the SDK's, which is AssemblyScript and stands there as it is. */
const PACKAGE = fileURLToPath(new URL(FROM_SOURCE ? "../../../" : "../../../../", import.meta.url));
const SDK = fileURLToPath(new URL("../../sandbox/sdk/", import.meta.url));
/** How the examples import the SDK, and how a project does. */
const SDK_IN_EXAMPLES = "../../../../src/sandbox/sdk/index";
const SDK_IN_PROJECT = "../sdk/index";
/** The compiler that the package itself is built with. */
const ASSEMBLYSCRIPT = "^0.28.20";
/** What may stand in a folder that still counts as empty. */
const IGNORED = new Set([".git", ".DS_Store"]);

/** Flags of `module new`, as the command line gives them. */
export interface NewFlags {
  readonly template?: string;
}

/** `ipdm-runtime module new <dir>`: writes an AssemblyScript project that builds, with cases that pass. */
export async function newCommand(dir: string, { template = "filter" }: NewFlags, terminal: Terminal): Promise<void> {
  if (!TEMPLATES.some((known) => known === template))
    throw new IpdmError("USAGE", `there is no template ${template}`, {
      kind: "usage",
      hint: `templates: ${TEMPLATES.join(", ")}`,
    });
  const files = await projectFiles(resolve(dir), template);
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
  const next = `${way === "" ? "" : `cd ${shellWord(way)} && `}npm install && npm run build && npm test`;
  if (terminal.options.json) {
    terminal.json({ event: "created", ok: true, template, files: Object.keys(files), next });
    return;
  }
  for (const file of Object.keys(files)) terminal.print(`wrote ${file}`);
  terminal.print("");
  terminal.print(`next: ${next}`);
}

async function projectFiles(dir: string, template: string): Promise<Record<string, string>> {
  const example = join(PACKAGE, "examples", "modules", template);
  const manifest = JSON.parse(await readFile(join(example, MANIFEST_FILE), "utf8")) as { name: string };
  const own = basename(dir).toLowerCase();
  const name = MODULE_NAME.test(own) ? own : manifest.name;
  const source = await readFile(join(example, "module", "index.ts"), "utf8");
  const files: Record<string, string> = {
    "package.json": json({
      name,
      private: true,
      scripts: {
        build: "asc module/index.ts --outFile build/module.wasm -O3 --runtime stub --enable bulk-memory",
        test: "npx ipdm-runtime module test .",
      },
      devDependencies: { assemblyscript: ASSEMBLYSCRIPT },
    }),
    [MANIFEST_FILE]: json({ ...manifest, name }),
    "README.md": readme(name, template),
    ".gitignore": "node_modules/\nbuild/\n",
    "tsconfig.json": json({ extends: "assemblyscript/std/assembly.json", include: ["module/**/*.ts", "sdk/**/*.ts"] }),
    "module/index.ts": source.replaceAll(SDK_IN_EXAMPLES, SDK_IN_PROJECT),
  };
  for (const file of (await readdir(join(example, "cases"))).sort())
    files[`cases/${file}`] = await readFile(join(example, "cases", file), "utf8");
  for (const file of (await readdir(SDK)).sort())
    if (file.endsWith(".ts")) files[`sdk/${file}`] = await readFile(join(SDK, file), "utf8");
  return files;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function readme(name: string, template: string): string {
  return `# ${name}

A module for ipdm-runtime in AssemblyScript; it began as the template \`${template}\`.

    npm install
    npm run build                                       # module/index.ts becomes build/module.wasm
    npx ipdm-runtime module test .                      # runs cases/*.input.ndjson, compares with *.expected.ndjson
    npx ipdm-runtime module check . --input cases/<name>.input.ndjson
    npx ipdm-runtime module publish . --input cases/<name>.input.ndjson

| file | is |
|---|---|
| \`module/index.ts\` | the module: \`ipdm_process\` gets the address of a batch and returns that of another |
| \`sdk/\` | reads and builds batches; a copy, so that a new version of the runtime changes nothing here |
| \`ipdm.module.json\` | name, version, limits, and the columns of its input |
| \`cases/\` | inputs and what has to come out; \`module test . --update\` writes what comes out now |

A task runs it as \`module: ${name}@^0.1\` once it is published.
`;
}
