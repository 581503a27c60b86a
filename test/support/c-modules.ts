import { join } from "node:path";
import { compileC } from "./clang.ts";
import { ROOT } from "./command.ts";

const SOURCES = join(ROOT, "test", "modules");

/** Compiles the plugin of `test/modules/extism` into a folder; the path of the module. */
export async function compilePlugin(folder: string): Promise<string> {
  const output = join(folder, "plugin.wasm");
  await compileC(join(SOURCES, "extism", "late.c"), output, ["-mexec-model=reactor"]);
  return output;
}

/** Compiles the transform of `test/modules/redpanda` into a folder; the path of the module. */
export async function compileTransform(folder: string): Promise<string> {
  const output = join(folder, "transform.wasm");
  await compileC(join(SOURCES, "redpanda", "delays.c"), output);
  return output;
}
