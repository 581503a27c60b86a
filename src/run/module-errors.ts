import { readFile } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { IpdmError } from "../core/errors.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";

/**
 * An error of the sandbox in the words of the configuration: it knows a module by its CID only, people know its name and file.
 * Other errors come back as they are.
 */
export async function namingModule(error: unknown, config: Config): Promise<unknown> {
  if (!(error instanceof IpdmError)) return error;
  const cid = error.facts["module"];
  if (typeof cid !== "string" || !error.message.includes(`module ${cid}`)) return error;
  for (const { name, file } of config.modules) {
    const bytes = await readFile(file.path).catch(() => undefined);
    if (bytes === undefined || rawBlock(sha256, bytes).cid.toString() !== cid) continue;
    const tasks = config.tasks
      .filter((task) => task.kind === "module" && task.module === name)
      .map((task) => `tasks.${task.name}`);
    const { code, kind, retry, facts } = error;
    const hint = error.hint ?? "correct the module, or the rows it is given";
    return new IpdmError(code, `${tasks.join(", ")}: ${error.message.replace(`module ${cid}`, `module ${name}`)}`, {
      kind,
      retry,
      facts: { ...facts, name },
      cause: error,
      where: (error.where ?? cid).replace(cid, file.path),
      hint,
    });
  }
  return error;
}
