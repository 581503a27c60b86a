import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { checkLocks } from "../../../proofs/receipt/lock-check.ts";
import { type ModuleEntry, type ModuleEntryBody, operatorOfEntry } from "../../../src/consensus/module-entry.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256, verifyEd25519 } from "../../../src/node.ts";
import { entryOf, publisher } from "../../support/catalogue.ts";

const BYTES = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const good = entryOf(BYTES);

/** The part of a receipt that pins a module. */
function receipt(entry: ModuleEntry = good, lock: object = {}, operator: object = {}): Receipt {
  const block = cborBlock(sha256, entry);
  const { name, version, module } = entry;
  return {
    config: { lock: { delayed: { name, range: "^1", version, module, entry: block.cid, ...lock } } },
    blocks: new Map([[block.cid.toString(), block]]),
    tasks: [],
    entries: new Map(),
    stages: new Map([["delayed", { operator: { ...operatorOfEntry(entry), ...operator } }]]),
  } as unknown as Receipt;
}

describe("the lock of a receipt", () => {
  it("shows the publisher of what was pinned", () => {
    expect(checkLocks(receipt(), verifyEd25519)).toMatchObject([
      { task: "delayed", name: "late", version: "1.0.0", publisher: publisher(1).publicKey },
    ]);
  });

  it("leaves the column of the event time to the task, where calls can have one", () => {
    const timed = entryOf(BYTES, { unit: 4, capabilities: ["time"] });
    expect(checkLocks(receipt(timed, {}, { time: "at" }), verifyEd25519)).toHaveLength(1);
    const cases = [receipt(entryOf(BYTES, { unit: 4 }), {}, { time: "at" }), receipt(good, {}, { time: "at" })];
    for (const shown of cases)
      expect(() => checkLocks(shown, verifyEd25519)).toThrow(expect.objectContaining({ code: "LOCK_MISMATCH" }));
  });

  it("is refused where anything about it does not fit", () => {
    const other = entryOf(Uint8Array.of(...BYTES, 0));
    const cases: [what: string, receipt: Receipt, code: string][] = [
      ["another's signature", receipt({ ...good, publisher: publisher(2).publicKey }), "LOCK_SIGNATURE"],
      ["a changed entry", receipt({ ...good, description: "x" }), "LOCK_SIGNATURE"],
      ["another name", receipt(good, { name: "early" }), "LOCK_MISMATCH"],
      ["another version", receipt(good, { version: "1.0.1" }), "LOCK_MISMATCH"],
      ["a version that was not asked for", receipt(good, { range: "^2" }), "LOCK_MISMATCH"],
      ["another module", receipt(good, { module: other.module }), "LOCK_MISMATCH"],
      ["a stage of another module", receipt(good, {}, { module: other.module }), "LOCK_MISMATCH"],
      ["a stage with more fuel", receipt(good, {}, { limits: { ...good.limits, fuelPerCall: 9 } }), "LOCK_MISMATCH"],
      ["a stage that may ask for more", receipt(good, {}, { capabilities: ["log"] }), "LOCK_MISMATCH"],
      ["a stage of another kind", receipt(good, {}, { kind: "copy" }), "LOCK_MISMATCH"],
      ["a task that is not there", { ...receipt(), stages: new Map() }, "LOCK_MISMATCH"],
      ["no entry", { ...receipt(), blocks: new Map() }, "LOCK_MISMATCH"],
      ["an entry that is none", receipt({ ...good, v: 2 } as unknown as ModuleEntry), "NODE_MALFORMED"],
    ];
    for (const [what, shown, code] of cases)
      expect(() => checkLocks(shown, verifyEd25519), what).toThrow(expect.objectContaining({ code }));
  });

  it("lists the versions that took over, which are those of the slots, and each may", () => {
    const BYTES_2 = Uint8Array.of(...BYTES, 0, 1, 0);
    const newer = (change: Partial<ModuleEntryBody> = {}, by = publisher(1)): ModuleEntry =>
      entryOf(BYTES_2, { version: "1.1.0", ...change }, by);
    const taken = (
      entry = newer(),
      lock: object | null = {},
      slots: readonly (readonly [rows: number, runs: boolean])[] = [
        [5, false],
        [5, true],
      ],
    ): Receipt => {
      const { cid } = cborBlock(sha256, entry);
      const listed = { slot: 1, version: entry.version, module: entry.module, entry: cid, ...lock };
      const base = receipt(good, { live: lock === null ? [] : [listed] });
      const commits = slots.map(([rows, runs], seq) => ({
        slot: { task: "delayed", seq, input: { from: 5 * seq, rows }, ...(runs ? { version: cid } : {}) },
      }));
      const tasks = [{ task: "delayed", commits }] as unknown as Receipt["tasks"];
      return { ...base, tasks, entries: new Map([[cid.toString(), entry]]) };
    };
    expect(checkLocks(taken(), verifyEd25519)).toMatchObject([{ live: [{ slot: 1, version: "1.1.0" }] }]);
    const changed = { ...newer(), description: "x" };
    const cases: [what: string, receipt: Receipt, said: string][] = [
      ["none of them", taken(newer(), null), "lists 0 versions, and 1 took over"],
      ["another slot", taken(newer(), { slot: 0 }), "delayed/1 begins to run"],
      ["another version", taken(newer(), { version: "1.1.1" }), "delayed/1 begins to run"],
      ["another module", taken(newer(), { module: good.module }), "delayed/1 begins to run"],
      ["another entry", taken(newer(), { entry: good.module }), "delayed/1 begins to run"],
      ["one that nobody ran", taken(newer(), {}, [[5, false]]), "lists 1 versions, and 0 took over"],
      ["the first slot", taken(newer(), {}, [[5, true]]), "the first slot runs another version"],
      [
        "a slot of no rows",
        taken(newer(), {}, [
          [5, false],
          [0, true],
        ]),
        "has no rows",
      ],
      [
        "a way back",
        taken(newer(), {}, [
          [5, false],
          [5, true],
          [5, false],
        ]),
        "goes back",
      ],
      ["another's version", taken(newer({}, publisher(2))), "another key published it"],
      ["a changed entry", taken(changed), "does not carry the signature"],
      ["another's name", taken(newer({ name: "early" })), "a version of early"],
      ["a version beyond the range", taken(newer({ version: "2.0.0" })), "no version of ^1"],
      ["an older version", taken(newer({ version: "1.0.0-beta" }), {}), "is"],
      ["the same version", taken(newer({ version: "1.0.0" })), "is not newer"],
      ["another kind", taken(newer({ unit: 4 })), "of kind batch"],
      ["another ABI", taken(newer({ abi: "wasi/1", stdin: "csv" })), "is called by wasi/1"],
      ["a capability", taken(newer({ capabilities: ["log"] })), "capability log"],
    ];
    for (const [what, shown, said] of cases)
      expect(() => checkLocks(shown, verifyEd25519), what).toThrow(
        expect.objectContaining({ code: "LOCK_MISMATCH", message: expect.stringContaining(said) as string }),
      );
    const pinned = { ...taken(), config: receipt().config };
    expect(() => checkLocks(pinned, verifyEd25519)).toThrow("no lock says so");
  });
});
