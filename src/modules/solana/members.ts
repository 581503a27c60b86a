// Objects of JSON as records. A form has a word for each key that is looked at: whether the place of its value goes to a field of the record,
// or a function reads it.
import { isNull } from "../json/characters";
import { BEGINNING, key, keyPlace, KeyFault, openKeys, readKey, returnTo } from "../json/key-reader";
import { malformed } from "../json/place";
import { hasMember, nextMember, openObject, skipValue } from "../json/scanner";
import { KEY_MULTIPLIER, KEY_SLOTS, KEY_TEXTS } from "./keys";

/** Reads a value at an address into a record. Returns the byte behind it. */
export type Reader = (at: usize, record: usize) => usize;

/** Bytes of a form: words by key, and the order of keys. */
export const FORM_BYTES: i32 = 528;
const ORDER: usize = 256;
const NOTE: u32 = 1;
const NOTE_UNLESS_NULL: u32 = 2;
const READ: u32 = 3;

/** Says which keys there are: before anything is read. */
export function openMembers(): void {
  openKeys(KEY_SLOTS, KEY_TEXTS, KEY_MULTIPLIER, refuseKey);
}

function refuseKey(at: usize, fault: i32): usize {
  if (fault == KeyFault.NO_COLON) malformed(at, "no colon behind a name");
  if (fault == KeyFault.ESCAPE) malformed(at, "an escape in a name");
  malformed(at, load<u8>(at) == 0 ? "the text ends in a string" : "a control character in a name");
  return 0;
}

/** Has a form note where the value of a key stands, in the field at that offset of a record. */
export function note(form: usize, id: u32, offset: usize): void {
  store<u32>(form + ((<usize>id) << 2), (NOTE << 16) | <u32>offset);
}

/** As {@link note}, where the value is not `null`. */
export function noteUnlessNull(form: usize, id: u32, offset: usize): void {
  store<u32>(form + ((<usize>id) << 2), (NOTE_UNLESS_NULL << 16) | <u32>offset);
}

/** Has a form read a key's value by a function, `null` as well. */
export function readBy(form: usize, id: u32, reader: Reader): void {
  store<u32>(form + ((<usize>id) << 2), (READ << 16) | <u32>reader.index);
}

/** Keys of its form that the object had which was read last. */
let seen: u64 = 0;

/** True when the object that was read last had a key, which its form has. */
@inline
export function had(id: u32): bool {
  return ((seen >> (<u64>id)) & 1) != 0;
}

/** Reads an object into a record by a form. Stops at a key of the form that stands twice. Returns the byte behind it. */
export function readMembers(at: usize, form: usize, record: usize): usize {
  let keys: u64 = 0;
  returnTo(BEGINNING);
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    p = readKey(p, form + ORDER);
    const rule = load<u32>(form + ((<usize>key) << 2));
    if (rule == 0) p = skipValue(p);
    else {
      const bit = (<u64>1) << (<u64>key);
      if ((keys & bit) != 0) malformed(name, "a name that stands there twice");
      keys |= bit;
      if (rule >> 16 == READ) {
        const place = keyPlace();
        p = call_indirect<usize>(rule & 0xffff, p, record);
        returnTo(place);
      } else {
        if (rule >> 16 == NOTE || !isNull(p)) store<u32>(record + (rule & 0xffff), <u32>p);
        p = skipValue(p);
      }
    }
    p = nextMember(p);
  }
  seen = keys;
  return p + 1;
}
