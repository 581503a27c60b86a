import { basename, join, relative, resolve } from "node:path";
import { IpdmError } from "../core/errors.ts";
import { type Config, filesOf, type OutputConfig } from "./config.ts";

/** An output and the absolute path its table goes to. */
export interface OutputPath {
  readonly output: OutputConfig;
  readonly path: string;
}

/**
 * The folder that a run writes to when nobody says otherwise: `out/<name>` below the working folder `cwd`, where the name is that
 * of the configuration's folder, or the configuration's own when it stands in the working folder itself.
 */
export function defaultOutDir(config: Config, cwd: string): string {
  const name = relative(cwd, config.folder) === "" ? config.name : basename(config.folder);
  return join(cwd, "out", name === "" ? config.name : name);
}

/**
 * Where each output goes: below `outDir` (absolute), or where its absolute path says. Throws `CONFIG_OUTPUT_CLASH` (kind `config`)
 * when two of them meet, or one would overwrite a source or a module.
 */
export function outputPaths(config: Config, outDir: string): readonly OutputPath[] {
  const taken = new Map<string, string>();
  for (const source of config.sources)
    for (const { path } of filesOf(source)) taken.set(path, `sources.${source.name}`);
  for (const module of config.modules) taken.set(module.file.path, `modules.${module.name}`);
  return config.outputs.map((output) => {
    const path = resolve(outDir, output.file);
    const other = taken.get(path);
    if (other !== undefined) {
      throw new IpdmError(
        "CONFIG_OUTPUT_CLASH",
        `outputs.${output.name} would overwrite ${path}, the file of ${other}`,
        {
          kind: "config",
          where: `outputs.${output.name}.file`,
          hint: "give the output another file, or another folder with --out",
          facts: { path, other },
        },
      );
    }
    taken.set(path, `outputs.${output.name}`);
    return { output, path };
  });
}
