import { CID } from "multiformats/cid";
import { compareBytes, utf8 } from "../core/bytes.ts";
import type { Ipld } from "../dag/block.ts";

/** Deepest nesting of an event or a state. */
export const DEPTH_MAX = 64;

/** Says where a value stops being plain data, and why. */
export interface NotPlain {
  readonly path: string;
  readonly reason: string;
}

/** Outcome of {@link plainOf}. */
export type Plain = { readonly ok: true; readonly value: Ipld } | ({ readonly ok: false } & NotPlain);

/**
 * The value exactly as it would come back from dag-cbor, deeply frozen, so that what runs now and what is replayed later see
 * the same: keys in dag-cbor's order, `undefined` members gone, byte arrays as plain Uint8Array. Refuses what would come back
 * different or not at all: NaN, infinities, -0, bigints that fit a number or exceed 64 bits, dates, maps, class instances,
 * functions, symbols, texts that are not well-formed, `undefined` inside a list, nesting beyond {@link DEPTH_MAX}.
 * Without `known` the result shares nothing with the value. With it, objects returned from here before are trusted, and objects
 * that are as they should be already are frozen in place. What `isLeaf` names is kept as it is: a machine's references to its children.
 */
export function plainOf(value: unknown, known?: WeakSet<object>, isLeaf?: (value: object) => boolean): Plain {
  try {
    return { ok: true, value: plain(value, "$", 0, { known, isLeaf }) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, path: error.path, reason: error.reason };
    throw error;
  }
}

interface Rules {
  readonly known: WeakSet<object> | undefined;
  readonly isLeaf: ((value: object) => boolean) | undefined;
}

class Refusal extends Error {
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(reason);
    this.path = path;
    this.reason = reason;
  }
}

const INT64_END = 2n ** 64n;

/** Records of up to so many keys are sorted by insertion, which needs no memory. */
const SHORT_RECORD = 32;

function plain(value: unknown, path: string, depth: number, rules: Rules): Ipld {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      if (!value.isWellFormed()) throw new Refusal(path, "a text with half a surrogate pair");
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new Refusal(path, String(value));
      if (Object.is(value, -0)) throw new Refusal(path, "-0");
      return value;
    case "bigint":
      if (value >= INT64_END || value < -INT64_END) throw new Refusal(path, "a bigint beyond 64 bits; use bytes");
      if (Number.isSafeInteger(Number(value)))
        throw new Refusal(path, "a bigint that fits a number and would come back as one");
      return value;
    case "object":
      return value === null ? null : plainObject(value, path, depth, rules);
    default:
      throw new Refusal(path, typeof value);
  }
}

function plainObject(value: object, path: string, depth: number, rules: Rules): Ipld {
  const { known, isLeaf } = rules;
  if (known?.has(value) === true || isLeaf?.(value) === true) return value as Ipld;
  if (depth === DEPTH_MAX) throw new Refusal(path, `nesting deeper than ${DEPTH_MAX}`);
  let result: object;
  if (Array.isArray(value)) {
    // Array.from visits holes too, which are then refused as undefined.
    const items = Array.from(value, (item, at) => plain(item, `${path}[${at}]`, depth + 1, rules));
    result = Object.freeze(known !== undefined && items.every((item, at) => item === value[at]) ? value : items);
  } else if (value instanceof Uint8Array) {
    result = known === undefined || value.constructor !== Uint8Array ? Uint8Array.from(value) : value;
  } else {
    const cid = CID.asCID(value);
    result = cid ?? plainRecord(value, path, depth, rules);
  }
  known?.add(result);
  return result as Ipld;
}

function plainRecord(value: object, path: string, depth: number, rules: Rules): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Refusal(
      path,
      `an instance of ${(value as { constructor?: { name?: string } }).constructor?.name ?? "a class"}`,
    );
  }
  const source = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(source);
  // Where nothing changes the source itself will do, and XState need not resolve a new state.
  let isSame = !sortKeys(keys) && rules.known !== undefined;
  const result: Record<string, Ipld> = {};
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const member = source[key];
    if (member === undefined) {
      isSame = false;
      continue;
    }
    if (key === "__proto__" || !key.isWellFormed()) throw new Refusal(path, `the key ${JSON.stringify(key)}`);
    const kept = plain(member, `${path}.${key}`, depth + 1, rules);
    if (kept !== member) isSame = false;
    result[key] = kept;
  }
  return Object.freeze(isSame ? source : result);
}

/** Sorts keys into dag-cbor's order, in place; true where they were not in it. Most records have few keys, and many have them sorted. */
function sortKeys(keys: string[]): boolean {
  let moved = false;
  for (let at = 1; at < keys.length; at++) {
    if (at >= SHORT_RECORD) {
      const before = [...keys];
      keys.sort(compareKeys);
      return moved || keys.some((key, place) => key !== before[place]);
    }
    const key = keys[at] as string;
    let place = at;
    for (; place > 0 && compareKeys(keys[place - 1] as string, key) > 0; place--)
      keys[place] = keys[place - 1] as string;
    if (place === at) continue;
    keys[place] = key;
    moved = true;
  }
  return moved;
}

/** dag-cbor's order of keys: by length of their UTF-8, then byte by byte. */
function compareKeys(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
  const left = utf8(a);
  const right = utf8(b);
  return left.length - right.length || compareBytes(left, right);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
