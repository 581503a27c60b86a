// Which keys of an object are read, and how. A table has a word for each key: the kind of its value, and where its field lies in the record.
import { misformed, told } from "./fault";
import { data, fixed, quantity } from "./hex";
import { key } from "./scan";

/** Kinds of values. */
export namespace Kind {
  export const QUANTITY: u32 = 1;
  export const BYTES: u32 = 2;
  export const FIXED_8: u32 = 3;
  export const ADDRESS: u32 = 4;
  export const HASH: u32 = 5;
  export const BLOOM: u32 = 6;
  /** A list or object, which whoever asked for it reads. */
  export const NESTED: u32 = 7;
}

/** Bytes of a table. */
export const TABLE_BYTES: i32 = 256;
/** `null` as it stands in memory. */
const NULL: u32 = 0x6c6c756e;

/** Has a table read a key into the field at that offset of a record. */
export function read(table: usize, id: u32, kind: u32, offset: usize): void {
  store<u32>(table + ((<usize>id) << 2), (kind << 16) | <u32>offset);
}

/** Reads the value of the key that was read last, by its word of a table, into a record. Returns the byte behind it. */
export function readField(p: usize, rule: u32, record: usize): usize {
  const field = record + (rule & 0xffff);
  if (load<u32>(p) == NULL) return p + 4;
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
    default:
      return misformed(p, "another value");
  }
}

/** The keys seen in an object, with the one that was read last. Stops where it was seen before. */
@inline
export function once(seen: u64): u64 {
  const bit = (<u64>1) << (<u64>key);
  if ((seen & bit) != 0) twice();
  return seen | bit;
}

function twice(): void {
  told().text("a key stands twice in one object").fail("ETH_FIELD_DUPLICATE");
}

/** True where a field has a value. */
@inline
export function has(field: usize): bool {
  return load<u32>(field, 4) != 0;
}

/** True for `null`. */
@inline
export function isNull(p: usize): bool {
  return load<u32>(p) == NULL;
}

/** Copies a field's RLP string. Returns the byte behind it. */
@inline
export function put(to: usize, field: usize): usize {
  const length = <usize>load<u32>(field, 4);
  memory.copy(to, <usize>load<u32>(field), length);
  return to + length;
}
