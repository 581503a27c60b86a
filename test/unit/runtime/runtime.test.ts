import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { createRuntime, type RuntimeOptions } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { order, orderMachine } from "./order-machine.ts";

const HOUR = 3_600_000;

async function open(more: RuntimeOptions = {}) {
  const clock = new VirtualClock();
  const store = new MemoryStore({ hash: sha256 });
  const runtime = await createRuntime({ store, clock, entropy: () => 0.5, machines: [order()], ...more });
  return { clock, store, runtime };
}

describe("a runtime", () => {
  it("runs promises, children, messages and effects to the machine's end", async () => {
    const { runtime, store } = await open();
    const actor = await runtime.spawn(order(), { id: "order-1", input: { customer: "ann" } });
    await actor.send({ type: "pay", amount: 5 });
    await actor.until(({ value }) => value === "shipping");
    const { box } = await actor.children();
    expect(box).toMatch(/^order-1\/box@\d+\.\d+$/);
    const child = runtime.actor(String(box));
    await child.send({ type: "scan" } as never);
    await child.send({ type: "scan" } as never);
    const done = await actor.until(({ status }) => status === "done");
    expect(done).toMatchObject({ output: { paid: 5, scans: 2 }, context: { mails: ["customer"] } });
    expect((await child.snapshot()).status).toBe("done");
    await actor.settled();
    await runtime.close();
    expect(await store.wakes()).toEqual([]);
  });

  it("lets a timer run out once, after a restart too", async () => {
    const { runtime, store, clock } = await open();
    const actor = await runtime.spawn(orderMachine, { id: "order-1", input: { customer: "ann" } });
    await clock.advance(HOUR / 2);
    await runtime.close();
    const later = await open({ store: new MemoryStore({ hash: sha256, image: store.image() }), clock });
    await clock.advance(HOUR / 2 - 1);
    expect(later.runtime.hot()).toEqual([]);
    await clock.advance(1);
    expect(later.runtime.hot()).toEqual(["order-1"]);
    const again = later.runtime.actor("order-1", orderMachine);
    expect(await again.snapshot()).toMatchObject({ status: "done", context: { why: "too late" } });
    expect(await again.open()).toEqual([]);
    await settle();
    await later.runtime.close();
    expect(actor.id).toBe("order-1");
  });
});
