// Objects and lists of JSON as records. A form has a word for each key that is read: the kind of its value, and where its field lies in the record.
import { isNull, QUOTE } from "../json/characters";
import { BEGINNING, key, keyPlace, KeyFault, openKeys, readKey, returnTo } from "../json/key-reader";
import { take } from "./arena";
import { duplicate, inItem, malformed, misformed } from "./fault";
import { data, fixed, quantity } from "./hex";
import { KEY_MULTIPLIER, KEY_SLOTS, KEY_TEXTS } from "./keys";
import { closed, next, open, skipBrackets, skipValue, stringEnd } from "./scan";

/** Kinds of values. */
export namespace Kind {
  export const QUANTITY: u32 = 1;
  export const BYTES: u32 = 2;
  export const FIXED_8: u32 = 3;
  export const ADDRESS: u32 = 4;
  export const HASH: u32 = 5;
  export const BLOOM: u32 = 6;
  /** Any value of JSON: where its text is. */
  export const TEXT: u32 = 8;
  /** What a function reads; it stands in the word in place of the field. */
  export const NESTED: u32 = 7;
}

/** Bytes of a form: words by key, and the order of keys. */
export const FORM_BYTES: i32 = 528;
const ORDER: usize = 256;

/** Reads a value at an address into a record. Returns the byte behind it. */
export type Reader = (p: usize, record: usize) => usize;

/** Has a form read a key into the field at that offset of a record. */
export function read(form: usize, id: u32, kind: u32, offset: usize): void {
  store<u32>(form + ((<usize>id) << 2), (kind << 16) | <u32>offset);
}

/** Has a form read a key's value by a function, `null` as well. */
export function readBy(form: usize, id: u32, reader: Reader): void {
  store<u32>(form + ((<usize>id) << 2), (Kind.NESTED << 16) | <u32>reader.index);
}

/** What stands in a form for a key: 0 where it is not read. */
@inline
export function ruleOf(form: usize, id: u32): u32 {
  return load<u32>(form + ((<usize>id) << 2));
}

/** Says which keys there are: before anything is read. */
export function openFields(): void {
  openKeys(KEY_SLOTS, KEY_TEXTS, KEY_MULTIPLIER, refuseKey);
}

function refuseKey(at: usize, fault: i32): usize {
  if (fault == KeyFault.NO_KEY) return malformed(at, "key");
  if (fault == KeyFault.NO_COLON) return malformed(at, "colon");
  return malformed(at, fault == KeyFault.ESCAPE ? "key without escapes" : "character of a string");
}

/** Where the text ends that is read, where what is skipped is looked at for its brackets alone; 0 where its grammar is checked. */
let quickEnd: usize = 0;

/** Says how what is skipped is looked at; see {@link quickEnd}. */
export function skipQuickly(end: usize): void {
  quickEnd = end;
}

/** Reads an object into a record by a form; `what` is what was expected. Stops at a key that stands twice. Returns the byte behind it. */
export function readObject(p: usize, form: usize, record: usize, what: string): usize {
  let at = open(p, 0x7b, what);
  if (load<u8>(at) == 0x7d) return at + 1;
  let seen: u64 = 0;
  returnTo(BEGINNING);
  do {
    const from = at;
    at = readKey(at, form + ORDER);
    const rule = ruleOf(form, key);
    if (rule == 0) at = skip(at);
    else {
      const bit = (<u64>1) << (<u64>key);
      if ((seen & bit) != 0) duplicate(from);
      seen |= bit;
      at = rule >> 16 == Kind.NESTED ? readNested(at, rule & 0xffff, record) : readField(at, rule, record);
    }
    at = next(at, 0x7d);
  } while (at != 0);
  return closed;
}

@inline
function skip(p: usize): usize {
  if (load<u8>(p) == QUOTE) return stringEnd(p + 1) + 1;
  return quickEnd == 0 ? skipValue(p) : skipBrackets(p, quickEnd);
}

function readNested(p: usize, reader: u32, record: usize): usize {
  const place = keyPlace();
  const end = call_indirect<usize>(reader, p, record);
  returnTo(place);
  return end;
}

/** Reads the value of a key by its word of a form into a record; `null` leaves the field as it is. Returns the byte behind it. */
function readField(p: usize, rule: u32, record: usize): usize {
  const field = record + (rule & 0xffff);
  if (isNull(p)) return p + 4;
  switch (rule >> 16) {
    case Kind.QUANTITY:
      return quantity(p, field);
    case Kind.BYTES:
      return data(p, field);
    case Kind.FIXED_8:
      return fixed(p, 8, field);
    case Kind.ADDRESS:
      return fixed(p, 20, field);
    case Kind.HASH:
      return fixed(p, 32, field);
    case Kind.BLOOM:
      return fixed(p, 256, field);
    case Kind.TEXT: {
      const end = skipValue(p);
      store<u32>(field, <u32>p);
      store<u32>(field, <u32>(end - p), 4);
      return end;
    }
    default:
      return misformed(p, "another value");
  }
}

/** What {@link readList} reads: how many bytes a record has, the reader of one, what one is called in errors, and the whole list. */
@unmanaged
export class ListForm {
  bytes: usize;
  reader: Reader;
  /** Such as `receipt`; empty where errors name what the list is in. */
  name: string;
  what: string;
}

/** Items of the list that {@link readList} has read last. */
export let listed: i32 = 0;

/** Reads a list to records, each with the next one's address in it; the first one's goes to `first`. Returns the byte behind it. */
export function readList(p: usize, form: ListForm, first: usize): usize {
  let at = open(p, 0x5b, form.what);
  let count = 0;
  let link = first;
  if (load<u8>(at) == 0x5d) at++;
  else {
    const isNamed = form.name.length != 0;
    do {
      if (isNamed) inItem(form.name, count);
      const record = take(form.bytes);
      at = next(form.reader(at, record), 0x5d);
      store<u32>(link, <u32>record);
      link = record;
      count++;
    } while (at != 0);
    if (isNamed) inItem("", -1);
    at = closed;
  }
  listed = count;
  return at;
}

/** True where a field has a value. */
@inline
export function has(field: usize): bool {
  return load<u32>(field, 4) != 0;
}

/** Copies a field's RLP string. Returns the byte behind it. */
@inline
export function put(to: usize, field: usize): usize {
  const length = <usize>load<u32>(field, 4);
  memory.copy(to, <usize>load<u32>(field), length);
  return to + length;
}
