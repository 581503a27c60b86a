import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isJournalFile, replayJournalFile } from "../../../src/audit/actors/replay-actor.ts";
import { readCar } from "../../../src/dag/car.ts";
import { decodeEntry } from "../../../src/journal/entry.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { MachineRegistry } from "../../../src/runtime/machine-registry.ts";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { orderMachine, orders } from "./order-machine.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/actors");

/** How test/fixtures/actors/make-journals.ts left them, with the kernel of their time. */
const KEPT = [
  {
    file: "order-1.car",
    id: "order-1",
    events: 10,
    state: "bafyreifgitjadarurwsp6crzwwz7yw7wuql33zwppkw5twf2ubqclene6i",
  },
  {
    file: "parcel.car",
    id: "order-1/box@3.1",
    events: 4,
    state: "bafyreidmu7t6vdtxyclthuxtadidnydrpps2rigrhrp2dww2kb37gofiwa",
  },
] as const;

describe("journals of an earlier kernel", () => {
  it.each(KEPT)("replay to the same state: $file", async ({ file, id, events, state }) => {
    const registry = new MachineRegistry(sha256);
    registry.add(orders);
    const path = join(FIXTURES, file);
    expect(isJournalFile(new Uint8Array(await readFile(path)))).toBe(true);
    const report = await replayJournalFile(path, { machines: registry.specs });
    expect(report).toMatchObject({ actor: id, mismatches: [], final: { seq: events } });
    expect(report.final?.state.toString()).toBe(state);
  });

  it("are gone on with", async () => {
    const blocks = new Map<string, Uint8Array>();
    const journals = new Map();
    for (const { file, id } of KEPT) {
      const car = readCar(sha256, new Uint8Array(await readFile(join(FIXTURES, file))));
      for (const [cid, { bytes }] of car.blocks) blocks.set(cid, bytes);
      const cids = [car.root];
      for (let at = decodeEntry(car.blocks.get(car.root.toString()) as never); at.prev !== null; ) {
        cids.unshift(at.prev);
        at = decodeEntry(car.blocks.get(at.prev.toString()) as never);
      }
      journals.set(id, cids);
    }
    const store = new MemoryStore({ hash: sha256, image: { blocks, journals, meta: new Map() } });
    await using runtime = await createRuntime({ store, clock: new VirtualClock(), machines: [orders] });
    const actor = runtime.actor("order-1", orderMachine);
    await actor.send({ type: "scan" });
    expect(await actor.snapshot()).toMatchObject({
      status: "error",
      seq: 11,
      context: { paid: 7, mails: ["customer"] },
    });
  });
});
