import { fromHex } from "../../core/bytes.ts";
import type { Value } from "../column.ts";
import type { Field } from "../schema.ts";
import { parseTimestamp } from "./timestamp.ts";

/** Turns a JSON value or a CSV cell into a column's value; `undefined` where it does not fit. */
export type ValueParser = (value: unknown) => Value | undefined;

const INTEGER = /^[+-]?\d{1,20}$/;
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const NON_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/**
 * Parser of JSON values for a column. 64-bit integers may also stand as text, timestamps are ISO 8601 text or integer
 * microseconds, bytes are hexadecimal text with or without `0x`, floats may be the texts NaN, Infinity, -Infinity.
 */
export function jsonParser(field: Field): ValueParser {
  switch (field.type) {
    case "bool":
      return (value) => (typeof value === "boolean" ? value : undefined);
    case "utf8":
    case "dict":
      return (value) => (typeof value === "string" ? wellFormed(value) : undefined);
    case "f32":
    case "f64":
      return (value) => floatOf(field, typeof value === "string" ? NON_FINITE[value] : finite(value));
    case "timestamp":
      return (value) => (typeof value === "string" ? parseTimestamp(value) : integerOf(value));
    case "i64":
    case "u64":
      return (value) => (typeof value === "string" ? parseInteger(value) : integerOf(value));
    case "binary":
    case "fixed":
      return (value) => (typeof value === "string" ? bytesOf(value) : undefined);
    default:
      return integerOf;
  }
}

/** Parser of CSV cells that are not empty, for a column: the same forms as in JSON, all as text. */
export function csvParser(field: Field): ValueParser {
  switch (field.type) {
    case "bool":
      return (value) => (/^true$/i.test(String(value)) ? true : /^false$/i.test(String(value)) ? false : undefined);
    case "utf8":
    case "dict":
      return (value) => (typeof value === "string" ? value : undefined);
    case "f32":
    case "f64":
      return (value) => {
        const text = String(value);
        return floatOf(field, FLOAT.test(text) ? finite(Number(text)) : NON_FINITE[text]);
      };
    case "timestamp":
      return (value) => parseTimestamp(String(value)) ?? parseInteger(String(value));
    case "binary":
    case "fixed":
      return (value) => bytesOf(String(value));
    default:
      return (value) => parseInteger(String(value));
  }
}

/** The integer of a decimal text, exactly; `undefined` beyond 20 digits. */
export function parseInteger(text: string): number | bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  return text.length <= 15 ? Number(text) : BigInt(text.startsWith("+") ? text.slice(1) : text);
}

function integerOf(value: unknown): number | bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

function finite(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function floatOf(field: Field, value: number | undefined): number | undefined {
  if (value === undefined || field.type === "f64") return value;
  const single = Math.fround(value);
  // Too large for 32 bits is no value; everything else is the nearest one.
  return Number.isFinite(value) && !Number.isFinite(single) ? undefined : single;
}

function bytesOf(text: string): Uint8Array | undefined {
  return fromHex(text.startsWith("0x") || text.startsWith("0X") ? text.slice(2) : text);
}

/** JSON can spell half a surrogate pair, which UTF-8 cannot hold. */
function wellFormed(text: string): string | undefined {
  return text.isWellFormed() ? text : undefined;
}
