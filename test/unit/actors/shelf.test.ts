import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { type CatalogueRecord, parseRecord } from "../../../actors/catalogue/record.ts";
import { Shelf } from "../../../actors/catalogue/shelf.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { publisher } from "../../support/catalogue.ts";
import { linkTo } from "../machines/walker.ts";

/** Records that follow each other, as blocks; `change` bends one of them. */
function listOf(versions: readonly string[], change: (record: CatalogueRecord, at: number) => object = () => ({})) {
  const blocks = new Map<string, Uint8Array>();
  let prev: CID | null = null;
  for (const [seq, version] of versions.entries()) {
    const record: CatalogueRecord = {
      v: 1,
      seq,
      prev,
      entry: linkTo(version),
      name: "late",
      version,
      module: linkTo(`module ${version}`),
      publisher: publisher(1).publicKey,
    };
    const block = cborBlock(sha256, { ...record, ...change(record, seq) });
    blocks.set(block.cid.toString(), block.bytes);
    prev = block.cid;
  }
  return { head: prev as CID | null, read: (cid: CID) => Promise.resolve(blocks.get(cid.toString())) };
}

describe("a shelf", () => {
  it("follows the records to the newest, and from there on only what is new", async () => {
    const shelf = new Shelf();
    const first = listOf(["1.0.0", "1.1.0"]);
    await shelf.follow(sha256, first.head, first.read);
    const longer = listOf(["1.0.0", "1.1.0", "2.0.0"]);
    const asked: string[] = [];
    await shelf.follow(sha256, longer.head, (cid) => {
      asked.push(cid.toString());
      return longer.read(cid);
    });
    expect(asked).toEqual([longer.head?.toString()]);
    expect([...shelf.records()].map(({ version }) => version)).toEqual(["1.0.0", "1.1.0", "2.0.0"]);
    expect(shelf.holds(linkTo("module 2.0.0"))).toBe(true);
    expect(shelf.holds(longer.head ?? linkTo(""))).toBe(false);
  });

  it.each<[string, readonly string[], (record: CatalogueRecord, at: number) => object]>([
    ["a version that stands twice", ["1.0.0", "1.0.0"], () => ({})],
    ["another owner", ["1.0.0", "1.1.0"], (_, at) => (at === 1 ? { publisher: publisher(2).publicKey } : {})],
    ["a number left out", ["1.0.0", "1.1.0"], (_, at) => (at === 1 ? { seq: 2 } : {})],
    ["a beginning that is none", ["1.0.0", "1.1.0"], (_, at) => (at === 0 ? { seq: 1 } : {})],
    ["a record that is not there", ["1.0.0", "1.1.0"], (_, at) => (at === 1 ? { prev: linkTo("gone") } : {})],
  ])("refuses a list with %s", async (_, versions, change) => {
    const { head, read } = listOf(versions, change);
    await expect(new Shelf().follow(sha256, head, read)).rejects.toMatchObject({ code: "CATALOGUE_CORRUPT" });
  });

  it("reads records strictly", () => {
    for (const change of [{ v: 2 }, { name: "../x" }, { version: "1" }, { more: 1 }, { prev: "x" }])
      expect(() => parseRecord({ v: 1, seq: 0, prev: null, ...change })).toThrow("not a catalogue record");
  });
});
