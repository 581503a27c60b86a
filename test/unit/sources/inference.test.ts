import { describe, expect, it } from "vitest";
import { TypeInference } from "../../../src/sources/infer.ts";

/** Types that values give their columns, as `name:type`, or the first problem. */
function infer(csv: boolean, ...rows: readonly Readonly<Record<string, unknown>>[]): string {
  const inference = new TypeInference(csv);
  for (const [line, row] of rows.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const problem = inference.see(name, value, line + 1);
      if (problem !== undefined) return problem;
    }
  }
  return inference
    .fields("t")
    .map(({ name, type }) => `${name}:${type}`)
    .join(" ");
}

describe("column types from JSON values", () => {
  it("follow the rule", () => {
    expect(
      infer(
        false,
        { a: 1, b: 1, c: true, d: "2001-01-01T00:00:00Z", e: "x", f: null },
        { b: 1.5, d: "2001-01-02", e: "2001-01-01", g: 2n ** 63n },
      ),
    ).toBe("a:i64 b:f64 c:bool d:timestamp e:dict f:dict g:u64");
  });
  it("refuse what one column cannot hold", () => {
    expect(infer(false, { a: 1 }, { a: "x" })).toBe("column a holds text here and integer before");
    expect(infer(false, { a: true }, { a: 1 })).toBe("column a holds integer here and bool before");
    expect(infer(false, { a: [1] })).toBe("column a holds an object or a list");
    expect(() => infer(false, { a: 1 }, { a: 2n ** 64n })).toThrow(
      expect.objectContaining({
        code: "SOURCE_SCHEMA_UNKNOWN",
        where: "t:2",
        hint: expect.stringContaining("declare `a` as f64"),
      }),
    );
    expect(infer(false, { a: 2n ** 64n }, { a: 0.5 })).toBe("a:f64");
    expect(() => infer(false, { a: -1, b: 1 }, { a: 2n ** 63n })).toThrow(
      expect.objectContaining({ code: "SOURCE_SCHEMA_UNKNOWN" }),
    );
  });
});

describe("column types from CSV cells", () => {
  it("follow the rule, and fall back to text", () => {
    expect(
      infer(
        true,
        { a: "1", b: "-0.5e3", c: "TRUE", d: "2001-01-01", e: "007", f: "1", g: "18446744073709551615" },
        { a: "-9223372036854775808", f: "x", g: "1" },
      ),
    ).toBe("a:i64 b:f64 c:bool d:timestamp e:dict f:dict g:u64");
    expect(infer(true, { a: "1" }, { a: "2.5" }, { a: null })).toBe("a:f64");
    expect(infer(true, { a: "123456789012345678901234567890" }, { a: "x" })).toBe("a:dict");
    expect(() => infer(true, { a: "1" }, { a: "-123456789012345678901234567890" })).toThrow(
      expect.objectContaining({ where: "t:2", hint: expect.stringContaining("declare `a` as utf8 or f64") }),
    );
  });
});
