import type { CID } from "multiformats/cid";
import { beforeAll, describe, expect, it } from "vitest";
import { cborBlock, type Ipld } from "../../../src/dag/block.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../src/journal/checkpoint.ts";
import { encodeEntry } from "../../../src/journal/entry.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import type { JournalEntry } from "../../../src/journal/port.ts";
import { Kernel } from "../../../src/runtime/kernel.ts";
import { replayJournal } from "../../../src/runtime/replay-journal.ts";
import type { JournalReplay } from "../../../src/runtime/replay-report.ts";
import { collect, sha256 } from "../../contract/journal/store.contract.ts";
import { parcelMachine } from "./parcel-machine.ts";

const ID = "parcel/1";
const machine = parcelMachine();
let entries: readonly JournalEntry[];
let blocks: ReadonlyMap<string, Uint8Array>;
let head: CID;

beforeAll(async () => {
  const store = new MemoryStore({ hash: sha256 });
  await using kernel = new Kernel(store, {
    hash: sha256,
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    checkpointEvery: 5,
  });
  const actor = await kernel.spawn({
    id: ID,
    machine,
    input: { name: "box" },
    effects: {
      greet: async () => undefined,
      carry: async ({ params }) => ({ type: "moved", by: (params as { by: number }).by }),
    },
  });
  await actor.settled();
  for (let by = 1; by <= 12; by++) {
    await actor.send({ type: "move", by });
    await actor.settled();
  }
  entries = (await collect(store.entries(ID))).map(({ entry }) => entry);
  head = actor.head();
  blocks = store.image().blocks;
});

const replay = (more: Partial<JournalReplay> = {}, from: ReadonlyMap<string, Uint8Array> = blocks) =>
  replayJournal({ head, block: (cid) => from.get(cid.toString()), hash: sha256, machines: [machine], ...more });

/** The journal as a forger would write it: each entry changed, all links made good again. */
function forged(change: (entry: JournalEntry, at: number, more: Map<string, Uint8Array>) => JournalEntry) {
  const own = new Map(blocks);
  let prev: CID | null = null;
  for (const [at, entry] of entries.entries()) {
    // Its skip links would lead to the entries that were.
    const { skip: _gone, ...changed } = change(entry, at, own);
    const block = encodeEntry(sha256, { ...changed, prev });
    own.set(block.cid.toString(), block.bytes);
    prev = block.cid;
  }
  return replay({ head: prev as CID }, own);
}

