import { describe, expect, it } from "vitest";
import { assign, fromCallback, setup } from "xstate";
import { MemoryStore, type MemoryStoreOptions } from "../../../src/journal/memory-store.ts";
import { type DurableOptions, durable } from "../../../src/runtime/durable-machine.ts";
import type { JournalEvent } from "../../../src/runtime/event-stream.ts";
import { createRuntime, type RuntimeOptions } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { order, orderMachine } from "./order-machine.ts";

const HOUR = 3_600_000;
const ann = { id: "order-1", input: { customer: "ann" } };

async function open(more: RuntimeOptions & { readonly image?: MemoryStoreOptions["image"] } = {}) {
  const { image, clock = new VirtualClock(), ...rest } = more;
  const store = new MemoryStore({ hash: sha256, ...(image === undefined ? {} : { image }) });
  const runtime = await createRuntime({ store, clock, entropy: () => 0.5, machines: [order()], ...rest });
  return { clock: clock as VirtualClock, store, runtime };
}

/** An order whose mails are carried out by this effect. */
const mailing = (mail: NonNullable<NonNullable<DurableOptions<typeof orderMachine>["effects"]>["mail"]>) =>
  order({ effects: { mail } });

describe("a runtime", () => {
  it("runs promises, children, messages and effects to the machine's end", async () => {
    const { runtime, store } = await open();
    const actor = await runtime.spawn(order(), ann);
    await actor.send({ type: "pay", amount: 5 });
    await actor.until(({ value }) => value === "shipping");
    const { box } = await actor.children();
    expect(box).toMatch(/^order-1\/box@\d+\.\d+$/);
    const child = runtime.actor(String(box));
    await child.send({ type: "scan" });
    await child.send({ type: "scan" });
    const done = await actor.until(({ status }) => status === "done");
    expect(done).toMatchObject({ output: { paid: 5, scans: 2 }, context: { mails: ["customer"] } });
    expect((await child.snapshot()).status).toBe("done");
    expect(await runtime.actors()).toEqual(["order-1", box]);
    await actor.settled();
    await runtime.close();
    expect(await store.wakes()).toEqual([]);
    await expect(actor.snapshot()).rejects.toMatchObject({ code: "ACTOR_CLOSED" });
  });

  it("lets a timer run out once, after a restart too, and wakes nobody before", async () => {
    const { runtime, store, clock } = await open();
    await runtime.spawn(orderMachine, ann);
    await clock.advance(HOUR / 2);
    await runtime.close();
    const later = await open({ image: store.image(), clock });
    await clock.advance(HOUR / 2 - 1);
    expect(later.runtime.hot()).toEqual([]);
    await clock.advance(1);
    expect(later.runtime.hot()).toEqual(["order-1"]);
    const again = later.runtime.actor("order-1", orderMachine);
    expect(await again.snapshot()).toMatchObject({ status: "done", context: { why: "too late" } });
    expect(await again.open()).toEqual([]);
    await later.runtime.close();
  });

  it("wakes actors once their machine is known, and takes back what is wrong with a call only", async () => {
    const { runtime, store, clock } = await open();
    await runtime.spawn(orderMachine, ann);
    await runtime.close();
    const later = await open({ image: store.image(), clock, machines: [] });
    await clock.advance(HOUR);
    await expect(later.runtime.actor("order-1").snapshot()).rejects.toMatchObject({ code: "MACHINE_VERSION_MISSING" });
    later.runtime.register(order());
    await clock.advance(1);
    expect(await later.runtime.actor("order-1").snapshot()).toMatchObject({ status: "done" });
    const odd = { id: "odd", input: { customer: new Date(0) } } as never;
    await expect(later.runtime.spawn(orderMachine, odd)).rejects.toMatchObject({ code: "ACTOR_EVENT_NOT_PLAIN" });
    await later.runtime.spawn(orderMachine, { id: "odd", input: { customer: "bob" } });
    expect(later.runtime.quarantined()).toEqual([]);
    await later.runtime.close();
  });

  it("answers a question when what it asked for has an outcome", async () => {
    const { runtime } = await open();
    const actor = await runtime.spawn(order(), ann);
    const { seq, outcomes, snapshot } = await actor.ask({ type: "pay", amount: 7 });
    expect(seq).toBe(2);
    expect(outcomes).toEqual([{ type: "ipdm.result", request: "order-1:2:0", output: { amount: 7 } }]);
    expect(snapshot.value).toBe("shipping");
    await runtime.close();
  });

  it("gives an actor's events from any number on, and those that come", async () => {
    const { runtime } = await open();
    const actor = await runtime.spawn(order(), ann);
    const seen: JournalEvent[] = [];
    const subscription = actor.events({ from: 2 }).subscribe((each) => seen.push(each));
    const told = (async () => {
      for await (const { event } of actor.events()) if (event.type === "cancel") return event.type;
      return "none";
    })();
    await actor.send({ type: "scan" });
    await actor.send({ type: "cancel" });
    expect(await told).toBe("cancel");
    await settle();
    expect(seen.map(({ seq, event }) => [seq, event.type])).toEqual([
      [2, "scan"],
      [3, "cancel"],
    ]);
    subscription.unsubscribe();
    await runtime.close();
  });

  it("refuses at registration what could not survive a restart, and actions that nobody carries out", async () => {
    const { runtime } = await open();
    const live = setup({ actors: { tick: fromCallback(() => {}) } }).createMachine({
      id: "live",
      invoke: { src: "tick" },
    });
    expect(() => runtime.register(live)).toThrow(expect.objectContaining({ code: "MACHINE_UNSUPPORTED" }));
    expect(() => durable(orderMachine)).toThrow(expect.objectContaining({ code: "ACTOR_EFFECT_MISSING" }));
    expect(() => durable(setup({}).createMachine({}))).toThrow(expect.objectContaining({ code: "MACHINE_NAME" }));
    const other = setup({}).createMachine({ id: "order" });
    expect(() => runtime.register(other)).toThrow(expect.objectContaining({ code: "MACHINE_CONFLICT" }));
    await runtime.spawn(order(), ann);
    const named = durable(other, { name: "other" });
    await expect(runtime.spawn(named, ann as never)).rejects.toMatchObject({ code: "ACTOR_EXISTS" });
    await expect(runtime.actor("nobody").snapshot()).rejects.toMatchObject({ code: "ACTOR_UNKNOWN" });
    await runtime.close();
  });
});

