import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cborBlock, decodeStrict } from "../../../src/dag/block.ts";
import { decodeCheckpoint, decodeState, encodeCheckpoint, stateBlock } from "../../../src/journal/checkpoint.ts";
import { decodeEntry, encodeEntry } from "../../../src/journal/entry.ts";
import type { JournalEntry } from "../../../src/journal/port.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { ipld } from "./ipld-arbitrary.ts";

const link = fc.nat().map((number) => cborBlock(sha256, number).cid);
const actor = fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((text) => !text.includes("\0"));
const requests = fc.array(fc.record({ id: fc.string(), type: fc.string(), params: ipld }), { maxLength: 4 });
const seq = fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER });
const entry: fc.Arbitrary<JournalEntry> = fc
  .record({
    actor,
    seq,
    prev: link,
    events: fc.array(ipld, { minLength: 1, maxLength: 5 }),
    requests,
    first: fc.boolean(),
    checkpoint: fc.option(link),
  })
  .map(({ first, checkpoint, ...rest }) => ({
    v: 1,
    ...rest,
    ...(first ? { seq: 1, prev: null } : {}),
    ...(checkpoint === null ? {} : { checkpoint }),
  }));

describe("entries", () => {
  it("come back from their block as they were, in the one canonical encoding", () => {
    fc.assert(
      fc.property(entry, (written) => {
        const block = encodeEntry(sha256, written);
        decodeStrict(sha256, block);
        const read = decodeEntry(block);
        expect(read).toEqual(written);
        expect(encodeEntry(sha256, read).cid.equals(block.cid)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("are refused with any key missing, added or of another kind", () => {
    fc.assert(
      fc.property(
        entry,
        fc.constantFrom("v", "actor", "seq", "prev", "events", "requests", "other"),
        ipld,
        (written, key, value) => {
          const { [key as keyof JournalEntry]: removed, ...without } = written;
          expect(() =>
            decodeEntry(cborBlock(sha256, key === "other" ? { ...written, other: value } : without)),
          ).toThrow(expect.objectContaining({ code: "ENTRY_MALFORMED" }));
          const wrong = { ...written, [key]: typeof removed === "number" ? 1.5 : true };
          expect(() => decodeEntry(cborBlock(sha256, wrong))).toThrow(
            expect.objectContaining({ code: "ENTRY_MALFORMED" }),
          );
        },
      ),
    );
  });

  it("are refused, never misread, from arbitrary nodes", () => {
    fc.assert(
      fc.property(ipld, (value) => {
        expect(() => decodeEntry(cborBlock(sha256, value))).toThrow(
          expect.objectContaining({ code: "ENTRY_MALFORMED" }),
        );
        expect(() => decodeCheckpoint(cborBlock(sha256, value))).toThrow(
          expect.objectContaining({ code: "CHECKPOINT_MALFORMED" }),
        );
      }),
    );
  });
});

describe("checkpoints", () => {
  it("and their states come back from their blocks as they were, in the one canonical encoding", () => {
    const machine = fc.record({ name: fc.string({ minLength: 1 }), version: fc.integer({ min: 1 }), definition: link });
    const status = fc.constantFrom("active" as const, "done" as const);
    fc.assert(
      fc.property(
        actor,
        seq,
        machine,
        requests,
        fc.record({ status, value: ipld, context: ipld }),
        (id, at, of, pending, state) => {
          const stored = stateBlock(sha256, state);
          const checkpoint = { v: 1, actor: id, seq: at, machine: of, state: stored.cid, pending } as const;
          const block = encodeCheckpoint(sha256, checkpoint);
          decodeStrict(sha256, block);
          expect(decodeCheckpoint(block)).toEqual(checkpoint);
          expect(decodeState(stored)).toEqual(state);
          expect(stateBlock(sha256, decodeState(stored)).cid.equals(stored.cid)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
