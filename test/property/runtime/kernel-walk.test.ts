import fc from "fast-check";
import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import type { Log } from "../../../src/core/ports.ts";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import { type Actor, type Effect, Kernel, type OutcomeEvent } from "../../../src/runtime/kernel.ts";
import { replayJournal } from "../../../src/runtime/replay-journal.ts";
import { collect, sha256 } from "../../contract/journal/store.contract.ts";
import { parcelMachine } from "../../unit/runtime/parcel-machine.ts";

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {} };
const machine = parcelMachine();
const ID = "parcel/walk";

// Each outcome is a function of its request, so a repeated effect answers the same.
const carry: Effect = async ({ params }) => {
  const { by } = params as { by: number };
  if (by % 7 === 3) throw new Error("too heavy");
  return by % 5 === 1 ? undefined : { type: "moved", by: by * 2 };
};
const effects = { greet: async () => undefined, carry };

const event: fc.Arbitrary<OutcomeEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100).map((by) => ({ type: "move", by })) },
  { weight: 2, arbitrary: fc.string({ maxLength: 5 }).map((what) => ({ type: "ask", what })) },
  { weight: 1, arbitrary: fc.constant({ type: "unknown", list: [1, null, { a: true }] }) },
);

async function run(
  image: MemoryImage | undefined,
  turns: readonly (readonly OutcomeEvent[])[],
  checkpointEvery: number,
) {
  const images: MemoryImage[] = [];
  const store: MemoryStore = new MemoryStore({
    hash: sha256,
    ...(image === undefined ? {} : { image }),
    sync: async () => {
      images.push(store.image());
    },
  });
  const kernel = new Kernel(store, { hash: sha256, log: quiet, checkpointEvery });
  const actor: Actor = await kernel.spawn({ id: ID, machine, input: { name: "walk" }, effects });
  let skip = await sentBefore(store);
  for (const turn of turns) {
    const rest = turn.slice(Math.min(skip, turn.length));
    skip -= turn.length - rest.length;
    await Promise.all(rest.map((each) => actor.send(each)));
  }
  await actor.settled();
  const state = actor.snapshot();
  const head = actor.head();
  await kernel.close();
  images.push(store.image());
  return { state, head, images, store };
}

/** Events from outside that the journal holds: the sender goes on after them. */
async function sentBefore(store: MemoryStore): Promise<number> {
  const events = (await collect(store.entries(ID))).flatMap(
    ({ entry }) => entry.events as readonly { readonly type: string }[],
  );
  return events.filter(({ type }) => type === "move" || type === "ask" || type === "unknown").length;
}

describe("random walks of an actor", () => {
  it("end the same when the node crashes at any sync, and replay without a difference", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 12 }),
        async (turns, checkpointEvery) => {
          const whole = await run(undefined, turns, checkpointEvery);
          for (const image of whole.images) {
            const resumed = await run(image, turns, checkpointEvery);
            expect(resumed.state).toEqual(whole.state);
            const blocks = resumed.store.image().blocks;
            const report = replayJournal({
              head: resumed.head,
              block: (cid: CID) => blocks.get(cid.toString()),
              hash: sha256,
              machines: [machine],
              actor: ID,
              input: { name: "walk" },
            });
            expect(report.mismatches).toEqual([]);
            expect(report.transitions).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
