/** A key with an escape: its last escape, the rest of the key, a colon. What else it finds is only read more slowly. */
const ESCAPED_KEY = /\\.[^"\\]*"[ \t\r\n]*:/s;
const SPACE = " \t\r\n";
/** What ends a number or a word. */
const ENDS = ",]}: \t\r\n";

/** An object or a list that is being read. */
type Open =
  | { readonly close: "}"; readonly members: [key: string, value: unknown][]; key: string }
  | { readonly close: "]"; readonly items: unknown[] };

/**
 * The value of a JSON text (RFC 8259) from anyone: what `JSON.parse` gives, for any text. Throws a `SyntaxError`.
 *
 * A text whose keys have escapes is not given to `JSON.parse` as a whole: V8 13 compares such a key, as it is written, with the
 * key that objects of that shape had before, so that `{"x":1,"\u0061":2}` has a key `\` once the process has seen an object with
 * `x` and `\`. What a text means must not depend on that. `parse` reads texts without such keys: whole ones, and the scalars of others.
 */
export function readJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  return ESCAPED_KEY.test(text) ? readSlowly(text, parse) : parse(text);
}

/** Reads a text value by value, so that no object is made by the engine. Nesting is bounded by memory alone, as it is there. */
function readSlowly(text: string, parse: (text: string) => unknown): unknown {
  const open: Open[] = [];
  let at = skipped(text, 0);
  for (;;) {
    const begun = beginning(text, at);
    if (begun !== undefined) {
      open.push(begun);
      at = keyed(text, skipped(text, at + 1), begun);
      continue;
    }
    let end = valueEnd(text, at);
    let value = emptyOf(text, at, end) ?? parse(text.slice(at, end));
    for (;;) {
      end = skipped(text, end);
      const top = open.at(-1);
      if (top === undefined) {
        if (end !== text.length) throw unexpected(text, end);
        return value;
      }
      if (top.close === "}") top.members.push([top.key, value]);
      else top.items.push(value);
      if (text[end] === ",") {
        at = keyed(text, skipped(text, end + 1), top);
        break;
      }
      if (text[end] !== top.close) throw unexpected(text, end);
      end++;
      open.pop();
      value = top.close === "}" ? Object.fromEntries(top.members) : top.items;
    }
  }
}

/** The object or list that begins there and is not empty. */
function beginning(text: string, at: number): Open | undefined {
  const next = text[skipped(text, at + 1)];
  if (text[at] === "{" && next !== "}") return { close: "}", members: [], key: "" };
  return text[at] === "[" && next !== "]" ? { close: "]", items: [] } : undefined;
}

function emptyOf(text: string, at: number, end: number): unknown {
  if (end === at + 1 || (text[at] !== "{" && text[at] !== "[")) return undefined;
  return text[at] === "{" ? {} : [];
}

/** Behind the key of an object's next member; where it is, for a list. */
function keyed(text: string, at: number, open: Open): number {
  if (open.close === "]") return at;
  if (text[at] !== '"') throw unexpected(text, at);
  const end = stringEnd(text, at);
  open.key = String(JSON.parse(text.slice(at, end)));
  const colon = skipped(text, end);
  if (text[colon] !== ":") throw unexpected(text, colon);
  return skipped(text, colon + 1);
}

/** Behind a scalar, or an empty object or list. */
function valueEnd(text: string, from: number): number {
  if (text[from] === '"') return stringEnd(text, from);
  if (text[from] === "{" || text[from] === "[") return skipped(text, from + 1) + 1;
  let at = from;
  while (at < text.length && !ENDS.includes(text[at] as string)) at++;
  return at;
}

/** Behind the text that begins at a quote, or the end of all. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function skipped(text: string, from: number): number {
  let at = from;
  while (at < text.length && SPACE.includes(text[at] as string)) at++;
  return at;
}

function unexpected(text: string, at: number): SyntaxError {
  return new SyntaxError(
    at >= text.length
      ? "Unexpected end of JSON input"
      : `Unexpected token ${JSON.stringify(text[at])} at position ${at}`,
  );
}
