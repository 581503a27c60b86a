import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { configSchemaText } from "../src/config/json-schema.ts";

/** Writes `schemas/ipdm.schema.json` below the root, for editors; returns its path. */
export async function emitSchema(root: string): Promise<string> {
  const file = join(root, "schemas", "ipdm.schema.json");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, configSchemaText());
  return file;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.error(`wrote ${await emitSchema(join(import.meta.dirname, ".."))}`);
}
