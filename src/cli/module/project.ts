import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MANIFEST_FILE } from "../../config/module-manifest.ts";
import { MODULE_NAME } from "../../consensus/module-entry.ts";

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** The package's folder, and the SDK's, which is AssemblyScript and stands there as it is. */
const PACKAGE = fileURLToPath(new URL(FROM_SOURCE ? "../../../" : "../../../../", import.meta.url));
const SDK = fileURLToPath(new URL("../../sandbox/sdk/", import.meta.url));
/** How the examples import the SDK, and how a project does. */
const SDK_IN_EXAMPLES = "../../../../src/sandbox/sdk/";
const SDK_IN_PROJECT = "../sdk/";
/** The compiler that the package itself is built with. */
const ASSEMBLYSCRIPT = "^0.28.20";
const EXTISM_PDK = "^1.0.0";

/** What a project is written in: it decides how it is built, and what has to be there for that. */
interface Language {
  readonly source: string;
  readonly build: string;
  readonly needs: Readonly<Record<string, string>>;
  readonly hasSdk: boolean;
  /** What npm does not bring, in a sentence. */
  readonly tools?: string;
  readonly words: string;
  readonly sourceWords: string;
}

const SDK_LANGUAGE: Language = {
  source: "index.ts",
  build: "asc module/index.ts --outFile build/module.wasm -O3 --runtime stub --enable bulk-memory",
  needs: { assemblyscript: ASSEMBLYSCRIPT },
  hasSdk: true,
  words: "in AssemblyScript",
  sourceWords: "the module: `ipdm_process` gets the address of a batch and returns that of another",
};
const EXTISM_LANGUAGE: Language = {
  source: "index.ts",
  build: "asc module/index.ts --outFile build/module.wasm -O3 --use abort=module/index/stop",
  needs: { "@extism/as-pdk": EXTISM_PDK, assemblyscript: ASSEMBLYSCRIPT },
  hasSdk: false,
  words: "in AssemblyScript, as a plugin of Extism",
  sourceWords: "the plugin: its function is called for each row, as a JSON object",
};
const C_LANGUAGE: Language = {
  source: "main.c",
  build: `node -e "fs.mkdirSync('build', { recursive: true })" && clang --target=wasm32-wasi -O2 -s -o build/module.wasm module/main.c`,
  needs: {},
  hasSdk: false,
  tools:
    "clang, lld and a C library for WASI: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32 on Debian; elsewhere the WASI SDK, with its clang first in PATH",
  words: "in C, as a WASI command",
  sourceWords: "the program: rows on standard input, rows on standard output",
};

/** Projects to begin with: each is an example of the package. */
const TEMPLATES: Readonly<Record<string, { readonly example: string; readonly language: Language }>> = {
  filter: { example: "filter", language: SDK_LANGUAGE },
  rows: { example: "filter", language: SDK_LANGUAGE },
  map: { example: "map", language: SDK_LANGUAGE },
  "flat-map": { example: "flat-map", language: SDK_LANGUAGE },
  aggregate: { example: "aggregate", language: SDK_LANGUAGE },
  stateful: { example: "stateful", language: SDK_LANGUAGE },
  "wasi-c": { example: "wasi-c", language: C_LANGUAGE },
  extism: { example: "extism", language: EXTISM_LANGUAGE },
};

/** Names of all templates. */
export const TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATES);

/** A project to be written. */
export interface Project {
  /** Texts by path, in the order in which they are to be written. */
  readonly files: Readonly<Record<string, string>>;
  /** What npm does not bring, in a sentence. */
  readonly tools: string | undefined;
  /** The commands that install, build and test it. */
  readonly next: string;
}

/** The project that a template is, for a folder; `undefined` for a template that there is not. */
export async function projectOf(dir: string, template: string): Promise<Project | undefined> {
  const known = Object.hasOwn(TEMPLATES, template) ? TEMPLATES[template] : undefined;
  if (known === undefined) return undefined;
  const { language } = known;
  const { source, build, needs, hasSdk, tools } = language;
  const example = join(PACKAGE, "examples", "modules", known.example);
  const manifest = JSON.parse(await readFile(join(example, MANIFEST_FILE), "utf8")) as { name: string };
  const own = basename(dir).toLowerCase();
  const name = MODULE_NAME.test(own) ? own : manifest.name;
  const text = await readFile(join(example, "module", source), "utf8");
  const hasPackages = Object.keys(needs).length > 0;
  const files: Record<string, string> = {
    "package.json": json({
      name,
      private: true,
      scripts: { build, test: "npx ipdm-runtime module test ." },
      ...(hasPackages ? { devDependencies: needs } : {}),
    }),
    [MANIFEST_FILE]: json({ ...manifest, name }),
    "README.md": readme(name, template, language),
    ".gitignore": "node_modules/\nbuild/\n",
  };
  if (hasPackages)
    files["tsconfig.json"] = json({
      extends: "assemblyscript/std/assembly.json",
      include: ["module/**/*.ts", ...(hasSdk ? ["sdk/**/*.ts"] : [])],
    });
  files[`module/${source}`] = text.replaceAll(SDK_IN_EXAMPLES, SDK_IN_PROJECT);
  for (const file of (await readdir(join(example, "cases"))).sort())
    files[`cases/${file}`] = await readFile(join(example, "cases", file), "utf8");
  if (hasSdk)
    for (const file of (await readdir(SDK)).sort())
      if (file.endsWith(".ts")) files[`sdk/${file}`] = await readFile(join(SDK, file), "utf8");
  return { files, tools, next: `${hasPackages ? "npm install && " : ""}npm run build && npm test` };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function readme(name: string, template: string, language: Language): string {
  const { source, needs, hasSdk, tools, words, sourceWords } = language;
  const install = Object.keys(needs).length > 0 ? "    npm install\n" : "";
  const build = `npm run build`.padEnd(51);
  const sdk = hasSdk
    ? "| `sdk/` | reads and builds batches; a copy, so that a new version of the runtime changes nothing here |\n"
    : "";
  return `# ${name}

A module for ipdm-runtime ${words}; it began as the template \`${template}\`.
${tools === undefined ? "" : `It is built with ${tools}.\n`}
${install}    ${build} # module/${source} becomes build/module.wasm
    npx ipdm-runtime module test .                      # runs cases/*.input.ndjson, compares with *.expected.ndjson
    npx ipdm-runtime module check . --input cases/<name>.input.ndjson
    npx ipdm-runtime module publish . --input cases/<name>.input.ndjson

| file | is |
|---|---|
| \`module/${source}\` | ${sourceWords} |
${sdk}| \`ipdm.module.json\` | name, version, limits, and the columns of its input |
| \`cases/\` | inputs and what has to come out; \`module test . --update\` writes what comes out now |

A task runs it as \`module: ${name}@^0.1\` once it is published.
`;
}
