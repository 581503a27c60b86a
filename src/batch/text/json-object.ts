import { readJson } from "../../core/json.ts";

const LONG_NUMBER = /\d{16}/;
/** Integers that are kept exactly: all those whose double is finite. */
const EXACT = /^-?\d{16,309}$/;

/** The JSON value of a text, with integers that a double cannot hold as bigint. Throws a `SyntaxError`. */
export function parseJson(text: string): unknown {
  return readJson(text, parseValue);
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
