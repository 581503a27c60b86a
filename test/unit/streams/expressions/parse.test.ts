import { describe, expect, it } from "vitest";
import { nodeText } from "../../../../src/streams/expressions/node.ts";
import { parseExpression } from "../../../../src/streams/expressions/parse.ts";

describe("parseExpression", () => {
  it.each([
    ["delay > 15 and origin in ('ATL', 'ORD')", "(delay > 15) and oneOf(origin, 'ATL', 'ORD')"],
    ["a or b and not c = 1", "a or (b and not(c = 1))"],
    ["a is not null or b is null", "not(isNull(a)) or isNull(b)"],
    ["a not in (1, -2)", "not(oneOf(a, 1, -2))"],
    ["-3 + -x * 2.0", "-3 + (negated(x) * cast(2, 'f64'))"],
    ["1 - 2 - 3", "(1 - 2) - 3"],
    ["0.5 + .25e1 + 9007199254740993", "(0.5 + 2.5) + 9007199254740993"],
    ["when(a > 1, 'it''s', part(url, '/', 3))", "when(a > 1, 'it''s', part(url, 3, '/'))"],
    ["truncate(at, '1h')", "truncate(at, 3600000000)"],
    ['"odd ""name" <> timestamp(\'2001-01-01T00:00:00Z\')', '"odd \\"name" != 2001-01-01'],
    ["a AND TRUE\n OR null", "(a and true) or null"],
  ])("reads %j", (text, expected) => {
    expect(nodeText(parseExpression(text))).toBe(expected);
  });

  it.each([
    ["a b", "1:3: b is not expected"],
    ["a >\n  @", "2:3: @ means nothing here"],
    ["", "1:1: it ends where an operand is expected"],
    ["(a", "1:3: ) is expected, not the end"],
    ["'open", "1:1: a quote is not closed"],
    ["a in (1, b)", "1:10: in takes numbers and texts"],
    ["a is 1", "1:6: null is expected after is"],
    ["sqrt(a)", "1:1: there is no function sqrt"],
    ["cast(a, 'i63')", "1:9: 'i63' is no type"],
    ["truncate(a, 'soon')", "1:13: 'soon' is no duration"],
    ["timestamp('soon')", "1:11: it is no date and time"],
    ["99999999999999999999", "1:1: 99999999999999999999 does not fit 64 bits"],
    ["(".repeat(1000), "nested more than 64 deep"],
    [Array.from({ length: 1000 }, () => "a").join("+"), "more than 1024 parts"],
    ["a".repeat(5000), "longer than 4096 characters"],
  ])("says where %.20j is wrong", (text, message) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ code: "EXPRESSION_INVALID", message: expect.stringContaining(message) as string }),
    );
  });
});
