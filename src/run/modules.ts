import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import type { RunPlan } from "../runtime/plan.ts";
import type { LoadedModule } from "../runtime/stage/runner.ts";
import { instrument } from "../sandbox/instrument.ts";
import type { Lane, ModuleSpec } from "../sandbox/port.ts";

/** Loads every module of a plan into a node's lane, by task. `replaced` gives other bytes for a module, by task. */
export async function loadModules(plan: RunPlan, lane: Lane, replaced: ReadonlyMap<string, Uint8Array> = new Map()): Promise<Map<string, LoadedModule>> {
  const modules = new Map<string, LoadedModule>();
  for (const task of plan.tasks) {
    if (task.module === null) continue;
    const bytes = replaced.get(task.name) ?? task.module.bytes;
    const original = rawBlock(sha256, bytes).cid;
    const spec: ModuleSpec = { ...task.module, bytes, cid: original.toString() };
    const instrumented = instrument(bytes);
    modules.set(task.name, {
      handle: await lane.load(spec),
      original,
      instrumented: rawBlock(sha256, instrumented.bytes).cid,
      costTable: instrumented.costTable,
    });
  }
  return modules;
}
