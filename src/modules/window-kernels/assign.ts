// Offsets into the control block, as src/streams/window/pane-kernel.ts writes it.
const NEWEST: usize = 0;
const NEXT_DUE: usize = 8;
const OFFSET: usize = 16;
const SIZE: usize = 24;
const GROUP_BYTES: usize = 32;
const REASON: usize = 40;
const LATE: usize = 44;
const NEXT_SLOT: usize = 48;
const CAPACITY: usize = 52;
const FREE: usize = 56;
const FREE_COUNT: usize = 60;
const ID_MAX: usize = 64;
const SLOT_IDS: usize = 68;
const TOUCHED: usize = 72;
const LENGTHS: usize = 76;
const LENGTHS_SIZE: usize = 80;
const FRESH: usize = 84;
const FRESH_COUNT: usize = 88;

// An entry of the ring of panes.
const ENTRY_BYTES: usize = 40;
const ENTRIES_MASK: i64 = 63;
const NUMBER: usize = 0;
const CLOSES: usize = 8;
const BYTES: usize = 16;
const TABLE: usize = 24;
const MASK: usize = 28;
const ROOM: usize = 32;
const MADE: usize = 36;

/** Why it stopped: all rows done, a pane that the ring has not, no room for another group, a window that is due. */
const DONE: i32 = 0;
const NEEDS_PANE: i32 = 1;
const NEEDS_ROOM: i32 = 2;
const IS_DUE: i32 = 3;

/**
 * Gives rows `from` to `to` the slots of their key in the pane that their time lies in, 0 where that has closed; makes groups that
 * are not there. Returns the row that comes next, and in the control block why.
 */
export function assign(control: usize, ring: usize, times: usize, marks: usize, ids: usize, slots: usize, from: i32, to: i32): i32 {
  const offset = load<f64>(control, OFFSET);
  const size = load<f64>(control, SIZE);
  const nextDue = load<f64>(control, NEXT_DUE);
  const slotIds = <usize>load<u32>(control, SLOT_IDS);
  const touched = <usize>load<u32>(control, TOUCHED);
  const idMax = load<i32>(control, ID_MAX);
  let newest = load<f64>(control, NEWEST);
  let start = NaN;
  let end = NaN;
  let closes = NaN;
  let entry: usize = 0;
  let table: usize = 0;
  let mask: i32 = 0;
  let i = from;
  let reason = DONE;
  for (; i < to; i++) {
    const at = (<usize>i) << 2;
    const time = load<f64>(times + (at << 1));
    if (!(time >= start && time < end)) {
      const number = Math.floor((time - offset) / size);
      entry = ring + <usize>(<i64>number & ENTRIES_MASK) * ENTRY_BYTES;
      if (load<f64>(entry, NUMBER) != number) {
        reason = NEEDS_PANE;
        break;
      }
      start = number * size + offset;
      end = start + size;
      closes = load<f64>(entry, CLOSES);
      table = <usize>load<u32>(entry, TABLE);
      mask = load<i32>(entry, MASK);
    }
    if (closes <= newest) {
      store<i32>(slots + at, 0);
      store<i32>(control, 1, LATE);
    } else {
      if (table == 0) {
        reason = NEEDS_PANE;
        break;
      }
      const id = load<i32>(ids + at);
      let place = id & mask;
      let slot = load<i32>(table + ((<usize>place) << 2));
      if (mask < idMax) {
        while (slot != 0 && load<i32>(slotIds + ((<usize>slot) << 2)) != id) {
          place = (place + 1) & mask;
          slot = load<i32>(table + ((<usize>place) << 2));
        }
      }
      if (slot == 0) {
        slot = begin(control, entry, i, id);
        if (slot == 0) {
          reason = NEEDS_ROOM;
          break;
        }
        store<i32>(table + ((<usize>place) << 2), slot);
        store<i32>(slotIds + ((<usize>slot) << 2), id);
      }
      store<i32>(slots + at, slot);
      store<u8>(touched + <usize>slot, 1);
    }
    const mark = load<f64>(marks + (at << 1));
    if (mark > newest) {
      newest = mark;
      if (newest >= nextDue) {
        i++;
        reason = IS_DUE;
        break;
      }
    }
  }
  store<f64>(control, newest, NEWEST);
  store<i32>(control, reason, REASON);
  return i;
}

/** A slot for a new group of a pane; 0 where there is no room. */
function begin(control: usize, entry: usize, row: i32, id: i32): i32 {
  const room = load<i32>(entry, ROOM);
  if (room <= 0) return 0;
  let slot = 0;
  const free = load<i32>(control, FREE_COUNT);
  if (free > 0) {
    slot = load<i32>(<usize>load<u32>(control, FREE) + ((<usize>(free - 1)) << 2));
    store<i32>(control, free - 1, FREE_COUNT);
  } else {
    slot = load<i32>(control, NEXT_SLOT);
    if (slot >= load<i32>(control, CAPACITY)) return 0;
    store<i32>(control, slot + 1, NEXT_SLOT);
  }
  const length = id < load<i32>(control, LENGTHS_SIZE) ? load<u32>(<usize>load<u32>(control, LENGTHS) + ((<usize>id) << 2)) : 0;
  if (length == 0) {
    // Nobody knows yet what this key looks like.
    const fresh = load<i32>(control, FRESH_COUNT);
    store<i32>(<usize>load<u32>(control, FRESH) + ((<usize>fresh) << 3), row);
    store<i32>(<usize>load<u32>(control, FRESH) + ((<usize>fresh) << 3), <i32>entry, 4);
    store<i32>(control, fresh + 1, FRESH_COUNT);
  }
  store<i32>(entry, room - 1, ROOM);
  store<i32>(entry, load<i32>(entry, MADE) + 1, MADE);
  store<f64>(entry, load<f64>(entry, BYTES) + <f64>length + load<f64>(control, GROUP_BYTES), BYTES);
  return slot;
}