describe("effects", () => {
  const retry = { attempts: 3, firstDelayMs: 1000, maxDelayMs: 60_000 };

  it("are tried again after growing pauses that the journal remembers, and wait for a person in the end", async () => {
    let fails = true;
    const attempts: number[] = [];
    const clock = new VirtualClock();
    const machine = mailing({
      retry,
      run: async ({ params }) => {
        attempts.push(clock.now());
        if (fails) throw new Error("no post today");
        return { type: "mailed", to: params.to };
      },
    });
    const { runtime, store } = await open({ clock, machines: [machine] });
    const actor = await runtime.spawn(machine, ann);
    await actor.send({ type: "pay", amount: 1 });
    await settle();
    await clock.advance(100);
    await runtime.close();
    const later = await open({ clock, machines: [machine], image: store.image() });
    const again = later.runtime.actor("order-1", orderMachine);
    await clock.advance(10_000);
    const [first = 0] = attempts;
    expect(attempts.map((at) => at - first)).toEqual([0, 750, 750 + 1500]);
    const dead = (await again.open()).find(({ type }) => type === "mail");
    expect(dead).toMatchObject({ attempts: { failed: 3, error: { code: "EFFECT_FAILED", message: "no post today" } } });
    expect(dead?.attempts?.due).toBeUndefined();
    await expect(again.retry("order-1:1:0")).rejects.toMatchObject({ code: "REQUEST_NOT_DEAD" });
    fails = false;
    await again.retry(String(dead?.id));
    await again.until(({ context }) => context.mails.length === 1);
    await later.runtime.close();
  });

  it("tell the machine where the policy says so, and where their time is up", async () => {
    const { runtime, clock } = await open({ machines: [] });
    const stuck = mailing({ run: () => new Promise(() => {}), timeoutMs: 50 });
    const actor = await runtime.spawn(stuck, ann);
    await actor.send({ type: "pay", amount: 1 });
    await clock.advance(50);
    const failed: unknown[] = [];
    for await (const { event } of actor.events()) {
      if (event.type !== "failed") continue;
      failed.push((event as unknown as { error: object }).error);
      break;
    }
    expect(failed).toMatchObject([{ code: "EFFECT_TIMEOUT" }]);
    await runtime.close();
  });

  it("are called off when the state is left that asked for them", async () => {
    let aborted: unknown;
    const charge = async (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
      await new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          aborted = signal.reason;
          reject(signal.reason);
        }),
      );
    const machine = order({ effects: { charge } });
    const { runtime } = await open({ machines: [machine] });
    const actor = await runtime.spawn(machine, ann);
    const asked = actor.ask({ type: "pay", amount: 1 });
    asked.catch(() => {});
    await actor.until(({ value }) => value === "charging");
    await actor.send({ type: "cancel" });
    await expect(asked).rejects.toMatchObject({ code: "EFFECT_CANCELLED" });
    expect(aborted).toMatchObject({ code: "EFFECT_CANCELLED" });
    expect(await actor.open()).toEqual([]);
    await runtime.close();
  });

  it("fail for good for those who asked", async () => {
    const machine = mailing({ run: () => Promise.reject(new Error("gone")), exhausted: "dead-letter" });
    const { runtime } = await open({ machines: [machine] });
    const actor = await runtime.spawn(machine, ann);
    await actor.ask({ type: "pay", amount: 1 });
    const [mail] = (await actor.open()).filter(({ type }) => type === "mail");
    expect(mail?.id).toBeDefined();
    await actor.until(({ seq }) => seq > 4);
    await runtime.close();
  });
});

