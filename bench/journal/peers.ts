import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../harness.ts";

/** A module of the benches' own packages (`npm install --prefix bench`); `undefined` where it is not installed. */
export async function peer(name: string, file?: string): Promise<unknown> {
  const folder = join(ROOT, "bench", "node_modules", name);
  if (!existsSync(folder)) return undefined;
  if (file !== undefined) return await import(pathToFileURL(join(folder, file)).href);
  return createRequire(join(ROOT, "bench", "package.json"))(name) as unknown;
}

/** A file of the benches' own packages; `undefined` where it is not there. */
export function peerFile(...path: readonly string[]): string | undefined {
  const file = join(ROOT, "bench", "node_modules", ...path);
  return existsSync(file) ? file : undefined;
}
