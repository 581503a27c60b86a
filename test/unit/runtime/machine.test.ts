import { describe, expect, it } from "vitest";
import { assign, createActor, emit, fromCallback, fromPromise, raise, sendTo, setup, spawnChild } from "xstate";
import { Machine, type MachineSpec } from "../../../src/runtime/machine.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { parcelMachine } from "./parcel-machine.ts";

const live = fromCallback(() => {});
const spec = (config: object): MachineSpec => ({
  name: "sample",
  version: 1,
  requests: ["ask", "other"],
  effects: { live: async () => undefined },
  machine: setup({
    actions: { ask: () => {} },
    actors: { child: parcelMachine().machine, work: fromPromise(async () => 1), live },
  }).createMachine({ id: "sample", context: { list: [1], n: 0 }, initial: "a", ...config }),
});
const go = (on: object): MachineSpec => spec({ states: { a: { on } } });

describe("a machine", () => {
  it("returns requests as plain data, and consumes an immediate raise once", () => {
    const machine = new Machine(
      sha256,
      go({
        GO: {
          actions: [
            "ask",
            raise({ type: "AGAIN" }),
            { type: "ask", params: { bytes: Buffer.from("x"), none: undefined } },
          ],
        },
        AGAIN: { actions: assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 }) },
      }),
    );
    const { snapshot, requests } = machine.next(machine.initial(null).snapshot, { type: "GO" });
    expect(requests).toEqual([
      { type: "ask", params: null },
      { type: "ask", params: { bytes: Uint8Array.of(120) } },
    ]);
    expect(snapshot.context).toEqual({ list: [1], n: 1 });
  });

  it("agrees with XState's own actor on a thousand events", () => {
    const parcel = parcelMachine();
    const machine = new Machine(sha256, parcel);
    const actor = createActor(parcel.machine, { input: { name: "box" } }).start();
    let snapshot = machine.initial({ name: "box" }).snapshot;
    for (let at = 0; at < 1000; at++) {
      const event =
        at % 3 === 0
          ? { type: "moved", by: at, request: "r" }
          : { type: at % 3 === 1 ? "move" : "failed", by: at, request: "r" };
      actor.send(event as never);
      snapshot = machine.next(snapshot, event).snapshot;
    }
    expect(machine.stateOf(snapshot)).toEqual({
      status: "active",
      value: "open",
      context: JSON.parse(JSON.stringify(actor.getSnapshot().context)),
    });
    actor.stop();
  });

  it("ignores events once it is done, and is the same after a restore", () => {
    const machine = new Machine(sha256, parcelMachine());
    const done = machine.next(machine.initial({ name: "box" }).snapshot, { type: "stop" }).snapshot;
    const again = machine.restore(machine.stateOf(done));
    for (const snapshot of [done, again]) {
      const step = machine.next(snapshot, { type: "move", by: 1 });
      expect(step.requests).toEqual([]);
      expect(machine.stateOf(step.snapshot)).toEqual(machine.stateOf(done));
      expect(step.snapshot.status).toBe("done");
    }
  });

  it("cannot change a context in place", () => {
    const machine = new Machine(
      sha256,
      go({
        PUSH: {
          actions: assign(({ context }: { context: { list: number[] } }) => {
            context.list.push(2);
            return { list: context.list };
          }),
        },
      }),
    );
    const { snapshot } = machine.initial(null);
    expect(() => machine.next(snapshot, { type: "PUSH" })).toThrow(expect.objectContaining({ code: "ACTOR_FAULT" }));
    expect(snapshot.context).toEqual({ list: [1], n: 0 });
  });

  it("has a definition that changes with states, transitions and names, not with code", () => {
    const definition = (each: MachineSpec): string => new Machine(sha256, each).identity.definition.toString();
    expect(definition(parcelMachine())).toBe(definition(parcelMachine({ factor: 2, version: 5 })));
    expect(definition(parcelMachine())).not.toBe(definition(parcelMachine({ extra: true })));
    expect(definition(go({ GO: { actions: "ask" } }))).not.toBe(definition(go({ GO: { actions: "other" } })));
    expect(definition(go({ GO: { guard: () => true } }))).not.toBe(definition(go({ GO: {} })));
  });

  const bare = (config: object): MachineSpec => ({ ...spec(config), effects: {}, requests: ["ask"] });
  const refused: Readonly<Record<string, readonly [MachineSpec, RegExp]>> = {
    "a live callback": [bare({ states: { a: {} } }), /actor live of sample@1 is a live callback/],
    "a promise without a name": [
      spec({ states: { a: { invoke: { src: fromPromise(async () => 1) } } } }),
      /state sample\.a, invoke 0\.sample\.a/,
    ],
    "an inline action": [spec({ states: { a: { entry: () => {} } } }), /state sample\.a .* inline action/],
    "an action that nobody carries out": [
      { ...spec({ states: { a: { exit: "lost" } } }) },
      /action lost that is not one of its requests/,
    ],
    "a systemId": [spec({ states: { a: { invoke: { src: "work", systemId: "w" } } } }), /systemId/],
    "a followed child": [
      spec({ states: { a: { invoke: { src: "child", onSnapshot: {} } } } }),
      /snapshots of a live child/,
    ],
    "an emitted event": [go({ GO: { actions: emit({ type: "X" }) } }), /xstate\.emit/],
    "a child without an id": [go({ GO: { actions: spawnChild("child") } }), /spawns child without an id/],
    "an unknown guard": [go({ GO: { guard: "lost" } }), /guard lost/],
    "an unknown delay": [spec({ states: { a: { after: { lost: "a" } } } }), /delay named lost/],
    "a request of the kernel's": [{ ...spec({ states: { a: {} } }), requests: ["ipdm.send"] }, /name of the kernel's/],
  };
  for (const [name, [each, reason]] of Object.entries(refused)) {
    it(`is refused with ${name}, with reason and place`, () => {
      expect(() => new Machine(sha256, each)).toThrow(
        expect.objectContaining({
          code: "MACHINE_UNSUPPORTED",
          message: expect.stringMatching(reason),
          hint: expect.any(String),
        }),
      );
    });
  }

  it("refuses what is put together at run time when it happens", () => {
    const spawned = go({
      GO: { actions: assign({ list: ({ spawn }) => [spawn(live as never, { id: "c" } as never)] as never }) },
    });
    const nameless = go({ GO: { actions: assign({ list: ({ spawn }) => [spawn("child" as never)] as never }) } });
    const stranger = createActor(parcelMachine().machine);
    const strange = go({ GO: { actions: sendTo(() => stranger as never, { type: "X" } as never) } });
    for (const each of [spawned, nameless, strange]) {
      const machine = new Machine(sha256, each);
      expect(() => machine.next(machine.initial(null).snapshot, { type: "GO" })).toThrow(
        expect.objectContaining({ code: "MACHINE_UNSUPPORTED" }),
      );
    }
  });

  it("keeps references to children in its context over a restore", () => {
    const machine = new Machine(
      sha256,
      go({
        GO: {
          actions: assign({
            list: ({ spawn }) => [spawn("child" as never, { id: "c", input: { name: "x" } } as never)] as never,
          }),
        },
        TELL: {
          actions: sendTo(({ context }: { context: { list: readonly never[] } }) => context.list[0] as never, {
            type: "X",
          } as never),
        },
      }),
    );
    const made = machine.next(machine.initial(null).snapshot, { type: "GO" });
    expect(made.requests).toEqual([{ type: "ipdm.spawn", params: { id: "c", src: "child", input: { name: "x" } } }]);
    const state = machine.stateOf(made.snapshot);
    expect(state).toMatchObject({ context: { list: [{ xstate$$type: 1, id: "c" }] }, children: { c: "child" } });
    for (const snapshot of [made.snapshot, machine.restore(state)])
      expect(machine.next(snapshot, { type: "TELL" }).requests).toEqual([
        { type: "ipdm.send", params: { to: "child", child: "c", event: { type: "X" } } },
      ]);
  });

  it("does not blame itself for a full stack of the node", () => {
    const deep = (n: number): number => deep(n + 1) + 1;
    const machine = new Machine(sha256, go({ GO: { actions: assign({ n: () => deep(0) }) } }));
    expect(() => machine.next(machine.initial(null).snapshot, { type: "GO" })).toThrow(
      expect.objectContaining({ code: "ACTOR_FAULT", retry: "later" }),
    );
  });

  it("comes to its end where it never comes to rest", () => {
    const machine = new Machine(
      sha256,
      spec({ states: { a: { on: { GO: "b" } }, b: { always: "c" }, c: { always: "b" } } }),
    );
    expect(() => machine.next(machine.initial(null).snapshot, { type: "GO" })).toThrow(/Infinite loop/);
  });
});
