import { utf8 } from "../../core/bytes.ts";
import type { TextBytes } from "./text-bytes.ts";

/** Forms of a table as text that a batch can be written in and read from. */
export const TEXT_FORMATS = ["ndjson", "csv"] as const;

/** One of {@link TEXT_FORMATS}. */
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** How a text format spells what is not a bare number or boolean. */
export interface Spelling {
  /** A cell without a value. */
  readonly none: Uint8Array;
  /** What stands before and after a word of ours: a timestamp, hexadecimal bytes, NaN. */
  readonly quote: Uint8Array;
  /** Appends the text of a `utf8` or `dict` value: well-formed UTF-8, bytes `from` to `to`. */
  text(out: TextBytes, bytes: Uint8Array, from: number, to: number): void;
}

/** How and where cells are written. */
export interface CellTarget {
  readonly spelling: Spelling;
  /** What stands before each cell: a key, a comma. */
  readonly before: Uint8Array;
  readonly out: TextBytes;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SHORT_ESCAPES = new Map([
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [QUOTE, '\\"'],
  [BACKSLASH, "\\\\"],
]);

/** The spelling of NDJSON: texts as `JSON.stringify` gives them (ECMAScript, QuoteJSONString), which of UTF-8 escapes only ASCII. */
export const JSON_SPELLING: Spelling = {
  none: utf8("null"),
  quote: utf8('"'),
  text(out, bytes, from, to) {
    out.byte(QUOTE);
    let start = from;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
      out.raw(bytes, start, at);
      out.ascii(SHORT_ESCAPES.get(byte) ?? `\\u00${byte.toString(16).padStart(2, "0")}`);
      start = at + 1;
    }
    out.raw(bytes, start, to);
    out.byte(QUOTE);
  },
};

/** The spelling of CSV (RFC 4180): null is an empty cell, empty text a quoted one. */
export const CSV_SPELLING: Spelling = {
  none: new Uint8Array(0),
  quote: new Uint8Array(0),
  text(out, bytes, from, to) {
    if (!needsQuotes(bytes, from, to)) return out.raw(bytes, from, to);
    out.byte(QUOTE);
    let start = from;
    for (let at = from; at < to; at++) {
      if (bytes[at] !== QUOTE) continue;
      out.raw(bytes, start, at + 1);
      out.byte(QUOTE);
      start = at + 1;
    }
    out.raw(bytes, start, to);
    out.byte(QUOTE);
  },
};

/** A byte order mark is quoted too, lest one at the start of the file is taken for an encoding mark. */
function needsQuotes(bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to) return true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE || byte === 0x2c || byte === 0x0a || byte === 0x0d) return true;
    if (byte === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf && at + 3 <= to) return true;
  }
  return false;
}
