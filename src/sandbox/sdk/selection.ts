import { allocate } from "./memory";

/** Rows of an input that go on, in the order they were added. */
@unmanaged
export class Selection {
  /** Rows selected so far. */
  length: i32;
  private rows: usize;

  /** A selection of at most that many rows. */
  static of(capacity: i32): Selection {
    const self = changetype<Selection>(allocate(offsetof<Selection>()));
    self.rows = allocate((<usize>capacity) << 2);
    return self;
  }

  @inline
  add(row: i32): void {
    store<i32>(this.rows + ((<usize>this.length) << 2), row);
    this.length++;
  }

  /** The input row at that position. */
  @inline
  at(position: i32): i32 {
    return load<i32>(this.rows + ((<usize>position) << 2));
  }
}
