import { describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { type MemoryImage, MemoryStore } from "../../../src/journal/memory-store.ts";
import { CHECKPOINT_BYTES } from "../../../src/runtime/entry-writer.ts";
import { createRuntime, type RuntimeOptions } from "../../../src/runtime/runtime.ts";
import { collect, sha256 } from "../../contract/journal/store.contract.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const notes = setup({
  types: { context: {} as { readonly size: number }, events: {} as { readonly type: "note"; readonly text: string } },
}).createMachine({
  id: "notes",
  context: { size: 0 },
  on: { note: { actions: assign({ size: ({ context, event }) => context.size + event.text.length }) } },
});

const open = async (image?: MemoryImage, more: RuntimeOptions = {}) => {
  const store = new MemoryStore({ hash: sha256, ...(image === undefined ? {} : { image }) });
  const runtime = await createRuntime({ store, clock: new VirtualClock(), machines: [notes], ...more });
  return { store, runtime };
};

describe("a journal", () => {
  it("that is damaged is left alone by name, and its actor takes no other down", async () => {
    const first = await open();
    for (const id of ["a", "b"]) {
      const actor = await first.runtime.spawn(notes, { id });
      for (const text of ["one", "two"]) await actor.send({ type: "note", text });
    }
    await first.runtime.close();
    const image = first.store.image();
    const cid = String(image.journals.get("a")?.[1]);
    const bytes = Uint8Array.from(image.blocks.get(cid) as Uint8Array);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] as number) ^ 1;
    image.blocks.set(cid, bytes);
    const { runtime } = await open(image);
    const corrupt = { code: "JOURNAL_CORRUPT" };
    await expect(runtime.actor("a", notes).snapshot()).rejects.toMatchObject(corrupt);
    await expect(runtime.actor("a", notes).send({ type: "note", text: "x" })).rejects.toMatchObject({
      code: "ACTOR_QUARANTINED",
      facts: corrupt,
    });
    expect(runtime.quarantined()).toMatchObject([{ actor: "a", ...corrupt }]);
    await runtime.actor("b", notes).send({ type: "note", text: "three" });
    expect((await runtime.actor("b", notes).snapshot()).context).toEqual({ size: 11 });
    await runtime.close();
  });

  it("has a checkpoint after so many bytes too, however few events they are", async () => {
    const { store, runtime } = await open(undefined, { checkpointEvery: 1000 });
    const actor = await runtime.spawn(notes, { id: "a" });
    const text = "x".repeat(CHECKPOINT_BYTES / 8);
    for (let at = 0; at < 18; at++) await actor.send({ type: "note", text });
    const entries = await collect(store.entries("a"));
    const places = entries.filter(({ entry }) => entry.checkpoint !== undefined).map(({ entry }) => entry.seq);
    expect(places).toEqual([10, 18]);
    await runtime.close();
  });

  it("is asked for events by their numbers", async () => {
    const { runtime } = await open();
    const actor = await runtime.spawn(notes, { id: "a" });
    for (const from of [0, -1, 1.5, Number.NaN])
      expect(() => actor.events({ from })).toThrow(expect.objectContaining({ code: "EVENT_NUMBER" }));
    await runtime.close();
  });
});
