import { describe, expect, it } from "vitest";
import type { CatalogueContext } from "../../../machines/catalogue/step.ts";
import { CATALOGUE } from "../../../machines/registry.ts";
import { linkTo, Walker } from "./walker.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const begin = () => new Walker<CatalogueContext>(CATALOGUE, { catalogue: "c" });
const submitted = (what: string) => ({ type: "submitted", entry: linkTo(what) });
const looked = (what: string, facts: { owner?: Uint8Array; existing?: string; publisher?: Uint8Array } = {}) => ({
  type: "looked",
  entry: linkTo(what),
  name: "late",
  publisher: facts.publisher ?? KEY,
  owner: facts.owner ?? null,
  existing: facts.existing === undefined ? null : linkTo(facts.existing),
});
const recorded = (what: string, head: string) => ({ type: "recorded", entry: linkTo(what), head: linkTo(head) });

function published(walker: Walker<CatalogueContext>, what: string, facts = {}): void {
  walker.send(submitted(what));
  expect(walker.send(looked(what, facts))).toEqual([`record ${walker.context.records.count}`]);
  walker.send(recorded(what, `record of ${what}`));
  expect(walker.context.last).toEqual({ entry: linkTo(what), outcome: "published" });
}

describe("catalogue machine", () => {
  it("looks before it records, links each record to the one before, and counts", () => {
    const walker = begin();
    expect(walker.send(submitted("a"))).toEqual(["look"]);
    expect(walker.context.records).toEqual({ head: null, count: 0 });
    walker.send(looked("a"));
    walker.send(recorded("a", "1"));
    published(walker, "b", { owner: KEY });
    const { records, names } = walker.context;
    expect({ records, names }).toEqual({ records: { head: linkTo("record of b"), count: 2 }, names: 1 });
    expect(walker.requests.at(-1)?.params).toEqual({ entry: linkTo("b"), prev: linkTo("1"), seq: 1 });
  });

  it("takes an entry that it has as it is, and records nothing", () => {
    const walker = begin();
    published(walker, "a");
    walker.send(submitted("a"));
    expect(walker.send(looked("a", { owner: KEY, existing: "a" }))).toEqual([]);
    expect(walker.context.last?.outcome).toBe("present");
    expect(walker.context.records.count).toBe(1);
  });

  it("refuses another key under a name, whether the version is there or not", () => {
    const walker = begin();
    for (const existing of [{}, { existing: "b" }, { existing: "a" }]) {
      walker.send(submitted("b"));
      expect(walker.send(looked("b", { owner: OTHER, ...existing }))).toEqual([]);
      expect(walker.context.last?.outcome).toBe("foreign");
    }
    expect(walker.context.refused).toEqual({ foreign: 3, changed: 0 });
    expect(walker.value).toBe("open");
  });

  it("refuses other contents for a version, from its publisher too", () => {
    const walker = begin();
    walker.send(submitted("b"));
    expect(walker.send(looked("b", { owner: KEY, existing: "a" }))).toEqual([]);
    expect(walker.context.last).toEqual({ entry: linkTo("b"), outcome: "changed" });
    expect(walker.context.refused).toEqual({ foreign: 0, changed: 1 });
  });

  it("decides one entry at a time, by answers about that one", () => {
    const walker = begin();
    walker.send(submitted("a"));
    expect(walker.send(submitted("b"))).toEqual([]);
    expect(walker.send(looked("b"))).toEqual([]);
    expect(walker.value).toBe("deciding");
    walker.send(looked("a"));
    walker.send(recorded("b", "1"));
    expect(walker.value).toBe("recording");
    walker.send(recorded("a", "1"));
    expect(walker.context.records.count).toBe(1);
  });
});
