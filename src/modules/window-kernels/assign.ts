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

// Behind the event times of a chunk, 4096 of them, stand its ids and slots: one address leads to all.
const IDS: usize = 32_768;
const SLOTS: usize = 49_152;

/**
 * Gives rows `from` to `to` the slots of their key in the pane that their time lies in, 0 where that has closed; makes groups that
 * are not there. Returns the row that comes next, and in the control block why.
 */
export function assign(control: usize, ring: usize, times: usize, marks: usize, from: i32, to: i32): i32 {
  const idMax = load<i32>(control, ID_MAX);
  const touched = <usize>load<u32>(control, TOUCHED);
  let newest = load<f64>(control, NEWEST);
  // Two panes, one behind the other, from `start` to `end`: near their border rows lie in either, and no branch could foresee it.
  let start = NaN;
  let middle = NaN;
  let end = NaN;
  let first: usize = 0;
  let reason = DONE;
  let at = (<usize>from) << 2;
  const last = (<usize>to) << 2;
  for (; at < last; at += 4) {
    const time = load<f64>(times + (at << 1));
    if (!(time >= start && time < end)) {
      const size = load<f64>(control, SIZE);
      const number = Math.floor((time - load<f64>(control, OFFSET)) / size);
      const found = entryOf(ring, number);
      if (load<f64>(found, NUMBER) != number) {
        reason = NEEDS_PANE;
        break;
      }
      const isLater = time >= end;
      first = found;
      start = number * size + load<f64>(control, OFFSET);
      middle = start + size;
      end = middle;
      const other = isLater ? number - 1.0 : number + 1.0;
      const neighbour = entryOf(ring, other);
      if (load<f64>(neighbour, NUMBER) == other) {
        if (isLater && found == neighbour + ENTRY_BYTES) {
          first = neighbour;
          middle = start;
          start -= size;
        } else if (!isLater && neighbour == found + ENTRY_BYTES) {
          end += size;
        }
      }
    }
    const entry = first + <usize>(<i32>(time >= middle)) * ENTRY_BYTES;
    if (load<f64>(entry, CLOSES) <= newest) {
      store<i32>(times + at, 0, SLOTS);
      store<i32>(control, 1, LATE);
    } else {
      const table = <usize>load<u32>(entry, TABLE);
      if (table == 0) {
        reason = NEEDS_PANE;
        break;
      }
      const mask = load<i32>(entry, MASK);
      const id = load<i32>(times + at, IDS);
      let place = id & mask;
      let slot = load<i32>(table + ((<usize>place) << 2));
      if (mask < idMax) {
        const slotIds = <usize>load<u32>(control, SLOT_IDS);
        while (slot != 0 && load<i32>(slotIds + ((<usize>slot) << 2)) != id) {
          place = (place + 1) & mask;
          slot = load<i32>(table + ((<usize>place) << 2));
        }
      }
      if (slot == 0) {
        slot = begin(control, entry, <i32>(at >> 2), id);
        if (slot == 0) {
          reason = NEEDS_ROOM;
          break;
        }
        store<i32>(table + ((<usize>place) << 2), slot);
        store<i32>(<usize>load<u32>(control, SLOT_IDS) + ((<usize>slot) << 2), id);
      }
      store<i32>(times + at, slot, SLOTS);
      store<u8>(touched + <usize>slot, 1);
    }
    let mark = time;
    if (marks != times) mark = load<f64>(marks + (at << 1));
    if (mark > newest) {
      newest = mark;
      if (newest >= load<f64>(control, NEXT_DUE)) {
        at += 4;
        reason = IS_DUE;
        break;
      }
    }
  }
  store<f64>(control, newest, NEWEST);
  store<i32>(control, reason, REASON);
  return <i32>(at >> 2);
}

// @ts-ignore: decorator
@inline
function entryOf(ring: usize, number: f64): usize {
  return ring + <usize>(<i64>number & ENTRIES_MASK) * ENTRY_BYTES;
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
