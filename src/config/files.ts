import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { FileReference } from "./config.ts";

/** A file of an installed npm package: `npm:vega-datasets/data/flights-3m.parquet`. */
const NPM = /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)\/(.+)$/;

/** The package of an `npm:` path, or `undefined` when the path is another one. */
export function npmPackageOf(written: string): string | undefined {
  return NPM.exec(written)?.[1];
}

/** What is wrong with the form of a path, or `undefined`. */
export function pathFault(written: string): string | undefined {
  if (!written.startsWith("npm:")) return undefined;
  const match = NPM.exec(written);
  if (match === null) return "must be npm:<package>/<path>";
  return match[2]?.split("/").some((part) => part === ".." || part === "." || part === "") === true
    ? "must not hold .. or empty parts behind npm:"
    : undefined;
}

/**
 * The file a path stands for. `npm:` paths are looked up in the `node_modules` folders of the configuration's folder and those
 * above it, then of this package and those above it; where none has it, the path is where `npm install` would put it.
 */
export async function locate(written: string, folder: string): Promise<FileReference> {
  const match = NPM.exec(written);
  if (match === null) return { written, path: isAbsolute(written) ? written : resolve(folder, written) };
  const inside = join("node_modules", match[1] ?? "", match[2] ?? "");
  for (const start of [folder, import.meta.dirname]) {
    for (let at = start; ; at = dirname(at)) {
      const path = join(at, inside);
      if (await isFile(path)) return { written, path };
      if (dirname(at) === at) break;
    }
  }
  return { written, path: join(folder, inside) };
}

/** True when the path leads to a folder, also through links. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // whatever hides it, it cannot be read
  }
}

/** True when the path leads to a file, also through links. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false; // whatever hides it, it cannot be read
  }
}
