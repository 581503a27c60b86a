import { describe, expect, it } from "vitest";
import type { LakeContext } from "../../../machines/lake/step.ts";
import { LAKE } from "../../../machines/registry.ts";
import { linkTo, Walker } from "./walker.ts";

const lake = (...outputs: string[]) => new Walker<LakeContext>(LAKE, { lake: "l", outputs });
const written = (output: string) => ({ type: "written", output, rows: 3 });

describe("lake machine", () => {
  it("keeps what was certified and counts it", () => {
    const walker = lake("table");
    expect(walker.send({ type: "committed", task: "a", seq: 4, statement: linkTo("s") })).toEqual(["keep 4"]);
    walker.send({ type: "kept", batches: 2, rows: 7 });
    walker.send({ type: "kept", batches: 1, rows: 1 });
    expect(walker.context.kept).toEqual({ statements: 2, batches: 3, rows: 8 });
  });

  it("lets nothing out before the seal, then every output, once", () => {
    const walker = lake("table", "late");
    expect(walker.send({ type: "wanted", output: "table" })).toEqual([]);
    expect(walker.send({ type: "sealed", statement: linkTo("seal") })).toEqual(["write", "write"]);
    expect(walker.send({ type: "sealed", statement: linkTo("other") })).toEqual([]);
    expect(walker.context.seal).toEqual(linkTo("seal"));
    walker.send(written("table"));
    expect(walker.value).toBe("filling");
    walker.send(written("late"));
    expect(walker.value).toBe("published");
  });

  it("writes an output again when asked, if it is the run's", () => {
    const walker = lake("table");
    walker.send({ type: "sealed", statement: linkTo("seal") });
    walker.send(written("table"));
    expect(walker.send({ type: "wanted", output: "table" })).toEqual(["write"]);
    expect(walker.send({ type: "wanted", output: "other" })).toEqual([]);
  });

  it("is published at once where there is nothing to write", () => {
    const walker = lake();
    expect(walker.send({ type: "sealed", statement: linkTo("seal") })).toEqual([]);
    expect(walker.value).toBe("published");
  });
});
