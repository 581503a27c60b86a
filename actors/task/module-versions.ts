import { CID } from "multiformats/cid";
import { sameSchema } from "../../src/batch/schema.ts";
import { type ModuleEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
import { TAKEOVERS_MAX, takeoverFault, takeoversOf } from "../../src/consensus/module-version.ts";
import { type Slot, slotName } from "../../src/consensus/slot.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { decodeBlock } from "../../src/dag/block.ts";
import { MAIN, type TaskPlan } from "../../src/runtime/plan.ts";
import type { LoadedModule } from "../../src/runtime/stage/runner.ts";
import type { NewerModule } from "../node/node-ports.ts";
import type { NodeContext } from "../node/run-node.ts";

/** A version that may take over, and the one that runs now with its CID (`undefined` for that of the stage). */
interface Candidate {
  readonly now: ModuleEntry;
  readonly before: CID | undefined;
  readonly found: NewerModule;
}

/** What the bookkeeping holds where a slot goes on with the version of its stage. */
const NONE = new Uint8Array();

/**
 * Which version of a task's module each slot runs, on one node. The submitter decides it where it cuts a slot, once: what it
 * decided is durable before anyone hears of the slot. Everyone checks it before the slot is executed.
 */
export class ModuleVersions {
  private readonly node: NodeContext;
  private readonly task: TaskPlan;
  /** Modules loaded for entries, by the entries' CIDs; a voter that keeps all of them lets as many in as may take over. */
  private readonly loaded = new Map<string, Promise<LoadedModule>>();
  private readonly refused = new Set<string>();

  constructor(node: NodeContext, task: TaskPlan) {
    this.node = node;
    this.task = task;
  }

  /**
   * The entry of the version that the next slot runs, for the submitter; `undefined` for the one that the stage names. It changes
   * only where the catalogue has a newer one that fits: one that does not is told of, and the task goes on as it was.
   */
  async decide(seq: number, from: number, rows: number, signal: AbortSignal): Promise<CID | undefined> {
    const { live, key } = this.task;
    if (live === undefined) return undefined;
    const before = this.before(seq);
    if (seq === 0 || rows === 0) return before;
    const { meta } = this.node.ports.store;
    const decided = `version/${key.cid.toString()}/${seq}`;
    const kept = await meta.get(decided);
    if (kept !== undefined) return kept.length === 0 ? undefined : CID.decode(kept);
    const chosen = (await this.newer(before, from, signal)) ?? before;
    await meta.put(decided, chosen?.bytes ?? NONE);
    return chosen;
  }

  /**
   * The module that a slot runs; null for a task that runs none. Throws `SLOT_INVALID` (kind `verification`) for a version that may
   * not take over, and what reading and loading throw.
   */
  async of(slot: Slot, signal: AbortSignal): Promise<LoadedModule | null> {
    const { modules } = this.node.ports;
    if (slot.version === undefined) return this.task.module === null ? null : (modules.get(this.task.name) ?? null);
    const entry = await this.entry(slot.version, signal);
    const bytes = await this.node.reader.read(entry.module, signal);
    return this.load(slot.version, entry, bytes).catch((error: unknown) => {
      // What cannot be loaded here failed at the submitter as well, had it been honest; a fault of this node is no verdict.
      if (!(error instanceof IpdmError) || error.kind === "failed") throw error;
      throw this.invalid(slot, error.message, error);
    });
  }

  /** Checks that a slot runs a version that may follow on the one before it. Returns the CID of the module. Throws as {@link of}. */
  async check(slot: Slot, signal: AbortSignal): Promise<CID | null> {
    const { operator, live } = this.task;
    const before = this.before(slot.seq);
    const { version } = slot;
    if (version === undefined && before === undefined) return operator.kind === "module" ? operator.module : null;
    if (live === undefined) throw this.invalid(slot, "its module does not change");
    const earlier = this.node.ledger.executed(this.task.name).slice(0, slot.seq);
    const found = takeoversOf([...earlier.map((commit) => commit.slot), slot]);
    if (typeof found === "string") throw this.invalid(slot, found);
    const entry = await this.entry(version as CID, signal);
    if (before === undefined || !before.equals(version as CID)) {
      const fault = takeoverFault(await this.entryOf(before, signal), entry, live, this.node.ports.verify);
      if (fault !== undefined) throw this.invalid(slot, fault);
    }
    return entry.module;
  }

  /** The version that the slot before a sequence number runs. */
  private before(seq: number): CID | undefined {
    if (seq === 0) return undefined;
    const { name, key } = this.task;
    const executed = this.node.ledger.find(name, seq - 1)?.slot;
    const slot = executed ?? this.node.committee.knownSlot({ task: name, key: key.cid, seq: seq - 1 })?.slot;
    assert(slot !== undefined, `the slot before ${name}/${seq} is known`);
    return slot.version;
  }

  private async newer(before: CID | undefined, from: number, signal: AbortSignal): Promise<CID | undefined> {
    const { live: ports, store, observer } = this.node.ports;
    const found = await ports?.newest?.(this.task.name, signal);
    if (found === undefined || this.refused.has(found.entryBlock.cid.toString())) return undefined;
    const now = await this.entryOf(before, signal);
    if (found.entry.version === now.version) return undefined;
    const fault = await this.faultOf({ now, before, found }, signal);
    observer.newVersion?.(this.task.name, found.entry, from, fault);
    if (fault !== undefined) {
      this.refused.add(found.entryBlock.cid.toString());
      return undefined;
    }
    await store.blocks.putAll([found.entryBlock, found.moduleBlock]);
    return found.entryBlock.cid;
  }

  /** Why a version cannot take over here, of what its entry says and of what loading it shows. */
  private async faultOf({ now, before, found }: Candidate, signal: AbortSignal): Promise<string | undefined> {
    const { live } = this.task;
    const { entry, entryBlock, moduleBlock } = found;
    if (live === undefined) return "the task is not live";
    if (this.loaded.size >= TAKEOVERS_MAX) return `more than ${TAKEOVERS_MAX} versions took over`;
    const fault = takeoverFault(now, entry, live, this.node.ports.verify);
    if (fault !== undefined) return fault;
    try {
      const { handle } = await this.load(entryBlock.cid, entry, moduleBlock.bytes);
      if (!entry.stateful || handle.canContinue((await this.current(before, now, signal)).handle)) return undefined;
      return `its globals or its memory are not those of ${now.version}`;
    } catch (error) {
      if (error instanceof IpdmError) return error.message;
      throw error;
    }
  }

  /** The module that a version runs; `undefined` for that of the stage. */
  private async current(version: CID | undefined, entry: ModuleEntry, signal: AbortSignal): Promise<LoadedModule> {
    const first = this.node.ports.modules.get(this.task.name);
    if (version !== undefined) return this.load(version, entry, await this.node.reader.read(entry.module, signal));
    assert(first !== undefined, `module of ${this.task.name} is loaded`);
    return first;
  }

  private load(version: CID, entry: ModuleEntry, bytes: Uint8Array): Promise<LoadedModule> {
    const key = version.toString();
    const loading = this.loaded.get(key) ?? this.loadAnew(entry, bytes);
    this.loaded.set(key, loading);
    loading.catch(() => this.loaded.delete(key));
    return loading;
  }

  private async loadAnew(entry: ModuleEntry, bytes: Uint8Array): Promise<LoadedModule> {
    const { name, inputSchema, ports } = this.task;
    const { live } = this.node.ports;
    if (live === undefined) throw new IpdmError("INVARIANT", `task ${name} is live`);
    const module = await live.load(name, entry, bytes);
    const schema = await module.handle.outputSchema(inputSchema);
    if (ports[MAIN] !== undefined && sameSchema(schema, ports[MAIN])) return module;
    throw new IpdmError("MODULE_OUTPUT_INVALID", "its output has other columns", {
      kind: "verification",
      where: entry.module.toString(),
    });
  }

  private async entryOf(version: CID | undefined, signal: AbortSignal): Promise<ModuleEntry> {
    if (version !== undefined) return this.entry(version, signal);
    if (this.task.live === undefined) throw new IpdmError("INVARIANT", `task ${this.task.name} is live`);
    return this.task.live.entry;
  }

  /** An entry and its module, from then on in this node's own store. */
  private async entry(version: CID, signal: AbortSignal): Promise<ModuleEntry> {
    const { store } = this.node.ports;
    const bytes = await this.node.reader.read(version, signal);
    const entry = parseModuleEntry(decodeBlock({ cid: version, bytes }));
    if (!(await store.blocks.has(version))) {
      const module = { cid: entry.module, bytes: await this.node.reader.read(entry.module, signal) };
      await store.blocks.putAll([module, { cid: version, bytes }]);
    }
    return entry;
  }

  private invalid(slot: Slot, why: string, cause?: unknown): IpdmError {
    return new IpdmError(
      "SLOT_INVALID",
      `the submitter signed a slot for ${slotName(slot)} with a version of its module that cannot take over: ${why}`,
      { kind: "verification", where: slotName(slot), facts: { version: String(slot.version) }, cause },
    );
  }
}
