import { keep, keepSmall, release } from "./kept";

/** Offsets in a record: hash, key's length, value, key. */
const KEY_LENGTH = 4;
const VALUE = 8;
const SLOTS_MIN: usize = 16;

/** A map of a stateful module from keys of any bytes to values of one size, which lives from call to call. Nothing leaves it. */
@unmanaged
export class KeptMap {
  /** Keys in the map. */
  size: u32;
  private slots: usize;
  private table: usize;
  private valueBytes: usize;

  /** A map whose values have so many bytes. */
  static of(valueBytes: usize): KeptMap {
    const self = changetype<KeptMap>(keep(offsetof<KeptMap>()));
    self.valueBytes = (valueBytes + 7) & ~7;
    self.slots = SLOTS_MIN;
    self.table = keep(SLOTS_MIN << 2);
    return self;
  }

  /** Address of a key's value: 8-byte aligned, zero when the key is new. */
  value(key: usize, length: usize): usize {
    // FNV-1a; only speed depends on it.
    let hash: u32 = 0x811c9dc5;
    for (let i: usize = 0; i < length; i++) hash = (hash ^ load<u8>(key + i)) * 0x01000193;
    hash ^= hash >> 15;
    let slot = this.slotOf(hash);
    for (;;) {
      const record = load<usize>(slot);
      if (record == 0) break;
      const isSame =
        load<u32>(record) == hash &&
        load<u32>(record, KEY_LENGTH) == <u32>length &&
        memory.compare(record + VALUE + this.valueBytes, key, length) == 0;
      if (isSame) return record + VALUE;
      slot = this.next(slot);
    }
    const record = keepSmall(VALUE + this.valueBytes + length);
    store<u32>(record, hash);
    store<u32>(record, <u32>length, KEY_LENGTH);
    memory.copy(record + VALUE + this.valueBytes, key, length);
    store<usize>(slot, record);
    if (<usize>++this.size > this.slots >> 1) this.grow();
    return record + VALUE;
  }

  @inline
  private slotOf(hash: u32): usize {
    return this.table + ((<usize>hash & (this.slots - 1)) << 2);
  }

  @inline
  private next(slot: usize): usize {
    return slot + 4 == this.table + (this.slots << 2) ? this.table : slot + 4;
  }

  private grow(): void {
    const old = this.table;
    const bytes = this.slots << 2;
    this.slots <<= 1;
    this.table = keep(this.slots << 2);
    for (let at = old; at < old + bytes; at += 4) {
      const record = load<usize>(at);
      if (record == 0) continue;
      let slot = this.slotOf(load<u32>(record));
      while (load<usize>(slot) != 0) slot = this.next(slot);
      store<usize>(slot, record);
    }
    release(old, bytes);
  }
}