describe("machines that throw", () => {
  it("are journalled as failed, and the sender hears of it", async () => {
    const { runtime, store } = await open();
    const actor = await runtime.spawn(order(), ann);
    await expect(actor.send({ type: "break" })).rejects.toMatchObject({ code: "ACTOR_FAULT" });
    const error = { name: "Error", message: "broken on purpose" };
    expect(await actor.snapshot()).toMatchObject({ status: "error", error });
    await actor.send({ type: "scan" });
    await runtime.close();
    const later = await open({ image: store.image() });
    const again = later.runtime.actor("order-1", orderMachine);
    expect(await again.snapshot()).toMatchObject({ status: "error", error });
    expect(await again.open()).toEqual([]);
    await later.runtime.close();
  });

  it("begin again after a pause, as often as their policy says; meanwhile events wait", async () => {
    const machine = order({ failures: { restarts: 1, withinMs: HOUR, firstDelayMs: 1000, maxDelayMs: 1000 } });
    const { runtime, clock } = await open({ machines: [machine] });
    const actor = await runtime.spawn(machine, ann);
    await actor.send({ type: "pay", amount: 1 });
    await actor.until(({ value }) => value === "shipping");
    await actor.send({ type: "break" }).catch(() => {});
    const waiting = actor.send({ type: "pay", amount: 2 });
    await clock.advance(749); // half of the pause, and half of the other half
    expect((await actor.snapshot()).status).toBe("error");
    await clock.advance(1);
    await waiting;
    await actor.until(({ value, context }) => value === "shipping" && context.paid === 2);
    await actor.send({ type: "break" }).catch(() => {});
    await clock.advance(HOUR);
    expect((await actor.snapshot()).status).toBe("error");
    await runtime.close();
  });

  it("tell their parents, and take nobody with them", async () => {
    const child = setup({
      types: { events: {} as { readonly type: "go" } },
      actions: {
        fail: assign(() => {
          throw new Error("child broke");
        }),
      },
    }).createMachine({ id: "kid", on: { go: { actions: "fail" } } });
    const parent = setup({
      types: { context: {} as { readonly why: unknown } },
      actors: { kid: child },
    }).createMachine({
      id: "parent",
      context: { why: null },
      initial: "up",
      states: {
        up: {
          invoke: {
            id: "kid",
            src: "kid",
            onError: { target: "down", actions: assign({ why: ({ event }) => event.error }) },
          },
        },
        down: {},
      },
    });
    const { runtime } = await open({ machines: [parent] });
    const actor = await runtime.spawn(parent, { id: "p" });
    await actor.settled();
    const { kid = "" } = await actor.children();
    await expect(runtime.actor(kid).send({ type: "go" })).rejects.toMatchObject({ code: "ACTOR_FAULT" });
    const told = await actor.until(({ value }) => value === "down");
    expect(told.context.why).toEqual({ name: "Error", message: "child broke" });
    await runtime.close();
  });

  it("are left alone when they do not repeat their journal, until a person lets them go", async () => {
    const counter = (step: number) =>
      durable(
        setup({
          types: { context: {} as { readonly n: number }, events: {} as { readonly type: "add" } },
          actions: {
            told: (_, _params: { readonly n: number }) => {},
            add: assign({ n: ({ context }) => context.n + step }),
          },
        }).createMachine({
          id: "counter",
          context: { n: 0 },
          on: { add: { actions: ["add", { type: "told", params: ({ context }) => ({ n: context.n }) }] } },
        }),
        { effects: { told: async () => undefined } },
      );
    const first = await open({ machines: [counter(1)] });
    const actor = await first.runtime.spawn(counter(1), { id: "c" }).catch(() => undefined);
    expect(actor).toBeUndefined(); // another machine of this name is registered
    const same = counter(1);
    const { runtime, store } = await open({ machines: [same] });
    await (await runtime.spawn(same, { id: "c" })).ask({ type: "add" });
    await (await runtime.spawn(same, { id: "fine" })).ask({ type: "add" });
    await runtime.close();
    const changed = counter(2);
    const later = await open({ machines: [changed], image: store.image() });
    const different = {
      code: "NON_DETERMINISM",
      facts: { seq: 2, expected: { params: { n: 1 } }, found: { params: { n: 2 } } },
    };
    await expect(later.runtime.actor("c").snapshot()).rejects.toMatchObject(different);
    await expect(later.runtime.actor("c").snapshot()).rejects.toMatchObject({ code: "ACTOR_QUARANTINED" });
    expect(later.runtime.quarantined()).toMatchObject([{ actor: "c", code: "NON_DETERMINISM" }]);
    await (await later.runtime.spawn(changed, { id: "new" })).ask({ type: "add" });
    await later.runtime.close();
    const mended = await open({ machines: [same], image: later.store.image() });
    await expect(mended.runtime.actor("c").snapshot()).rejects.toMatchObject({ code: "ACTOR_QUARANTINED" });
    await mended.runtime.release("c");
    expect(await mended.runtime.actor("c").snapshot()).toMatchObject({ context: { n: 1 } });
    await mended.runtime.close();
    await first.runtime.close();
  });
});

