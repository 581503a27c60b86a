import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TASK } from "../../../machines/registry.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import type { RequestRecord } from "../../../src/journal/port.ts";
import { quietLog, sha256 } from "../../../src/node.ts";
import { type Effect, Kernel } from "../../../src/runtime/kernel.ts";
import { linkTo } from "../../unit/machines/walker.ts";

const ID = "task/walk";

/** Effects whose outcome follows from their request alone, as those of a task do. */
function effectsOf(slots: number): Readonly<Record<string, Effect>> {
  const seqOf = (request: RequestRecord): number => (request.params as { seq: number }).seq;
  return {
    pull: async (request) => ({
      type: "pulled",
      seq: seqOf(request),
      slot: linkTo(`slot ${seqOf(request)}`),
      rows: 3,
      end: seqOf(request) === slots - 1,
    }),
    execute: async (request) => {
      const { seq, state } = request.params as { seq: number; state: unknown };
      return {
        type: "executed",
        seq,
        statement: linkTo(`statement ${seq} on ${String(state)}`),
        state: linkTo(`state ${seq}`),
        executed: true,
      };
    },
    claim: async (request, { emit }) => {
      await emit({ type: "certified", seq: seqOf(request), certificate: linkTo(`certificate ${seqOf(request)}`) });
      return undefined;
    },
    record: async (request) => ({
      type: "recorded",
      seq: seqOf(request),
      record: linkTo(`record ${JSON.stringify(request.params)}`),
    }),
    complete: async () => undefined,
  };
}

async function run(slots: number, checkpointEvery: number, image?: MemoryImage) {
  const images: MemoryImage[] = [];
  const store: MemoryStore = new MemoryStore({
    hash: sha256,
    ...(image === undefined ? {} : { image }),
    sync: async () => void images.push(store.image()),
  });
  const kernel = new Kernel(store, { hash: sha256, log: quietLog, checkpointEvery });
  const actor = await kernel.spawn({
    id: ID,
    machine: TASK,
    input: { task: "t", role: "submitter", openMax: 3 },
    effects: effectsOf(slots),
  });
  if (actor.snapshot().value === "idle") await actor.send({ type: "start" });
  await actor.until((state) => state.value === "complete");
  await actor.settled();
  const state = cborBlock(sha256, actor.snapshot()).cid.toString();
  await kernel.close();
  return { state, images };
}

describe("a task that is killed", () => {
  it("ends as one that never was, wherever its journal breaks off", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        async (slots, checkpointEvery) => {
          const whole = await run(slots, checkpointEvery);
          for (const image of whole.images) expect((await run(slots, checkpointEvery, image)).state).toBe(whole.state);
        },
      ),
      { numRuns: 12 },
    );
  });
});
