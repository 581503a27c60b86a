import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assign, setup } from "xstate";
import { readJournalFile } from "../../../src/audit/journals/journal-file.ts";
import { lastSeq } from "../../../src/journal/entry.ts";
import { wayBack } from "../../../src/journal/skip.ts";
import { sha256 } from "../../../src/node.ts";
import { durable } from "../../../src/runtime/durable-machine.ts";
import { replayJournal } from "../../../src/runtime/replay-journal.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");

const fixture = async (name: string) => readJournalFile(new Uint8Array(await readFile(join(FIXTURES, name))));

// The machine that wrote the journal: its definition is part of the fixture.
const counter = setup({
  types: { context: {} as { n: number }, events: {} as { type: "ADD"; by: number } },
}).createMachine({
  id: "counter",
  context: { n: 0 },
  on: { ADD: { actions: assign({ n: ({ context, event }) => context.n + event.by }) } },
});

describe("journal files of their time", () => {
  it("with skip links and a signed head: read, followed back and replayed as they were", async () => {
    // 40 events one by one after the first, a checkpoint after every fourth, signed by the key of 32 bytes 7.
    const { actor, entries, checkpoints, heads, blocks } = await fixture("journals/counter-1.car");
    const head = entries.at(-1);
    if (head === undefined) throw new Error("the fixture is empty");
    expect({ actor, entries: entries.length, checkpoints }).toEqual({ actor: "c/1", entries: 41, checkpoints: 10 });
    expect(head.cid.toString()).toBe("bafyreibka77vtza4rtwieqnnjxdl7vnfdx7f2jjooles5eo7tvbyjogdr4");
    expect(heads).toMatchObject([{ number: 1, seq: lastSeq(head.entry), prev: null }]);
    const known = new Map(entries.map((stored) => [stored.cid.toString(), stored]));
    const way = await wayBack(async (cid) => known.get(cid.toString()), head.cid, 3);
    expect(way?.length).toBeLessThan(10);
    expect(way?.at(-1)?.entry.seq).toBe(3);
    const report = replayJournal({
      head: head.cid,
      block: (cid) => (known.get(cid.toString()) ?? blocks.get(cid.toString()))?.bytes,
      hash: sha256,
      machines: [durable(counter).spec],
      at: lastSeq(head.entry),
    });
    expect(report).toMatchObject({ mismatches: [], states: 10, state: { context: { n: 780 } } });
  });

  it("from before there were skip links", async () => {
    const { entries, checkpoints, heads } = await fixture("actors/order-1.car");
    expect({ entries: entries.length, checkpoints, heads }).toEqual({ entries: 10, checkpoints: 2, heads: [] });
  });
});
