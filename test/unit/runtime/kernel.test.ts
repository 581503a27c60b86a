import { describe, expect, it } from "vitest";
import { IpdmError } from "../../../src/core/errors.ts";
import type { Log } from "../../../src/core/ports.ts";
import { MemoryStore, type MemoryStoreOptions } from "../../../src/journal/memory-store.ts";
import type { RequestRecord } from "../../../src/journal/port.ts";
import { type Effect, Kernel, type KernelOptions, type MachineSpec } from "../../../src/runtime/kernel.ts";
import { collect, sha256 } from "../../contract/journal/store.contract.ts";
import { parcelMachine } from "./parcel-machine.ts";

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {} };
const options: KernelOptions = { hash: sha256, log: quiet };
const parcel = parcelMachine();
const carry: Effect = async (request) => ({ type: "moved", by: (request.params as { by: number }).by });
const effects = { greet: async () => undefined, carry };
const never: Effect = (_, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** A disk whose syncs wait until they are let through, one at a time. */
class Gate {
  #waiting: PromiseWithResolvers<void>[] = [];
  #arrivals: PromiseWithResolvers<void>[] = [];
  readonly sync = async (): Promise<void> => {
    const here = Promise.withResolvers<void>();
    this.#waiting.push(here);
    this.#arrivals.shift()?.resolve();
    await here.promise;
  };
  /** Resolves when a sync waits at the gate. */
  async arrival(): Promise<void> {
    if (this.#waiting.length > 0) return;
    const arrived = Promise.withResolvers<void>();
    this.#arrivals.push(arrived);
    await arrived.promise;
  }
  open(): void {
    this.#waiting.shift()?.resolve();
  }
}

const memory = (more: Omit<MemoryStoreOptions, "hash"> = {}): MemoryStore => new MemoryStore({ hash: sha256, ...more });
const spawn = (kernel: Kernel, id = "parcel/1", machine: MachineSpec = parcel, own: Record<string, Effect> = effects) =>
  kernel.spawn({ id, machine, input: { name: "box" }, effects: own });

describe("events first, effects after the sync", () => {
  it("acknowledges an event, shows its state and starts its effects only when its entry is synced", async () => {
    const gate = new Gate();
    await using kernel = new Kernel(memory({ sync: gate.sync }), options);
    const started: string[] = [];
    const record: Effect = async (request) => {
      started.push(request.type);
      return undefined;
    };
    const spawning = spawn(kernel, "parcel/1", parcel, { greet: record, carry: record });
    await gate.arrival();
    expect(started).toEqual([]);
    gate.open();
    const actor = await spawning;
    expect(started).toEqual(["greet"]);
    await gate.arrival(); // the outcome of greet
    gate.open();
    let acknowledged = false;
    const sent = actor.send({ type: "move", by: 2 }).then(() => (acknowledged = true));
    await gate.arrival();
    expect({ started, acknowledged }).toEqual({ started: ["greet"], acknowledged: false });
    expect(actor.seq).toBe(2);
    gate.open();
    await sent;
    expect(actor.seq).toBe(3);
    expect(started).toEqual(["greet", "carry"]);
    await gate.arrival();
    gate.open();
    await actor.settled();
  });

  it("puts the events of one turn into one entry, and a journal holds what the actor saw", async () => {
    const store = memory();
    await using kernel = new Kernel(store, options);
    const actor = await spawn(kernel);
    await actor.settled();
    await Promise.all([1, 2, 3].map((by) => actor.send({ type: "move", by })));
    await actor.settled();
    expect(actor.snapshot()).toEqual({
      status: "active",
      value: "open",
      context: { name: "box", moved: 6, failures: 0 },
    });
    const entries = await collect(store.entries("parcel/1"));
    expect(entries.map(({ entry }) => entry.events.length)).toEqual([1, 1, 3, 3]);
    expect(entries[0]?.entry).toMatchObject({
      seq: 1,
      prev: null,
      events: [{ type: "ipdm.init", input: { name: "box" }, machine: { name: "parcel", version: 1 } }],
      requests: [{ id: "parcel/1:1:0", type: "greet", params: { name: "box" } }],
    });
    expect(entries[1]?.entry.events).toEqual([{ type: "ipdm.done", request: "parcel/1:1:0" }]);
    expect(entries[2]?.entry.requests.map((request) => request.id)).toEqual([
      "parcel/1:3:0",
      "parcel/1:4:0",
      "parcel/1:5:0",
    ]);
    expect(entries[3]?.entry.events[0]).toEqual({ type: "moved", by: 1, request: "parcel/1:3:0" });
    expect(actor.head().equals(entries[3]?.cid)).toBe(true);
  });

  it("turns a rejected effect into a failed event", async () => {
    const store = memory();
    await using kernel = new Kernel(store, options);
    const failing: Effect = async () => {
      throw new IpdmError("TOO_HEAVY", "cannot carry it", { facts: { kg: 90 } });
    };
    const actor = await spawn(kernel, "parcel/1", parcel, { greet: async () => undefined, carry: failing });
    await actor.send({ type: "move", by: 1 });
    await actor.settled();
    expect(actor.snapshot().context).toMatchObject({ failures: 1 });
    const last = (await store.head("parcel/1"))?.entry.events.at(-1);
    expect(last).toMatchObject({
      type: "failed",
      error: { code: "TOO_HEAVY", message: "cannot carry it", facts: { kg: 90 } },
    });
  });
});

describe("faults", () => {
  it("journals nothing of an event whose assign throws, and stops only that actor", async () => {
    const store = memory();
    await using kernel = new Kernel(store, options);
    const [broken, fine] = [await spawn(kernel, "parcel/1"), await spawn(kernel, "parcel/2")];
    await Promise.all([broken.settled(), fine.settled()]);
    const faults: string[] = [];
    broken.onFault((fault) => faults.push(fault.code));
    const results = await Promise.allSettled([
      broken.send({ type: "ask", what: "before" }),
      broken.send({ type: "break" }),
      broken.send({ type: "ask", what: "after" }),
    ]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await broken.closed;
    expect(faults).toEqual(["ACTOR_FAULT"]);
    expect(broken.status).toBe("faulted");
    await expect(broken.send({ type: "stop" })).rejects.toMatchObject({ code: "ACTOR_FAULT" });
    const events = (await collect(store.entries("parcel/1"))).flatMap(({ entry }) => entry.events);
    expect(events).toHaveLength(3);
    await fine.send({ type: "move", by: 1 });
    await fine.settled();
    // Its journal is whole: it comes back where it was.
    const again = await spawn(kernel, "parcel/1");
    await again.settled();
    expect(again.status).toBe("running");
  });

  for (const how of ["date", "nan", "zero"] as const) {
    it(`refuses a context with ${how}`, async () => {
      await using kernel = new Kernel(memory(), options);
      const actor = await spawn(kernel);
      await expect(actor.send({ type: "spoil", how })).rejects.toMatchObject({
        code: "ACTOR_STATE_NOT_PLAIN",
        facts: { path: "$.note" },
      });
      expect(actor.status).toBe("faulted");
    });
  }

  it("refuses an event that is not plain, or named as the kernel's, and goes on", async () => {
    await using kernel = new Kernel(memory(), options);
    const actor = await spawn(kernel);
    await expect(actor.send({ type: "ask", what: new Date(0) })).rejects.toMatchObject({
      code: "ACTOR_EVENT_NOT_PLAIN",
    });
    await expect(actor.send({ type: "ipdm.done", request: "x" })).rejects.toMatchObject({
      code: "ACTOR_EVENT_RESERVED",
    });
    await actor.send({ type: "ask", what: "still here" });
    await expect(spawn(kernel)).rejects.toMatchObject({ code: "ACTOR_EXISTS" });
    await expect(spawn(kernel, "parcel/2", parcel, {})).rejects.toMatchObject({ code: "ACTOR_EFFECT_MISSING" });
  });

  it("stops the actor when the store stops", async () => {
    let full = false;
    const sync = async (): Promise<void> => {
      if (full) throw new Error("no space left on device");
    };
    const store = memory({ sync });
    await using kernel = new Kernel(store, options);
    const actor = await spawn(kernel);
    await actor.settled();
    full = true;
    await expect(actor.send({ type: "move", by: 1 })).rejects.toThrow("no space left");
    await actor.closed;
    await expect(store.head("parcel/1")).rejects.toMatchObject({ code: "JOURNAL_STOPPED" });
  });
});

describe("recovery", () => {
  it("issues an open request again, with the same id, after a crash and after a close", async () => {
    const store = memory();
    const seen: RequestRecord[] = [];
    const stuck: Effect = (request, context) => {
      seen.push(request);
      return never(request, context);
    };
    const first = new Kernel(store, options);
    const actor = await spawn(first, "parcel/1", parcel, { greet: async () => undefined, carry: stuck });
    await actor.send({ type: "move", by: 5 });
    const crash = store.image();
    await first.close();
    expect((await actor.send({ type: "stop" }).catch((error: unknown) => error)) as object).toMatchObject({
      code: "ACTOR_CLOSED",
    });
    const closed = store.image();
    for (const image of [crash, closed]) {
      const second = new Kernel(memory({ image }), options);
      const again = await spawn(second, "parcel/1", parcel, {
        greet: async () => undefined,
        carry: async (request) => {
          seen.push(request);
          return { type: "moved", by: 5 };
        },
      });
      await again.settled();
      expect(again.snapshot().context).toMatchObject({ moved: 5 });
      await second.close();
    }
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map((request) => JSON.stringify(request))).size).toBe(1);
  });

  it("recovers from the newest checkpoint, or from an older one when that is damaged", async () => {
    const store = memory();
    const kernel = new Kernel(store, { ...options, checkpointEvery: 4 });
    const actor = await spawn(kernel);
    for (let by = 1; by <= 10; by++) {
      await actor.send({ type: "move", by });
      await actor.settled();
    }
    await kernel.close();
    const checkpoints = (await collect(store.entries("parcel/1"))).flatMap(({ entry }) =>
      entry.checkpoint === undefined ? [] : [entry.checkpoint],
    );
    expect(checkpoints.length).toBeGreaterThan(3);
    const image = store.image();
    image.blocks.delete(checkpoints.at(-1)?.toString() as string);
    image.blocks.set(checkpoints.at(-2)?.toString() as string, Uint8Array.of(1));
    await using second = new Kernel(memory({ image }), options);
    const again = await spawn(second);
    expect(again.snapshot()).toEqual(actor.snapshot());
    expect(again.seq).toBe(actor.seq);
  });

  it("names machine, event, expected and found when a machine does something else, and stops only that actor", async () => {
    const store = memory();
    const first = new Kernel(store, options);
    const actor = await spawn(first);
    await actor.settled();
    await actor.send({ type: "move", by: 5 });
    await actor.settled();
    await first.close();
    await using second = new Kernel(memory({ image: store.image() }), options);
    await expect(spawn(second, "parcel/1", parcelMachine({ factor: 2 }))).rejects.toMatchObject({
      code: "NON_DETERMINISM",
      facts: {
        machine: "parcel@1",
        seq: 3,
        expected: { id: "parcel/1:3:0", type: "carry", params: { by: 5 } },
        found: { id: "parcel/1:3:0", type: "carry", params: { by: 10 } },
      },
    });
    await expect(spawn(second, "parcel/1", parcelMachine({ extra: true }))).rejects.toMatchObject({
      code: "NON_DETERMINISM",
      facts: { seq: 1 },
    });
    const other = await spawn(second, "parcel/2");
    await other.settled();
    const again = await spawn(second, "parcel/1");
    expect(again.snapshot().context).toMatchObject({ moved: 5 });
  });

  it("needs the version that a journal names, and finds it among the registered ones", async () => {
    const store = memory();
    const first = new Kernel(store, options);
    await (await spawn(first)).settled();
    await first.close();
    const newer = parcelMachine({ version: 2 });
    await using second = new Kernel(memory({ image: store.image() }), options);
    await expect(spawn(second, "parcel/1", newer)).rejects.toMatchObject({
      code: "MACHINE_VERSION_MISSING",
      facts: { version: 1 },
    });
    await using third = new Kernel(memory({ image: store.image() }), { ...options, machines: [parcel] });
    expect((await spawn(third, "parcel/1", newer)).seq).toBe(2);
  });
});

describe("waiting", () => {
  it("holds senders while the mailbox is full, and loses nothing", async () => {
    const store = memory();
    await using kernel = new Kernel(store, options);
    const actor = await spawn(kernel);
    await actor.settled();
    await Promise.all(Array.from({ length: 3000 }, () => actor.send({ type: "move", by: 1 })));
    await actor.settled();
    expect(actor.snapshot().context).toMatchObject({ moved: 3000 });
    expect(Math.max(...(await collect(store.entries("parcel/1"))).map(({ entry }) => entry.events.length))).toBe(256);
  });

  it("takes an event at whatever turn it arrives", async () => {
    await using kernel = new Kernel(memory(), options);
    const actor = await spawn(kernel);
    for (let turns = 0; turns < 60; turns++) {
      await actor.send({ type: "move", by: 1 });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    }
    await actor.settled();
    expect(actor.snapshot().context).toMatchObject({ moved: 60 });
  });

  it("tells when a state is reached, honours the signal, and rejects when the actor ends", async () => {
    const kernel = new Kernel(memory(), options);
    const actor = await spawn(kernel, "parcel/1", parcel, { greet: never, carry });
    const reached = actor.until((state) => (state.context as { moved: number }).moved === 3);
    await actor.send({ type: "move", by: 3 });
    expect((await reached).context).toMatchObject({ moved: 3 });
    const controller = new AbortController();
    const waiting = actor.settled({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    const settled = actor.settled();
    await Promise.all([kernel.close(), expect(settled).rejects.toMatchObject({ code: "ACTOR_CLOSED" })]);
  });
});
