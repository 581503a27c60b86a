import { describe, expect, it } from "vitest";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { checkLocks } from "../../../proofs/receipt/lock-check.ts";
import { type ModuleEntry, operatorOfEntry } from "../../../src/consensus/module-entry.ts";
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
});