describe("many actors", () => {
  it("leave the memory when there are more than it holds, and come back when something is for them", async () => {
    const { runtime, clock } = await open({ hotMax: 5 });
    const ids = Array.from({ length: 40 }, (_, at) => `order-${at}`);
    for (const id of ids) await runtime.spawn(orderMachine, { id, input: { customer: id } });
    await settle();
    expect(runtime.hot().length).toBeLessThanOrEqual(5);
    for (const id of ids.slice(0, 20)) await runtime.actor(id, orderMachine).send({ type: "pay", amount: 3 });
    await settle(40);
    expect(runtime.hot().length).toBeLessThanOrEqual(5 + 40);
    await clock.advance(HOUR);
    const states = await Promise.all(ids.map((id) => runtime.actor(id, orderMachine).snapshot()));
    expect(states.slice(0, 20).map(({ value }) => value)).toEqual(Array.from({ length: 20 }, () => "shipping"));
    expect(states.slice(20).map(({ context }) => context.why)).toEqual(Array.from({ length: 20 }, () => "too late"));
    await runtime.close();
  });
});

describe("versions", () => {
  const meter = (version: number) =>
    setup({
      types: {
        context: {} as { readonly total: number; readonly unit?: string },
        events: {} as { readonly type: "add" },
      },
      actions: { add: assign({ total: ({ context }) => context.total + version }) },
    }).createMachine({
      id: "meter",
      context: version === 1 ? { total: 0 } : { total: 0, unit: "new" },
      initial: "on",
      states: { on: { on: { add: { actions: "add" } } }, ...(version === 1 ? {} : { off: {} }) },
    });
  const one = durable(meter(1));
  const two = durable(meter(2), {
    version: 2,
    migrations: {
      1: ({ context }) => ({
        value: "on" as never,
        context: { total: (context as { total: number }).total, unit: "kWh" },
      }),
    },
  });

  it("go on with the old machine, become the new one where a migration says how, and need one of them", async () => {
    const { runtime, store } = await open({ machines: [one] });
    const actor = await runtime.spawn(one, { id: "m" });
    await actor.send({ type: "add" });
    await runtime.close();
    const image = store.image();
    const moved = await open({ machines: [one, two], image });
    const again = moved.runtime.actor("m", two);
    await again.send({ type: "add" });
    expect((await again.snapshot()).context).toEqual({ total: 3, unit: "kWh" });
    await moved.runtime.close();
    const third = await open({ machines: [one, two], image: moved.store.image() });
    expect((await third.runtime.actor("m", two).snapshot()).context).toEqual({ total: 3, unit: "kWh" });
    await third.runtime.close();
    const missing = await open({ machines: [two], image });
    await expect(missing.runtime.actor("m").snapshot()).rejects.toMatchObject({ code: "MACHINE_VERSION_MISSING" });
    await missing.runtime.close();
    const wrong = durable(meter(2), {
      version: 2,
      migrations: { 1: () => ({ value: "nowhere" as never, context: { total: Number.NaN } }) },
    });
    const failed = await open({ machines: [one, wrong], image });
    await expect(failed.runtime.actor("m").snapshot()).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    await failed.runtime.close();
  });
});
