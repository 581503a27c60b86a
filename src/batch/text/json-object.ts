const LONG_NUMBER = /\d{16}/;
/** Integers that are kept exactly: all those whose double is finite. */
const EXACT = /^-?\d{16,309}$/;
/** A key with an escape: its last escape, the rest of the key, a colon. What else it finds is only read more slowly. */
const ESCAPED_KEY = /\\.[^"\\]*"[ \t\r\n]*:/s;
const SPACE = " \t\r\n";

/**
 * The JSON value of a line, with integers that a double cannot hold as bigint. Throws a `SyntaxError`.
 *
 * An object whose keys have escapes is not given to `JSON.parse` as a whole: V8 13 compares such a key, as it is written, with the
 * key that objects of that shape had before, so that `{"x":1,"\u0061":2}` has a key `\` once the process has seen an object with
 * `x` and `\`. What a line means must not depend on that.
 */
export function parseJson(text: string): unknown {
  return ESCAPED_KEY.test(text) && isOpen(text) ? Object.fromEntries(membersOf(text)) : parseValue(text);
}

/** True for a JSON object, as opposed to a list, a text and so on. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseValue(text: string): unknown {
  // The text of numbers matters only where they may pass 2^53.
  return LONG_NUMBER.test(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text);
}

/** Keeps integers that a double cannot hold, by their source text (ECMAScript, JSON.parse source text access). */
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return EXACT.test(context.source) ? BigInt(context.source) : value;
}

function isOpen(text: string): boolean {
  return text[skipped(text, 0)] === "{";
}

/** The members of an object: cut at its own commas and colons, keys and values parsed one by one. */
function* membersOf(text: string): Generator<[key: string, value: unknown]> {
  let at = skipped(text, skipped(text, 0) + 1);
  if (text[at] === "}") return checkEnd(text, at + 1);
  for (;;) {
    const keyEnd = text[at] === '"' ? stringEnd(text, at) : at;
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const colon = skipped(text, keyEnd);
    if (text[colon] !== ":") throw new SyntaxError(`expected ':' at position ${colon} of the line`);
    const end = valueEnd(text, colon + 1);
    yield [String(key), parseValue(text.slice(colon + 1, end))];
    if (text[end] === "}") return checkEnd(text, end + 1);
    at = skipped(text, end + 1);
  }
}

function checkEnd(text: string, end: number): void {
  if (skipped(text, end) !== text.length) throw new SyntaxError(`more than one object, at position ${end} of the line`);
}

function skipped(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.includes(text[at] as string)) at++;
  return at;
}

/** Behind the text that begins at a quote, or the end of the line. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** At the comma or brace that ends a value. What lies between is checked when it is parsed. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = stringEnd(text, at) - 1;
    else if (depth === 0 && (char === "," || char === "}")) return at;
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
  }
  throw new SyntaxError("the object has no end");
}
