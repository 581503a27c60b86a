import { Batch, Column } from "./batch";
import { OutputColumn } from "./column";
import { DESCRIPTOR_BYTES, FLAG_NULLABLE, HEADER_BYTES, MAGIC, VERSION } from "./format";
import { align64, allocate } from "./memory";
import { Selection } from "./selection";

/** Builds an output batch column by column, in the one layout that depends on rows alone. */
@unmanaged
export class Output {
  private rows: i32;
  private count: i32;
  private capacity: i32;
  private columns: usize;

  /** An output of exactly that many rows and at most that many columns. */
  static of(rows: i32, columnsMax: i32): Output {
    const self = changetype<Output>(allocate(offsetof<Output>()));
    self.rows = rows;
    self.capacity = columnsMax;
    self.columns = allocate((<usize>columnsMax) << 2);
    return self;
  }

  /** Adds the selected rows of every column of the input. */
  copyAll(input: Batch, selection: Selection): void {
    for (let i = 0, n = input.columns; i < n; i++) this.copy(input.columnAt(i), selection);
  }

  /** Adds the selected rows of a column under its own name. */
  copy(column: Column, selection: Selection): void {
    const output = OutputColumn.of(
      column.name,
      column.nameLength,
      column.type,
      column.fixedWidth,
      column.isNullable,
      this.rows,
      // Only texts of the input's dictionary can come; a small table touches less fresh memory.
      column.entries,
    );
    output.copy(column, selection);
    this.push(output);
  }

  /** Adds a new column, to be filled with one value a row before {@link finish}. */
  add(name: string, type: u32, isNullable: bool, fixedWidth: u32 = 0): OutputColumn {
    const length = <usize>String.UTF8.byteLength(name);
    const text = allocate(length);
    String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, text);
    return this.addNamed(text, length, type, isNullable, fixedWidth);
  }

  /** Adds a new column whose name, UTF-8, lies in memory. */
  addNamed(name: usize, nameLength: usize, type: u32, isNullable: bool, fixedWidth: u32 = 0): OutputColumn {
    const column = OutputColumn.of(name, nameLength, type, fixedWidth, isNullable, this.rows);
    this.push(column);
    return column;
  }

  /** Lays the block out and returns its address. Traps when a column lacks values. */
  finish(): usize {
    const namesOffset = HEADER_BYTES + <usize>this.count * DESCRIPTOR_BYTES;
    let namesLength: usize = 0;
    let length: usize = 0;
    for (let i = 0; i < this.count; i++) {
      const column = this.at(i);
      if (column.rows != this.rows) unreachable();
      namesLength += column.nameLength;
      length += column.sizeBytes;
    }
    length += align64(namesOffset + namesLength);
    const block = allocate(length);
    store<u32>(block, MAGIC, 0);
    store<u32>(block, VERSION, 4);
    store<u32>(block, <u32>length, 8);
    store<i32>(block, this.rows, 12);
    store<i32>(block, this.count, 16);
    store<u32>(block, <u32>namesOffset, 20);
    store<u32>(block, <u32>namesLength, 24);
    let nameAt = namesOffset;
    let at = align64(namesOffset + namesLength);
    for (let i = 0; i < this.count; i++) {
      const column = this.at(i);
      const entry = block + HEADER_BYTES + <usize>i * DESCRIPTOR_BYTES;
      store<u32>(entry, <u32>nameAt, 0);
      store<u32>(entry, <u32>column.nameLength, 4);
      memory.copy(block + nameAt, column.name, column.nameLength);
      nameAt += column.nameLength;
      store<u32>(entry, column.type, 8);
      store<u32>(entry, column.fixedWidth, 12);
      store<u32>(entry, column.isNullable ? FLAG_NULLABLE : 0, 16);
      store<i32>(entry, column.nulls, 20);
      at = column.write(block, entry, at);
    }
    return block;
  }

  private push(column: OutputColumn): void {
    if (this.count == this.capacity) unreachable();
    store<usize>(this.columns + ((<usize>this.count) << 2), changetype<usize>(column));
    this.count++;
  }

  @inline
  private at(index: i32): OutputColumn {
    return changetype<OutputColumn>(load<usize>(this.columns + ((<usize>index) << 2)));
  }
}
