import { CID } from "multiformats/cid";
import type { LivePorts } from "../../actors/node/node-ports.ts";
import { readReference } from "../config/module-reference.ts";
import { type ModuleEntry, parseModuleEntry } from "../consensus/module-entry.ts";
import type { Log } from "../core/ports.ts";
import { cborBlock, decodeBlock } from "../dag/block.ts";
import { type LocalNode, sha256 } from "../node.ts";
import type { CataloguedModule } from "../plan/plan.ts";
import { CatalogueWatch } from "../registry/catalogue-watch.ts";
import { checkEntry } from "../registry/entry-check.ts";
import { type RunPlan, taskOf } from "../runtime/plan.ts";
import type { Lane } from "../sandbox/port.ts";
import { loadModule } from "./modules.ts";

/**
 * Remembers with which version a live task's work was begun, in the submitter's store: a run that goes on, or is repeated, keeps the
 * versions that its slots had.
 */
export function beginnings({ store }: LocalNode): (work: CID, found: CataloguedModule) => Promise<CataloguedModule> {
  return async (work, found) => {
    const key = `begun/${work.toString()}`;
    const kept = await store.meta.get(key);
    if (kept === undefined) {
      await store.blocks.putAll([found.moduleBlock, found.entryBlock]);
      await store.meta.put(key, found.entryBlock.cid.bytes);
      return found;
    }
    const cid = CID.decode(kept);
    const bytes = (await store.blocks.get(cid)) as Uint8Array; // stored before the key was
    const entry = parseModuleEntry(decodeBlock({ cid, bytes }));
    const module = (await store.blocks.get(entry.module)) as Uint8Array;
    return { entry, entryBlock: cborBlock(sha256, entry), moduleBlock: { cid: entry.module, bytes: module } };
  };
}

/** What looks for newer versions of a plan's live tasks in the catalogue; `undefined` where no task is live. */
export function watchFor(plan: RunPlan, folder: string, log: Log): CatalogueWatch | undefined {
  const live = plan.tasks.flatMap(({ name, live: range }) =>
    range === undefined ? [] : [[name, readReference(`${range.name}@${range.range}`)] as const],
  );
  return live.length === 0 ? undefined : new CatalogueWatch(folder, new Map(live), log);
}

/** What a node's part of live modules is made of. */
interface LiveParts {
  readonly plan: RunPlan;
  readonly lane: Lane;
  readonly log: Log;
  readonly watch: CatalogueWatch | undefined;
  readonly beforeLook: ((task: string) => Promise<void>) | undefined;
  /** Told of each version before it is loaded for a task. */
  readonly onLoad: (task: string, entry: ModuleEntry) => void;
}

/** Loads newer versions into a node's lanes, isolated as the plan says; with a watch, which the submitter has, it looks for them as well. */
export function livePorts({ plan, lane, log, watch, beforeLook, onLoad }: LiveParts): LivePorts {
  return {
    load: (task, entry, bytes) => {
      onLoad(task, entry);
      const onLog = (line: string): void => log.info("a module wrote", { task, line });
      const { isolation = "process" } = taskOf(plan, task).module ?? {};
      return loadModule(lane, { ...checkEntry(entry, bytes), isolation, onLog });
    },
    ...(watch && {
      newest: async (task) => {
        await beforeLook?.(task);
        return watch.newest(task);
      },
    }),
  };
}
