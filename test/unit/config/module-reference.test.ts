import { describe, expect, it } from "vitest";
import { isReference, readReference } from "../../../src/config/module-reference.ts";

describe("a reference to a module of a catalogue", () => {
  it("is a name and a range of npm's semver", () => {
    expect(readReference("late@^1.2")).toEqual({ name: "late", range: "^1.2" });
    expect(readReference("late@>=1.0.0 <2 || 3.x")).toEqual({ name: "late", range: ">=1.0.0 <2 || 3.x" });
    expect(readReference("late")).toEqual({ name: "late", range: "*" });
    expect([isReference("late"), isReference("late@1")]).toEqual([false, true]);
  });

  it("is refused with what is wrong with it", () => {
    for (const [text, why] of [
      ["late@", "is empty"],
      ["@1", "a module's name"],
      ["La te@1", "a module's name"],
      ["late@latest", "no version range"],
      [`late@${"1 ".repeat(200)}`, "at most 256"],
    ] as const)
      expect(() => readReference(text), text).toThrow(why);
  });
});
