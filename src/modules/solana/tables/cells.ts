import { allocate, OutputColumn } from "../../../sandbox/sdk/index";
import { isString, readInteger, skipString, skipValue } from "../../json/scanner";
import { malformed } from "../../json/place";
import { Key, Transaction } from "../transaction";

/** A text of ASCII letters in memory. */
@unmanaged
export class Label {
  at: usize;
  length: i32;

  static of(text: string): Label {
    const self = changetype<Label>(allocate(offsetof<Label>()));
    self.length = text.length;
    self.at = allocate(<usize>text.length);
    for (let i = 0; i < text.length; i++) store<u8>(self.at + i, <u8>text.charCodeAt(i));
    return self;
  }

  push(column: OutputColumn): void {
    column.pushBytes(this.at, <usize>this.length);
  }

  isKey(key: Key): bool {
    return sameText(key.toText(), key.textLength, this.at, this.length);
  }
}

/** True for equal bytes. */
export function sameText(one: usize, length: i32, other: usize, otherLength: i32): bool {
  return length == otherLength && memory.compare(one, other, <usize>length) == 0;
}

/** The key of that number; null for -1. */
export function pushKey(column: OutputColumn, transaction: Transaction, index: i32): void {
  if (index < 0 || index >= transaction.keyCount) {
    column.pushNull();
    return;
  }
  const key = transaction.key(index);
  column.pushBytes(key.toText(), <usize>key.textLength);
}

/** A whole number at an address of JSON; null where there is none. */
export function pushInteger(column: OutputColumn, at: usize): void {
  if (at == 0) column.pushNull();
  else column.push<u64>(readInteger(at));
}

/** JSON at an address, without white space between its parts; null where there is none. */
export function pushJson(column: OutputColumn, at: usize): void {
  if (at == 0) {
    column.pushNull();
    return;
  }
  const end = skipValue(at);
  if (end - at > 65_536) malformed(at, "an err of more than 64 KiB");
  const target = allocate(end - at);
  let length: usize = 0;
  for (let p = at; p < end; ) {
    if (isString(p)) {
      const stop = skipString(p);
      memory.copy(target + length, p, stop - p);
      length += stop - p;
      p = stop;
      continue;
    }
    const c = load<u8>(p++);
    if (c > 0x20) store<u8>(target + length++, c);
  }
  column.pushBytes(target, length);
}
