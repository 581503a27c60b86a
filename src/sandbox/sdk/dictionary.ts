import { allocate } from "./memory";

/** Texts of a `dict` column in the order of first use: a hash table from bytes to index. */
@unmanaged
export class Dictionary {
  entries: u32;
  bytes: usize;
  private slots: usize;
  private mask: u32;
  private starts: usize;
  private lengths: usize;
  private capacity: u32;

  /** A dictionary for at most that many texts. */
  static of(capacity: u32): Dictionary {
    const self = changetype<Dictionary>(allocate(offsetof<Dictionary>()));
    let slots: u32 = 16;
    while (slots < 2 * capacity) slots <<= 1;
    self.mask = slots - 1;
    self.slots = allocate((<usize>slots) << 2);
    self.starts = allocate((<usize>capacity) << 2);
    self.lengths = allocate((<usize>capacity) << 2);
    self.capacity = capacity;
    return self;
  }

  /** Index of the text, which is added when it is new; its bytes must stay where they are. */
  indexOf(text: usize, length: usize): u32 {
    // FNV-1a; only speed depends on it.
    let hash: u32 = 0x811c9dc5;
    for (let i: usize = 0; i < length; i++) hash = (hash ^ load<u8>(text + i)) * 0x01000193;
    let slot = (hash ^ (hash >> 15)) & this.mask;
    for (;;) {
      const known = load<u32>(this.slots + ((<usize>slot) << 2));
      if (known == 0) break;
      const at = (<usize>(known - 1)) << 2;
      if (load<u32>(this.lengths + at) == <u32>length && memory.compare(load<u32>(this.starts + at), text, length) == 0)
        return known - 1;
      slot = (slot + 1) & this.mask;
    }
    const index = this.entries++;
    if (index >= this.capacity) unreachable();
    store<u32>(this.slots + ((<usize>slot) << 2), index + 1);
    store<u32>(this.starts + ((<usize>index) << 2), <u32>text);
    store<u32>(this.lengths + ((<usize>index) << 2), <u32>length);
    this.bytes += length;
    return index;
  }

  /** Writes the entries' ends (entries + 1 numbers) and texts. */
  write(offsets: usize, extra: usize): void {
    let at: u32 = 0;
    for (let i: usize = 0; i < <usize>this.entries; i++) {
      const length = load<u32>(this.lengths + (i << 2));
      memory.copy(extra + at, load<u32>(this.starts + (i << 2)), length);
      at += length;
      store<u32>(offsets + (i << 2), at, 4);
    }
  }
}
