import { open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { IpdmError } from "../core/errors.ts";
import { isEndpoint } from "./chain-source.ts";
import { type Config, filesOf, isChainSource } from "./config.ts";
import { crossCheck } from "./cross-check.ts";
import { isFile, isFolder as isFolderThere, npmPackageOf } from "./files.ts";
import { withInputs, withRanges } from "./inputs.ts";
import { CONFIG_BYTES_MAX, PROBLEMS_MAX } from "./limits.ts";
import { locatedInFile } from "./place.ts";
import type { ConfigPath, Finding, Problem } from "./problem.ts";
import { checkPaths, resolveConfig } from "./resolve.ts";
import type { WrittenConfig } from "./schema.ts";
import { checkShape } from "./shape.ts";
import { readYaml, type YamlTree } from "./yaml-tree.ts";

/** File names that a folder's configuration may have, in the order they are looked for. */
export const CONFIG_NAMES = ["ipdm.yaml", "ipdm.yml", "ipdm.json"] as const;

/** A configuration, the text it came from, its absolute path, and what is odd but allowed. */
export interface LoadedConfig {
  readonly config: Config;
  readonly text: string;
  readonly path: string;
  readonly warnings: readonly Problem[];
  /** `file:line:column` of a place; of what should hold it where the place itself is not written. */
  readonly locate: (path: ConfigPath) => string;
  /** True when the file itself has something at this place. */
  readonly isWritten: (path: ConfigPath) => boolean;
  /** What the file says, with the defaults of its keys filled in. */
  readonly written: WrittenConfig;
}

/** How to load: `files: "skip"` does not look whether sources and modules exist (default `"check"`). */
export interface LoadOptions {
  readonly files?: "check" | "skip";
  /** Other places of sources, by name: see {@link withInputs}. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Other ranges of chains, by name of the source: see {@link withRanges}. */
  readonly ranges?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Loads and checks a configuration file (YAML 1.2 or JSON, up to 1 MiB), or that of a folder. Throws, all of kind `config`:
 * `CONFIG_MISSING`, `CONFIG_UNREADABLE`, `CONFIG_TOO_LARGE`, `CONFIG_SYNTAX` (no YAML), `CONFIG_INVALID` (keys, values, names) and
 * `CONFIG_FILE_MISSING` (a source or module that is not there). `where` is `file:line:column` with `path` as it was given;
 * `facts.problems` lists everything that is wrong as {@link Problem}s.
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  options.signal?.throwIfAborted();
  const shown = await configPathOf(path);
  const text = await readText(shown);
  const absolute = resolve(shown);
  const { config: asWritten, written, warnings, tree } = await parseConfig(text, absolute, shown);
  const config = withRanges(await withInputs(asWritten, options.inputs ?? {}), options.ranges ?? {});
  if (options.files !== "skip") {
    const missing = await missingFiles(config, tree);
    options.signal?.throwIfAborted();
    throwIfAny("CONFIG_FILE_MISSING", missing, tree, shown);
  }
  const locate = (place: ConfigPath): string => whereOf(tree, shown, tree.offsetOf(place, false));
  return { config, text, path: absolute, warnings, locate, isWritten: (place) => tree.has(place), written };
}

/** Checks a configuration's text as if it stood at the absolute path; `shown` is how messages name the file. Throws as {@link loadConfig}. */
export async function parseConfig(
  text: string,
  path: string,
  shown = path,
): Promise<{ config: Config; written: WrittenConfig; warnings: readonly Problem[]; tree: YamlTree }> {
  const tree = readYaml(text);
  if (tree.faults.length > 0) {
    const problems = tree.faults.map(({ offset, message, hint }) => ({
      where: whereOf(tree, shown, offset),
      message,
      ...(hint === undefined ? {} : { hint }),
    }));
    throw failure("CONFIG_SYNTAX", problems);
  }
  const shape = checkShape(tree.value);
  if ("findings" in shape)
    throw failure(
      "CONFIG_INVALID",
      shape.findings.map((finding) => problemOf(finding, tree, shown)),
    );
  const { findings, warnings } = crossCheck(shape.ok);
  throwIfAny("CONFIG_INVALID", [...findings, ...checkPaths(shape.ok)], tree, shown);
  const config = await resolveConfig(shape.ok, dirname(path)).catch((error: unknown) => {
    throw locatedInFile(error, (place) => whereOf(tree, shown, tree.offsetOf(place, false)));
  });
  const told = warnings.slice(0, PROBLEMS_MAX).map((finding) => problemOf(finding, tree, shown));
  return { config, written: shape.ok, warnings: told, tree };
}

async function configPathOf(path: string): Promise<string> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw unreadable(path, cause);
    throw new IpdmError("CONFIG_MISSING", `there is no configuration ${path}`, {
      ...about(path),
      hint: "`ipdm-runtime init <dir>` writes a working starter",
      cause,
    });
  });
  if (!found.isDirectory()) return path;
  for (const name of CONFIG_NAMES) if (await isFile(join(path, name))) return join(path, name);
  const hint = "`ipdm-runtime init <dir>` writes a working starter";
  throw new IpdmError("CONFIG_MISSING", `the folder ${path} has no ${CONFIG_NAMES[0]}`, { ...about(path), hint });
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    // Read one byte more than allowed: the size that stat tells may be wrong, for a pipe or a file that grows.
    const buffer = Buffer.alloc(CONFIG_BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    if (length > CONFIG_BYTES_MAX) {
      throw new IpdmError("CONFIG_TOO_LARGE", `${path} is larger than ${CONFIG_BYTES_MAX} bytes`, {
        ...about(path),
        hint: "is it a configuration at all?",
      });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof IpdmError) throw error;
    if (error instanceof TypeError)
      throw new IpdmError("CONFIG_SYNTAX", `${path} is not UTF-8 text`, {
        ...about(path),
        hint: "save it as UTF-8",
        cause: error,
      });
    throw unreadable(path, error);
  }
}

