import { Column } from "./batch";
import { Dictionary } from "./dictionary";
import { Type, widthOf } from "./format";
import { align64, allocate } from "./memory";
import { Selection } from "./selection";

/** A column of an output that gets one value a row, in order. Nulls are zero bytes. */
@unmanaged
export class OutputColumn {
  name: usize;
  nameLength: usize;
  type: u32;
  fixedWidth: u32;
  isNullable: bool;
  /** Rows written so far. */
  rows: i32;
  nulls: i32;
  private capacity: i32;
  private width: usize;
  private validity: usize;
  private data: usize;
  private used: usize;
  private room: usize;
  private offsets: usize;
  private dictionary: usize;

  /** A column of that many rows; `textsMax` bounds the different texts of a `dict`. */
  static of(
    name: usize,
    nameLength: usize,
    type: u32,
    fixedWidth: u32,
    isNullable: bool,
    rows: i32,
    textsMax: i32 = rows,
  ): OutputColumn {
    const self = changetype<OutputColumn>(allocate(offsetof<OutputColumn>()));
    self.name = name;
    self.nameLength = nameLength;
    self.type = type;
    self.fixedWidth = fixedWidth;
    self.isNullable = isNullable;
    self.capacity = rows;
    self.width = widthOf(type, fixedWidth);
    const isVariable = type == Type.UTF8 || type == Type.BINARY;
    self.room =
      type == Type.BOOL ? <usize>((rows + 7) >> 3) : isVariable ? (<usize>rows) << 4 : <usize>rows * self.width;
    self.data = allocate(self.room);
    self.validity = allocate(<usize>((rows + 7) >> 3));
    if (isVariable) self.offsets = allocate((<usize>rows + 1) << 2);
    if (type == Type.DICT) self.dictionary = changetype<usize>(Dictionary.of(<u32>min(rows, textsMax)));
    return self;
  }

  /** Appends a value of the column's own width: numbers and timestamps. */
  @inline
  push<T>(value: T): void {
    if (this.rows >= this.capacity || sizeof<T>() != this.width) unreachable();
    store<T>(this.data + this.used, value);
    this.used += sizeof<T>();
    this.closeRow();
  }

