import { describe, expect, it } from "vitest";
import { createActor, SimulatedClock } from "xstate";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { SEED } from "../../support/seed.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { Random } from "../actors/random.ts";
import { type DepotEvent, depot } from "./depot-machine.ts";

const RUNS = 12;
const STEPS = 15;
/** All delays are whole numbers of it. */
const UNIT_MS = 10;

const machine = depot({ ship: async () => undefined });

function eventOf(random: Random, n: number): DepotEvent {
  switch (random.below(4)) {
    case 0:
      return { type: "wait", n, delay: random.below(12) * UNIT_MS };
    case 1:
      return { type: "job", n };
    case 2:
      return { type: "kid", n };
    default:
      return { type: "ship", n };
  }
}

describe("a durable actor with children, promises and timers, and XState's own", () => {
  it("are in the same state after every event and every moment, over restarts of the durable one", async () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const random = new Random(seed);
      const clock = new VirtualClock();
      const theirClock = new SimulatedClock();
      const theirs = createActor(machine.machine, { clock: theirClock }).start();
      let store = new MemoryStore({ hash: sha256 });
      let runtime = await createRuntime({ store, clock, machines: [machine] });
      const ours = await runtime.spawn(machine, { id: "d" }).then(() => () => runtime.actor("d", machine));
      for (let step = 1; step <= STEPS; step++) {
        const event = eventOf(random, step);
        await ours().send(event);
        theirs.send(event);
        await settle();
        if (random.chance(0.2)) {
          await runtime.close();
          store = new MemoryStore({ hash: sha256, image: store.image() });
          runtime = await createRuntime({ store, clock, machines: [machine] });
        }
        for (let units = random.below(4); units > 0; units--) {
          await clock.advance(UNIT_MS);
          theirClock.increment(UNIT_MS);
          await settle();
        }
        const { status, value, context } = await ours().snapshot();
        const expected = theirs.getSnapshot();
        expect({ seed, step, status, value, context }).toEqual({
          seed,
          step,
          status: expected.status,
          value: expected.value,
          context: expected.context,
        });
      }
      theirs.stop();
      await runtime.close();
    }
  });
});