describe("replaying a journal", () => {
  it("redoes every transition and compares every checkpoint", () => {
    const checkpoints = entries.filter((entry) => entry.checkpoint !== undefined).length;
    const report = replay({ actor: ID, input: { name: "box" } });
    expect(report).toMatchObject({
      actor: ID,
      machine: { name: "parcel", version: 1 },
      entries: entries.length,
      states: checkpoints,
      mismatches: [],
    });
    // Event 1, twelve moves and their outcomes; the marker of `greet` is no transition.
    expect(report.transitions).toBe(25);
    expect(report.final?.seq).toBe(26);
    expect(checkpoints).toBe(5);
  });

  it("gives the state at any event, and goes on from any checkpoint", () => {
    const whole = replay({ at: 26 });
    for (const at of [1, 2, 7, 8]) {
      const { final, state, mismatches } = replay({ at });
      expect({ seq: final?.seq, mismatches }).toEqual({ seq: at, mismatches: [] });
      expect(state?.value).toBe("open");
    }
    const checkpoints = entries.flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [checkpoint]));
    for (const from of checkpoints) {
      const { final, mismatches, transitions } = replay({ from });
      expect({ state: final?.state.toString(), mismatches }).toEqual({
        state: whole.final?.state.toString(),
        mismatches: [],
      });
      expect(transitions).toBeLessThan(25);
    }
    expect(replay({ at: 27 }).mismatches).toMatchObject([{ code: "NEEDS_DATA", seq: 27, found: 26 }]);
    expect(replay({ from: head }).mismatches).toMatchObject([{ code: "NEEDS_DATA" }]);
  });

  it("names a missing block", () => {
    const without = new Map(blocks);
    const cid = entries.at(-1)?.prev?.toString() as string;
    without.delete(cid);
    expect(replay({}, without).mismatches).toEqual([expect.objectContaining({ code: "NEEDS_DATA", expected: cid })]);
  });

  it("names altered bytes", () => {
    const altered = new Map(blocks);
    const cid = entries.at(-1)?.prev?.toString() as string;
    const bytes = Uint8Array.from(altered.get(cid) as Uint8Array);
    bytes[10] = (bytes[10] as number) ^ 1;
    altered.set(cid, bytes);
    expect(replay({}, altered).mismatches).toEqual([
      expect.objectContaining({ code: "JOURNAL_CORRUPT", expected: cid, found: "DAG_CID_MISMATCH" }),
    ]);
  });

  it("finds an event exchanged under good links, by the request that it causes", () => {
    const report = forged((entry) => ({
      ...entry,
      events: entry.events.map((event) =>
        (event as { by?: number }).by === 7 && entry.requests.length > 0 ? { type: "move", by: 8 } : (event as Ipld),
      ),
    }));
    expect(report.mismatches).toHaveLength(1);
    expect(report.mismatches[0]).toMatchObject({
      code: "NON_DETERMINISM",
      seq: 15,
      expected: { params: { by: 7 } },
      found: { params: { by: 8 } },
    });
  });

  it("finds an outcome exchanged under good links, by the next checkpoint", () => {
    const report = forged((entry) => ({
      ...entry,
      events: entry.events.map((event) =>
        (event as { type: string }).type === "moved" && (event as { by?: number }).by === 11
          ? { ...(event as object), by: 13 }
          : (event as Ipld),
      ) as Ipld[],
    }));
    expect(report.mismatches[0]).toMatchObject({ code: "STATE_MISMATCH", seq: 25 });
  });

  it("finds a checkpoint with another state, open request, or event", () => {
    const stateless = cborBlock(sha256, { status: "active", value: "open", context: {} });
    const changes = [
      { state: stateless.cid },
      { pending: [{ id: "parcel/1:3:0", type: "carry", params: null }] },
      { seq: 3 },
    ];
    for (const change of changes) {
      const report = forged((entry, _, own) => {
        if (entry.checkpoint === undefined || entry.seq > 5) return entry;
        const bytes = own.get(entry.checkpoint.toString()) as Uint8Array;
        const checkpoint = encodeCheckpoint(sha256, {
          ...decodeCheckpoint({ cid: entry.checkpoint, bytes }),
          ...change,
        });
        own.set(checkpoint.cid.toString(), checkpoint.bytes);
        return { ...entry, checkpoint: checkpoint.cid };
      });
      expect(report.mismatches.map(({ code }) => code)).toEqual(["STATE_MISMATCH"]);
      expect(report.entries).toBe(entries.length);
    }
  });

  it("finds a journal that skips events, or of another actor, input or machine", () => {
    expect(forged((entry, at) => (at < 3 ? entry : { ...entry, seq: entry.seq + 1 })).mismatches[0]).toMatchObject({
      code: "JOURNAL_CORRUPT",
    });
    expect(replay({ actor: "parcel/2" }).mismatches[0]).toMatchObject({ code: "JOURNAL_CORRUPT" });
    expect(replay({ input: { name: "bag" } }).mismatches[0]).toMatchObject({
      code: "INPUT_MISMATCH",
      found: { name: "box" },
    });
    expect(replay({ machines: [parcelMachine({ version: 2 })] }).mismatches[0]).toMatchObject({
      code: "MACHINE_VERSION_MISSING",
    });
    expect(replay({ machines: [parcelMachine({ extra: true })] }).mismatches[0]).toMatchObject({
      code: "NON_DETERMINISM",
      seq: 1,
    });
    expect(replay({ machines: [parcelMachine({ factor: 3 })] }).mismatches[0]).toMatchObject({
      code: "NON_DETERMINISM",
      seq: 3,
    });
  });

  it("never throws for a journal that is made up", () => {
    const made: readonly unknown[] = [
      null,
      { v: 1 },
      { ...entries[0], events: [null] },
      { ...entries[0], events: [entries[0]?.events[0], 5, null, "x"] },
    ];
    for (const value of made) {
      const block = cborBlock(sha256, value);
      const report = replay({ head: block.cid }, new Map([[block.cid.toString(), block.bytes]]));
      expect(report.mismatches).toHaveLength(1);
    }
  });
});
