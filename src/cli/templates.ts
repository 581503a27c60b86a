import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { IpdmError } from "../core/errors.ts";
import { PACKAGE_FOLDER } from "./package-folder.ts";
import { BLANK_CONFIG, BLANK_DATA, STARTER_CONFIG, STARTER_README, starterReadings } from "./starter.ts";

/** A project to begin with: its files by name, and the command that runs it in its folder. */
export interface Template {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly run: string;
}

const RUN = "npx ipdm-runtime run ipdm.yaml";
/** How an example's configuration names the schema and itself; a project has its own. */
const EXAMPLE_SCHEMA = "$schema=../../schemas/ipdm.schema.json";

const TEMPLATES: Readonly<Record<string, () => Promise<Template>>> = {
  readings: async () => ({
    files: { "ipdm.yaml": STARTER_CONFIG, "readings.csv": starterReadings(), "README.md": STARTER_README },
    run: RUN,
  }),
  blank: async () => ({ files: { "ipdm.yaml": BLANK_CONFIG, "data.csv": BLANK_DATA }, run: RUN }),
  "ethereum-erc20": async () => ({
    files: await exampleFiles("ethereum-erc20"),
    run: `${RUN} --input blocks='<folder>'`,
  }),
  "solana-fees": async () => ({
    files: await exampleFiles("solana-fees"),
    run: `${RUN} --input slots='<folder>'`,
  }),
  flights: async () => ({ files: await exampleFiles("flights"), run: `npm install vega-datasets && ${RUN}` }),
};

/** Names of the templates, the default one first. */
export const TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATES);

/** The template of that name. Throws `USAGE`. */
export async function templateOf(name: string): Promise<Template> {
  const template = Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
  if (template !== undefined) return template();
  throw new IpdmError("USAGE", `there is no template ${name}`, {
    kind: "usage",
    hint: `templates: ${TEMPLATE_NAMES.join(", ")}`,
  });
}

/** The files of one of the package's examples, as a project of its own has them. */
async function exampleFiles(name: string): Promise<Record<string, string | Uint8Array>> {
  const folder = join(PACKAGE_FOLDER, "examples", name);
  const files: Record<string, string | Uint8Array> = {};
  for (const file of (await readdir(folder)).sort()) {
    if (/\.(yaml|md|sql)$/.test(file)) files[file] = ownText(name, await readFile(join(folder, file), "utf8"));
    else if (/\.(wasm|csv|json)$/.test(file)) files[file] = new Uint8Array(await readFile(join(folder, file)));
  }
  return files;
}

function ownText(name: string, text: string): string {
  return text
    .replace(EXAMPLE_SCHEMA, "$schema=.ipdm.schema.json")
    .replaceAll(`examples/${name}/ipdm.yaml`, "ipdm.yaml")
    .replaceAll("docs/reference/", "node_modules/ipdm-runtime/docs/reference/");
}
