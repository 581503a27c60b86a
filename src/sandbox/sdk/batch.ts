import { fail } from "./failure";
import { DESCRIPTOR_BYTES, FLAG_NULLABLE, HEADER_BYTES, Type } from "./format";
import { allocate } from "./memory";

/** A batch block in memory. The host has checked it; reading it needs no checks beyond the row's range. */
@unmanaged
export class Batch {
  /** The batch at the address that `ipdm_process` was given. */
  @inline
  static at(address: usize): Batch {
    return changetype<Batch>(address);
  }

  @inline
  get rows(): i32 {
    return load<i32>(changetype<usize>(this), 12);
  }

  @inline
  get columns(): i32 {
    return load<i32>(changetype<usize>(this), 16);
  }

  /** The column at that position. */
  columnAt(index: i32): Column {
    return Column.of(changetype<usize>(this), index);
  }

  /** Position of the column of that name, or -1. */
  indexOf(name: string): i32 {
    const length = <usize>String.UTF8.byteLength(name);
    const text = allocate(length);
    String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, text);
    for (let i = 0, n = this.columns; i < n; i++) {
      const column = this.columnAt(i);
      if (column.nameLength == length && memory.compare(column.name, text, length) == 0) return i;
    }
    return -1;
  }

  /** The column of that name. Traps when there is none. */
  column(name: string): Column {
    const index = this.indexOf(name);
    if (index < 0) fail("the input has no column ", name);
    return this.columnAt(index);
  }
}

/** Addresses of one column's buffers. */
@unmanaged
export class Column {
  name: usize;
  nameLength: usize;
  type: u32;
  fixedWidth: u32;
  isNullable: bool;
  rows: i32;
  nulls: i32;
  validity: usize;
  data: usize;
  offsets: usize;
  extra: usize;
  entries: i32;

  static of(block: usize, index: i32): Column {
    const at = block + HEADER_BYTES + <usize>index * DESCRIPTOR_BYTES;
    const column = changetype<Column>(allocate(offsetof<Column>()));
    column.name = block + load<u32>(at, 0);
    column.nameLength = load<u32>(at, 4);
    column.type = load<u32>(at, 8);
    column.fixedWidth = load<u32>(at, 12);
    column.isNullable = (load<u32>(at, 16) & FLAG_NULLABLE) != 0;
    column.rows = load<i32>(block, 12);
    column.nulls = load<i32>(at, 20);
    column.validity = block + load<u32>(at, 24);
    column.data = block + load<u32>(at, 32);
    column.offsets = block + load<u32>(at, 40);
    column.extra = block + load<u32>(at, 48);
    column.entries = load<i32>(at, 56);
    return column;
  }

  @inline
  isNull(row: i32): bool {
    return this.nulls != 0 && ((load<u8>(this.validity + (row >> 3)) >> <u8>(row & 7)) & 1) == 0;
  }

  /** A value of the width of T as it lies in the column; the caller knows the column's type. */
  @inline
  value<T>(row: i32): T {
    return load<T>(this.data + <usize>row * sizeof<T>());
  }

  /** True for the integer types and timestamps, whose rows {@link integer} reads. */
  get isInteger(): bool {
    return (this.type >= Type.I8 && this.type <= Type.U64) || this.type == Type.TIMESTAMP;
  }

  /** An integer or timestamp of any width; u64 beyond 2^63 wraps. Traps for other types. */
  integer(row: i32): i64 {
    switch (this.type) {
      case Type.I8:
        return this.value<i8>(row);
      case Type.I16:
        return this.value<i16>(row);
      case Type.I32:
        return this.value<i32>(row);
      case Type.U8:
        return this.value<u8>(row);
      case Type.U16:
        return this.value<u16>(row);
      case Type.U32:
        return this.value<u32>(row);
      case Type.I64:
      case Type.U64:
      case Type.TIMESTAMP:
        return this.value<i64>(row);
      default:
        unreachable();
    }
    return 0;
  }

  /** A number of `f32` or `f64`, or any integer as the nearest f64. Traps for other types. */
  float(row: i32): f64 {
    if (this.type == Type.F64) return this.value<f64>(row);
    if (this.type == Type.F32) return <f64>this.value<f32>(row);
    if (this.type == Type.U64) return <f64>this.value<u64>(row);
    return <f64>this.integer(row);
  }

  @inline
  bit(row: i32): bool {
    return ((load<u8>(this.data + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
  }

  /** Address of a row's bytes: `utf8`, `binary`, `fixed`, and the text a `dict` row means. The row is not null. */
  bytes(row: i32): usize {
    if (this.type == Type.FIXED) return this.data + <usize>row * this.fixedWidth;
    if (this.type == Type.DICT) return this.entryBytes(this.value<u32>(row));
    return this.data + load<u32>(this.offsets + ((<usize>row) << 2));
  }

  /** Length of {@link bytes}. */
  byteLength(row: i32): usize {
    if (this.type == Type.FIXED) return this.fixedWidth;
    const index: usize = this.type == Type.DICT ? this.value<u32>(row) : row;
    const at = this.offsets + (index << 2);
    return load<u32>(at, 4) - load<u32>(at);
  }

  /** Address of the bytes of a dictionary's entry. */
  @inline
  entryBytes(entry: u32): usize {
    return this.extra + load<u32>(this.offsets + ((<usize>entry) << 2));
  }
}
