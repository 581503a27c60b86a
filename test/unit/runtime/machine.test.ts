import { describe, expect, it } from "vitest";
import { assign, createActor, raise, sendTo, setup, spawnChild } from "xstate";
import { Machine, type MachineSpec } from "../../../src/runtime/machine.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { parcelMachine } from "./parcel-machine.ts";

const spec = (config: object): MachineSpec => ({
  name: "sample",
  version: 1,
  requests: ["ask"],
  machine: setup({
    actions: { ask: () => {}, other: () => {} },
    actors: { child: parcelMachine().machine },
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

  const unsupportedDefinitions: Readonly<Record<string, MachineSpec>> = {
    "a timer": spec({ states: { a: { after: { 5: "b" } }, b: {} } }),
    "an invoked actor": spec({ states: { a: { invoke: { src: "child", id: "c" } } } }),
    "a history state": spec({ states: { a: { type: "history" as never } } }),
  };
  for (const [name, each] of Object.entries(unsupportedDefinitions)) {
    it(`is refused with ${name}`, () => {
      expect(() => new Machine(sha256, each)).toThrow(expect.objectContaining({ code: "MACHINE_UNSUPPORTED" }));
    });
  }

  const unsupportedActions: Readonly<Record<string, unknown>> = {
    "a delayed raise": raise({ type: "X" }, { delay: 5 }),
    "a spawned child": spawnChild("child", { id: "c" }),
    "a message to an actor": sendTo("c", { type: "X" }),
    "an action that is not a request": "other",
    "an inline action": () => {},
  };
  for (const [name, actions] of Object.entries(unsupportedActions)) {
    it(`is refused when it reaches ${name}`, () => {
      const machine = new Machine(sha256, go({ GO: { actions } }));
      expect(() => machine.next(machine.initial(null).snapshot, { type: "GO" })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(MACHINE_UNSUPPORTED|ACTOR_FAULT)$/) }),
      );
    });
  }
});
