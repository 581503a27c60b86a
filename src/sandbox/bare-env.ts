import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/**
 * The environment of threads and processes that the runtime starts: nothing of this process's own, but the folder of compiled code,
 * where it keeps one, so that they do not compile once more what was compiled before.
 */
export function bareEnv(): Record<string, string> {
  const folder = getCompileCacheDir?.();
  // Node.js adds the folder of its version itself.
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
