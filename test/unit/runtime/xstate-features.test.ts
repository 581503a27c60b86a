import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  type AnyStateMachine,
  assign,
  createActor,
  emit,
  enqueueActions,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  SimulatedClock,
  setup,
  spawnChild,
} from "xstate";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import { createRuntime, type Runtime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { KEPT } from "./xstate-features.ts";

const open = async (machine: AnyStateMachine, clock: VirtualClock, image?: MemoryImage) => {
  const store = new MemoryStore({ hash: sha256, ...(image === undefined ? {} : { image }) });
  const runtime: Runtime = await createRuntime({ store, clock, machines: [machine], checkpointEvery: 3 });
  const actor = await runtime.spawn(machine, { id: "a" } as never);
  return { store, runtime, actor };
};

/** What both have, as plain data: a child in a context by its id. */
const plain = (snapshot: object): unknown => {
  const { status, value, context, output, error } = snapshot as Readonly<Record<string, unknown>>;
  const told = error instanceof Error ? { name: error.name, message: error.message } : error;
  const unlinked = (_: string, part: unknown): unknown => {
    const { sessionId, id, xstate$$type } = (part ?? {}) as Readonly<Record<string, unknown>>;
    if (part instanceof Error) return { name: part.name, message: part.message };
    return sessionId !== undefined || xstate$$type === 1 ? `child ${String(id)}` : part;
  };
  return JSON.parse(JSON.stringify({ status, value, context, output, error: told }, unlinked));
};

describe("a durable actor and XState's own", () => {
  for (const [feature, [machine, ...steps]] of Object.entries(KEPT)) {
    it(`do the same, the durable one restarted after every step: ${feature}`, async () => {
      const theirClock = new SimulatedClock();
      const theirs = createActor(machine, { clock: theirClock, input: {} as never, logger: () => {} });
      theirs.subscribe({ error: () => {} }); // otherwise it throws in nobody's turn
      theirs.start();
      const clock = new VirtualClock();
      let { store, runtime, actor } = await open(machine, clock);
      await settle();
      for (const [at, step] of steps.entries()) {
        const event = typeof step === "string" ? { type: step } : step;
        if (typeof event === "number") {
          theirClock.increment(event);
          await clock.advance(event);
        } else {
          if (theirs.getSnapshot().status === "active") theirs.send(event as never);
          await actor.send(event as never).catch(() => {}); // it hears that the machine threw
        }
        await settle();
        expect({ at, state: plain(await actor.snapshot()) }).toEqual({ at, state: plain(theirs.getSnapshot()) });
        await runtime.close();
        ({ store, runtime, actor } = await open(machine, clock, store.image()));
        await settle();
        expect({ at, state: plain(await actor.snapshot()) }).toEqual({ at, state: plain(theirs.getSnapshot()) });
      }
      theirs.stop();
      await runtime.close();
    });
  }
});

const child = setup({}).createMachine({ id: "child" });
const base = {
  child,
  callback: fromCallback(() => {}),
  observable: fromObservable(() => of(1)),
  events: fromEventObservable(() => of({ type: "x" })),
  reducer: fromTransition((state: number) => state + 1, 0),
};

describe("what is of a live actor only is refused when the machine is registered, with reason and place", () => {
  const kit = (actors: object, config: object): AnyStateMachine =>
    setup({ actors: actors as never }).createMachine({
      id: "m",
      context: {},
      ...config,
    } as never) as unknown as AnyStateMachine;
  const on = (actions: unknown): object => ({ on: { go: { actions } } });
  const refused: Readonly<Record<string, readonly [AnyStateMachine, RegExp]>> = {
    fromCallback: [kit({ callback: base.callback }, { invoke: { src: "callback" } }), /live callback or observable/],
    fromObservable: [kit({ observable: base.observable }, {}), /actor observable .* live callback or observable/],
    fromEventObservable: [kit({ events: base.events }, {}), /live callback or observable/],
    fromTransition: [kit({ reducer: base.reducer }, {}), /transition function, which has no version/],
    "logic without a name": [kit({}, { invoke: { src: child } }), /an actor without a name/],
    "a promise without a name": [kit({}, { invoke: { src: fromPromise(async () => 1) } }), /an actor without a name/],
    "spawnChild without a name": [kit({}, on(spawnChild(child, { id: "c" }))), /spawns an actor without a name/],
    "spawnChild without an id": [kit({ child }, on(spawnChild("child" as never))), /without an id/],
    "systemId of an invoke": [kit({ child }, { invoke: { src: "child", systemId: "s" } }), /systemId/],
    "systemId of spawnChild": [
      kit({ child }, on(spawnChild("child" as never, { id: "c", systemId: "s" }))),
      /systemId/,
    ],
    onSnapshot: [kit({ child }, { invoke: { src: "child", onSnapshot: {} } }), /snapshots of a live child/],
    syncSnapshot: [
      kit({ child }, on(spawnChild("child" as never, { id: "c", syncSnapshot: true }))),
      /follows the snapshots of child/,
    ],
    emit: [kit({}, on(emit({ type: "x" }))), /xstate\.emit, which speaks only to listeners/],
    "an inline action": [
      kit(
        {},
        on(() => {}),
      ),
      /an inline action/,
    ],
    "a source that is not there": [
      kit({}, { invoke: { src: "nothing" } }),
      /names an actor nothing that has no source/,
    ],
  };
  for (const [what, [machine, reason]] of Object.entries(refused)) {
    it(what, async () => {
      await using runtime = await createRuntime();
      const told = { code: "MACHINE_UNSUPPORTED", message: expect.stringMatching(reason), hint: expect.any(String) };
      expect(() => runtime.register(machine)).toThrow(expect.objectContaining(told));
    });
  }
});

describe("what is put together at run time is a failure of the machine, the same in every process", () => {
  const failing = (actions: unknown): AnyStateMachine =>
    setup({ types: { context: {} as { readonly ref: unknown } }, actors: { child } }).createMachine({
      id: "m",
      context: { ref: null },
      on: { go: { actions } },
    } as never) as unknown as AnyStateMachine;
  const spawning = (src: unknown, options: object): AnyStateMachine =>
    failing(
      assign({
        ref: ({ spawn }: { readonly spawn: unknown }) =>
          (spawn as (...args: readonly unknown[]) => unknown)(src, options),
      } as never),
    );
  const cases: Readonly<Record<string, readonly [AnyStateMachine, RegExp]>> = {
    "spawn without an id": [spawning("child", {}), /spawns child without an id/],
    "spawn of logic without a name": [spawning(child, { id: "c" }), /from code without a name/],
    "spawn with a systemId": [spawning("child", { id: "c", systemId: "s" }), /systemId/],
    "spawn with syncSnapshot": [spawning("child", { id: "c", syncSnapshot: true }), /follows the snapshots/],
    "an emitted event": [
      failing(enqueueActions(({ enqueue }) => enqueue.emit({ type: "x" } as never))),
      /xstate\.emit/,
    ],
    "an inline action": [failing(enqueueActions(({ enqueue }) => enqueue(() => {}))), /uses action/],
  };
  for (const [what, [machine, reason]] of Object.entries(cases)) {
    it(what, async () => {
      const first = await open(machine, new VirtualClock());
      const told = { code: "MACHINE_UNSUPPORTED", message: expect.stringMatching(reason) };
      await expect(first.actor.send({ type: "go" } as never)).rejects.toMatchObject(told);
      // Another actor of the machine fares the same, and so does a replay.
      const other = await first.runtime.spawn(machine, { id: "b" } as never);
      await expect(other.send({ type: "go" } as never)).rejects.toMatchObject(told);
      await first.runtime.close();
      const later = await open(machine, new VirtualClock(), first.store.image());
      expect(await later.actor.snapshot()).toMatchObject({ status: "error", error: { name: "MACHINE_UNSUPPORTED" } });
      await later.runtime.close();
    });
  }

  it("and a promise says which part of a live actor it misses", async () => {
    const machine = setup({
      types: { context: {} as { readonly why: unknown } },
      actors: { curious: fromPromise(async ({ self }) => self.id) },
    }).createMachine({
      id: "m",
      context: { why: null },
      invoke: { src: "curious", onError: { actions: assign({ why: ({ event }) => event.error }) } },
    });
    const { runtime, actor } = await open(machine, new VirtualClock());
    await actor.settled();
    const message = "a promise of a durable actor has no self";
    expect((await actor.snapshot()).context).toMatchObject({ why: { message } });
    await runtime.close();
  });
});
