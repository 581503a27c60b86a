import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { quietLog, sha256 } from "../../../src/node.ts";
import { Host } from "../../../src/runtime/host.ts";
import { Kernel } from "../../../src/runtime/kernel.ts";
import { Quarantine } from "../../../src/runtime/quarantine.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { parcelMachine } from "./parcel-machine.ts";

const done = async () => undefined;
const machine = { ...parcelMachine(), effects: { greet: done, carry: done } };

describe("a host with room for one actor", () => {
  it("tries again what met an actor on its way out of the memory", async () => {
    const store = new MemoryStore({ hash: sha256 });
    const clock = new VirtualClock();
    const entropy = (): number => 0.5;
    const quarantine = await Quarantine.open(store.meta, clock, entropy);
    const host: Host = new Host({ store, clock, log: quietLog, quarantine, hotMax: 1, kernel: () => kernel });
    const kernel = new Kernel(store, { hash: sha256, log: quietLog, clock, entropy, machines: [machine] });
    const spawn = (id: string) => host.spawn({ id, machine, input: { name: id } });
    await (await spawn("first")).settled();
    const met: unknown[] = [];
    await host.with("first", async (actor) => {
      if (met.length === 0) {
        await spawn("second");
        await actor.closed;
      }
      const sent = actor.send({ type: "stop" });
      met.push(await sent.catch((error: unknown) => error));
      return await sent;
    });
    expect(met).toEqual([
      expect.objectContaining({ code: "ACTOR_PASSIVATED", where: "first", retry: "now" }),
      undefined,
    ]);
    expect((await host.actor("first")).snapshot()).toMatchObject({ value: "shut" });
    await host.close();
    await kernel.close();
  });
});
