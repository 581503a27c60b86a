import { describe, expect, it } from "vitest";
import { pairs } from "../../../src/cli/pair.ts";

describe("flags of name and value", () => {
  it("are values by name", () => {
    expect(pairs("--input", ["a=x", "b=y=z"])).toEqual({ a: "x", b: "y=z" });
    expect(Object.keys(pairs("--input", ["__proto__=x"]))).toEqual(["__proto__"]);
  });

  it.each([[["a"]], [["=x"]], [["a="]], [["a=x", "b=y", "a=z"]]])("are refused: %j", (texts) => {
    expect(() => pairs("--input", texts)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
