import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { Ledger } from "../../../actors/node/ledger.ts";
import type { NewerModule } from "../../../actors/node/node-ports.ts";
import type { NodeContext } from "../../../actors/node/run-node.ts";
import { ModuleVersions } from "../../../actors/task/module-versions.ts";
import { declaredField } from "../../../src/batch/declared-field.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { type ModuleEntry, operatorOfEntry } from "../../../src/consensus/module-entry.ts";
import type { Slot } from "../../../src/consensus/slot.ts";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { BlockReader } from "../../../src/lake/block-reader.ts";
import { sha256, verifyEd25519 } from "../../../src/node.ts";
import { MAIN, type TaskPlan } from "../../../src/runtime/plan.ts";
import { linkTo } from "../../property/consensus/domain.ts";
import { entryOf } from "../../support/catalogue.ts";

const { signal } = new AbortController();
const schema = schemaOf([declaredField("n", "i64")]);

/** A node with a task that is live unless said otherwise, whose catalogue holds what `newest` gives. */
function nodeOf({ live = true, newest }: { live?: boolean; newest?: () => NewerModule | undefined } = {}) {
  const store = new MemoryStore({ hash: sha256 });
  const reader = new BlockReader(store.blocks, undefined);
  const ledger = new Ledger();
  const first = entryOf(Uint8Array.of(1));
  const task = {
    name: "added",
    operator: operatorOfEntry(first),
    inputSchema: schema,
    ports: { [MAIN]: schema },
    key: { cid: linkTo("key"), bytes: new Uint8Array() },
    ...(live ? { live: { name: "late", range: "^1", entry: first } } : {}),
  } as unknown as TaskPlan;
  const load = async () => ({ handle: { outputSchema: async () => schema } });
  const ports = { store, verify: verifyEd25519, observer: {}, live: { load, newest: async () => newest?.() } };
  const node = { ports, reader, ledger, committee: { knownSlot: () => undefined } } as unknown as NodeContext;
  const slotOf = (seq: number, version?: CID, rows = 5): Slot =>
    ({
      task: "added",
      seq,
      input: { from: 5 * seq, rows, end: false },
      ...(version && { version }),
    }) as unknown as Slot;
  const execute = (slot: Slot): void =>
    ledger.execute({ slot, slotCid: linkTo(`slot ${slot.seq}`), statement: {}, statementCid: linkTo("s") } as never);
  return {
    versions: new ModuleVersions(node, task),
    again: () => new ModuleVersions(node, task),
    store,
    slotOf,
    execute,
  };
}

function moduleOf(version: string, change: object = {}): NewerModule {
  const bytes = Uint8Array.of(2);
  const entry: ModuleEntry = entryOf(bytes, { version, ...change });
  return { entry, entryBlock: cborBlock(sha256, entry), moduleBlock: rawBlock(sha256, bytes) };
}

describe("a voter", () => {
  it("refuses a slot with a version that may not take over, and keeps entry and module of one that may", async () => {
    const { versions, store, slotOf, execute } = nodeOf();
    const given = [moduleOf("1.1.0"), moduleOf("2.0.0"), moduleOf("1.0.0"), moduleOf("1.2.0", { unit: 3 })];
    for (const { entryBlock, moduleBlock } of given) await store.blocks.putAll([entryBlock, moduleBlock]);
    const [good, far, same, unit] = given.map(({ entryBlock }) => entryBlock.cid);
    const refused = async (slot: Slot, said: string): Promise<void> =>
      expect(versions.check(slot, signal)).rejects.toMatchObject({
        code: "SLOT_INVALID",
        kind: "verification",
        message: expect.stringContaining(said) as string,
      });
    await refused(slotOf(0, good), "the first slot");
    execute(slotOf(0));
    await refused(slotOf(1, far), "no version of ^1");
    await refused(slotOf(1, same), "not newer");
    await refused(slotOf(1, unit), "of kind batch");
    await refused(slotOf(1, good, 0), "no rows");
    expect(String(await versions.check(slotOf(1, good), signal))).toBe(String(given[0]?.entry.module));
    execute(slotOf(1, good));
    await refused(slotOf(2), "goes back");
    expect(String(await versions.check(slotOf(2, good), signal))).toBe(String(given[0]?.entry.module));
    const pinned = nodeOf({ live: false });
    pinned.execute(slotOf(0));
    await expect(pinned.versions.check(slotOf(1, good), signal)).rejects.toThrow("its module does not change");
  });
});

describe("the submitter", () => {
  it("decides once for a slot, whatever is published before it is asked again", async () => {
    let newest: NewerModule | undefined;
    const { versions, again, slotOf, execute } = nodeOf({ newest: () => newest });
    execute(slotOf(0));
    expect(await versions.decide(1, 5, 5, signal)).toBeUndefined();
    newest = moduleOf("1.1.0");
    const cid = newest.entryBlock.cid;
    expect(await again().decide(1, 5, 5, signal)).toBeUndefined();
    execute(slotOf(1));
    expect(await versions.decide(2, 10, 5, signal).then(String)).toBe(String(cid));
    newest = moduleOf("1.2.0");
    expect(await again().decide(2, 10, 5, signal).then(String)).toBe(String(cid));
    // A slot without rows has nothing to run it on.
    execute(slotOf(2, cid));
    expect(await versions.decide(3, 15, 0, signal).then(String)).toBe(String(cid));
  });
});
