import fc from "fast-check";

/** What may stand where a value stood. */
const value = fc.constantFrom(
  ...["null", "true", "{}", "[]", '""', "-1", "1e9", "0", "2", "256", "18446744073709551616", '"\\u0041"'],
  ...["[[]]", '{"a":1}', "[1,2,3]", '"11111111111111111111111111111111"', ",", ":", '"', "\\", "}", "]", "{", "["],
);

/** A change of a text at a place, given as a part of its length. */
export const change = fc.oneof(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), letter: fc.string({ minLength: 1, maxLength: 2 }) }),
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value }),
);

/** A text with a {@link change}. */
export function changed(text: string, made: { at: number; letter?: string; cut?: number; value?: string }): string {
  const at = Math.floor(made.at * (text.length - 1));
  if (made.letter !== undefined) return `${text.slice(0, at)}${made.letter}${text.slice(at + 1)}`;
  if (made.cut !== undefined) return text.slice(0, at) + text.slice(at + made.cut);
  const token = /[[:,](-?\d+|"[^"]*"|null|true|false)/g;
  token.lastIndex = at;
  const found = token.exec(text);
  if (found === null) return text;
  return `${text.slice(0, found.index + 1)}${made.value ?? ""}${text.slice(found.index + found[0].length)}`;
}