  /** Appends a value of a `bool` column. */
  pushBool(value: bool): void {
    if (this.rows >= this.capacity || this.type != Type.BOOL) unreachable();
    const at = this.data + (this.rows >> 3);
    if (value) store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>(this.rows & 7))));
    this.closeRow();
  }

  /** Appends bytes to a `utf8`, `binary`, `fixed` or `dict` column; those of a text are valid UTF-8. */
  pushBytes(bytes: usize, length: usize): void {
    if (this.rows >= this.capacity) unreachable();
    if (this.type == Type.DICT) {
      // A view of the dictionary; the bytes stay where they are until the block is laid out.
      store<u32>(this.data + this.used, changetype<Dictionary>(this.dictionary).indexOf(bytes, length));
      this.used += 4;
    } else {
      if (this.type == Type.FIXED ? length != this.width : this.offsets == 0) unreachable();
      this.reserve(length);
      memory.copy(this.data + this.used, bytes, length);
      this.used += length;
    }
    this.closeRow();
  }

  /** As {@link pushBytes}, with a text of the program. */
  pushText(text: string): void {
    const length = <usize>String.UTF8.byteLength(text);
    const bytes = allocate(length);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, bytes);
    this.pushBytes(bytes, length);
  }

  /** Appends a null. Traps where the column holds none. */
  pushNull(): void {
    if (this.rows >= this.capacity || !this.isNullable) unreachable();
    this.used += this.width;
    this.nulls++;
    this.rows++;
    if (this.offsets != 0) store<u32>(this.offsets + ((<usize>this.rows) << 2), <u32>this.used);
  }

  /** Appends the selected rows of a column of the same type. */
  copy(column: Column, selection: Selection): void {
    if (column.type != this.type) unreachable();
    const count = selection.length;
    switch (this.type) {
      case Type.BOOL:
        for (let i = 0; i < count; i++) {
          const row = selection.at(i);
          if (column.isNull(row)) this.pushNull();
          else this.pushBool(column.bit(row));
        }
        return;
      case Type.DICT:
        return this.copyDictionary(column, selection);
      case Type.UTF8:
      case Type.BINARY:
      case Type.FIXED:
        for (let i = 0; i < count; i++) {
          const row = selection.at(i);
          if (column.isNull(row)) this.pushNull();
          else this.pushBytes(column.bytes(row), column.byteLength(row));
        }
        return;
      default:
        if (this.width == 8) this.copyScalars<u64>(column, selection);
        else if (this.width == 4) this.copyScalars<u32>(column, selection);
        else if (this.width == 2) this.copyScalars<u16>(column, selection);
        else this.copyScalars<u8>(column, selection);
    }
  }

  /** Bytes of the buffers in the block, padding included. */
  get sizeBytes(): usize {
    let size = align64(this.dataLength) + (this.nulls > 0 ? align64(this.validityLength) : 0);
    if (this.offsets != 0) size += align64((<usize>this.rows + 1) << 2);
    if (this.dictionary != 0) {
      const dictionary = changetype<Dictionary>(this.dictionary);
      size += align64((<usize>dictionary.entries + 1) << 2) + align64(dictionary.bytes);
    }
    return size;
  }

  /** Writes the buffers into the block from that offset on, and where they are into the entry; returns the offset after them. */
  write(block: usize, entry: usize, from: usize): usize {
    let at = from;
    if (this.nulls > 0) at = put(block, entry + 24, at, this.validity, this.validityLength);
    at = put(block, entry + 32, at, this.data, this.dataLength);
    if (this.offsets != 0) at = put(block, entry + 40, at, this.offsets, (<usize>this.rows + 1) << 2);
    if (this.dictionary != 0) {
      const dictionary = changetype<Dictionary>(this.dictionary);
      store<u32>(entry, dictionary.entries, 56);
      const offsets = at;
      const ends = (<usize>dictionary.entries + 1) << 2;
      at = slot(entry + 40, at, ends);
      const extra = at;
      at = slot(entry + 48, at, dictionary.bytes);
      dictionary.write(block + offsets, block + extra);
    }
    return at;
  }

  @inline
  private get dataLength(): usize {
    return this.type == Type.BOOL ? this.validityLength : this.used;
  }

  @inline
  private get validityLength(): usize {
    return <usize>((this.rows + 7) >> 3);
  }

  @inline
  private copyScalars<T>(column: Column, selection: Selection): void {
    const count = selection.length;
    for (let i = 0; i < count; i++) {
      const row = selection.at(i);
      if (column.isNull(row)) this.pushNull();
      else this.push<T>(column.value<T>(row));
    }
  }

  private copyDictionary(column: Column, selection: Selection): void {
    const dictionary = changetype<Dictionary>(this.dictionary);
    // Index of an input entry in this dictionary, plus one; 0 before its first use.
    const known = allocate((<usize>column.entries) << 2);
    for (let i = 0, count = selection.length; i < count; i++) {
      const row = selection.at(i);
      if (column.isNull(row)) {
        this.pushNull();
        continue;
      }
      const entry = column.value<u32>(row);
      const at = known + ((<usize>entry) << 2);
      let index = load<u32>(at);
      if (index == 0) {
        index = dictionary.indexOf(column.entryBytes(entry), column.byteLength(row)) + 1;
        store<u32>(at, index);
      }
      this.push<u32>(index - 1);
    }
  }

  @inline
  private closeRow(): void {
    const row = this.rows;
    const at = this.validity + (row >> 3);
    store<u8>(at, load<u8>(at) | ((<u8>1) << (<u8>(row & 7))));
    this.rows = row + 1;
    if (this.offsets != 0) store<u32>(this.offsets + ((<usize>row + 1) << 2), <u32>this.used);
  }

  private reserve(bytes: usize): void {
    const need = this.used + bytes;
    if (need <= this.room) return;
    const grown = allocate(max(need, 2 * this.room));
    memory.copy(grown, this.data, this.used);
    this.data = grown;
    this.room = max(need, 2 * this.room);
  }
}

function put(block: usize, entry: usize, at: usize, bytes: usize, length: usize): usize {
  memory.copy(block + at, bytes, length);
  return slot(entry, at, length);
}

function slot(entry: usize, at: usize, length: usize): usize {
  if (length == 0) return at;
  store<u32>(entry, <u32>at, 0);
  store<u32>(entry, <u32>length, 4);
  return at + align64(length);
}