async function missingFiles(config: Config, tree: YamlTree): Promise<Finding[]> {
  const checks = [
    ...config.sources.flatMap((source) =>
      filesOf(source).map((file) => ({
        path: ["sources", source.name, source.kind],
        file,
        isFolder: isChainSource(source),
      })),
    ),
    ...config.modules.map(({ name, file }) => ({ path: ["modules", name, "file"], file, isFolder: false })),
  ].map(async ({ path, file, isFolder }): Promise<Finding[]> => {
    if (isEndpoint(file) || (await isFile(file.path)) || (isFolder && (await isFolderThere(file.path)))) return [];
    const npm = npmPackageOf(file.written);
    const written = tree.has(path) ? path : path.slice(0, -1); // a module may be given by its path alone
    const shown = npm === undefined ? file.path : file.written;
    const other = await stat(file.path).catch(() => undefined);
    if (other !== undefined) {
      const message = `${written.join(".")}: ${shown} is ${other.isDirectory() ? "a folder" : "not a regular file"}`;
      return [{ path: written, atKey: false, message, hint: "name a file" }];
    }
    const elsewhere = isFolder ? `, or name another place: --input ${path[1]}=<folder, file or address>` : "";
    const hint =
      npm === undefined ? `check the path; it is relative to the configuration file${elsewhere}` : `npm install ${npm}`;
    return [{ path: written, atKey: false, message: `${written.join(".")}: there is no file ${shown}`, hint }];
  });
  return (await Promise.all(checks)).flat();
}

function throwIfAny(code: string, findings: readonly Finding[], tree: YamlTree, shown: string): void {
  if (findings.length > 0)
    throw failure(
      code,
      findings.slice(0, PROBLEMS_MAX).map((finding) => problemOf(finding, tree, shown)),
    );
}

function problemOf({ path, atKey, message, hint }: Finding, tree: YamlTree, shown: string): Problem {
  return { where: whereOf(tree, shown, tree.offsetOf(path, atKey)), message, ...(hint === undefined ? {} : { hint }) };
}

function whereOf(tree: YamlTree, shown: string, offset: number): string {
  const { line, column } = tree.position(offset);
  return `${shown}:${line}:${column}`;
}

function failure(code: string, problems: readonly Problem[]): IpdmError {
  const [first, ...more] = problems;
  const message = `${first?.message ?? "the configuration is not valid"}${more.length === 0 ? "" : ` (and ${more.length} more)`}`;
  const { where, hint } = first ?? {};
  return new IpdmError(code, message, {
    kind: "config",
    facts: { problems },
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

function unreadable(path: string, cause: unknown): IpdmError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new IpdmError("CONFIG_UNREADABLE", `${path} could not be read: ${reason}`, {
    ...about(path),
    retry: "later",
    cause,
  });
}

/** Details of a fault that lies with the file itself. */
function about(path: string): { kind: "config"; where: string; facts: { path: string } } {
  return { kind: "config", where: path, facts: { path } };
}
