import { allocate } from "../../sandbox/sdk/index";

/** Records of one size behind each other, as many as there come. A record's address holds until the next {@link push}. */
@unmanaged
export class List {
  count: i32;
  private at: usize;
  private width: usize;
  private capacity: i32;

  /** A list of records of so many bytes. */
  static of(width: usize): List {
    const self = changetype<List>(allocate(offsetof<List>()));
    self.width = width;
    self.capacity = 64;
    self.at = allocate(width * 64);
    return self;
  }

  /** Address of a new record, of zeros. */
  push(): usize {
    if (this.count == this.capacity) {
      const grown = allocate(((<usize>this.capacity) << 1) * this.width);
      memory.copy(grown, this.at, <usize>this.capacity * this.width);
      this.at = grown;
      this.capacity <<= 1;
    }
    const index = this.count;
    this.count = index + 1;
    return this.record(index);
  }

  @inline
  record(index: i32): usize {
    return this.at + <usize>index * this.width;
  }
}
