import type { Log } from "../core/ports.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import type { RunPlan } from "../runtime/plan.ts";
import type { LoadedModule } from "../runtime/stage/runner.ts";
import type { Lane, ModuleSpec } from "../sandbox/port.ts";

/** Hears what modules write to the log. */
export interface ModuleWords {
  wrote(task: string, line: string): void;
}

/** Loads every module of a plan into a node's lane, by task, from bytes by module CID. What they write goes to the log, and to `words`. */
export async function loadModules(
  plan: RunPlan,
  lane: Lane,
  bytesByCid: ReadonlyMap<string, Uint8Array>,
  log: Log,
  words?: ModuleWords,
): Promise<Map<string, LoadedModule>> {
  const modules = new Map<string, LoadedModule>();
  for (const { name, module } of plan.tasks) {
    if (module === null) continue;
    const bytes = bytesByCid.get(module.cid) ?? module.bytes;
    const onLog = (line: string): void => {
      log.info("a module wrote", { task: name, line });
      words?.wrote(name, line);
    };
    modules.set(name, await loadModule(lane, { ...module, bytes, onLog }));
  }
  return modules;
}

/** Loads one module into a lane; what statements say of it comes from the bytes that are loaded. */
export async function loadModule(lane: Lane, spec: ModuleSpec): Promise<LoadedModule> {
  const original = rawBlock(sha256, spec.bytes).cid;
  const handle = await lane.load({ ...spec, cid: original.toString() });
  const { instrumented, costTable, hostTable } = handle.identity;
  return { handle, original, instrumented: rawBlock(sha256, instrumented).cid, costTable, hostTable };
}
