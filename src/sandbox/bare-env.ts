import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { env } from "node:process";

/**
 * The environment of threads and processes that the runtime starts: nothing of this process's own, but the folder of compiled code,
 * where there is one (`NODE_COMPILE_CACHE`, or as the command line sets it), so that they do not compile what was compiled before.
 */
export function bareEnv(): Record<string, string> {
  const { NODE_COMPILE_CACHE: told, NODE_DISABLE_COMPILE_CACHE: disabled } = env;
  if (disabled === "1") return {};
  const own = getCompileCacheDir();
  // Node.js adds the folder of its version itself.
  const folder = told ?? (own === undefined ? undefined : dirname(own));
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
