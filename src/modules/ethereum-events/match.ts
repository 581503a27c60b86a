import { jsonOf } from "./json";
import { dataAt, dataEnd, addressAt, topicAt, topicCount } from "./logs";
import { ADDRESS_COLUMN, Allowed, Event, firstAllowed, firstEvent, Parameter } from "./plan";
import { headBytes, isDynamic, isSound, isUtf8, isWord, lengthIn } from "./value";

const WORD: usize = 32;
const WHERE = memory.data(32, 16);

/** What became of a log. */
export namespace Fate {
  /** It is of another event, or not let through. */
  export const OTHER: i32 = 0;
  export const DECODED: i32 = 1;
  /** It has no topic, so nothing tells its event. */
  export const ANONYMOUS: i32 = 2;
  /** It is of an event by its first topic, and has another number of topics. */
  export const TOPICS: i32 = 3;
  /** It is of an event, and its data or a topic is not what an encoder writes. */
  export const MALFORMED: i32 = 4;
}

/** The event of the log that was matched last, and the rows that it makes. */
export let matched: usize = 0;
export let matchedRows: i32 = 0;

/** Finds the event of the log that was opened, and checks all of its values. */
export function fateOf(row: i32): i32 {
  if (!isAddressAllowed()) return Fate.OTHER;
  matchedRows = 1;
  let known = false;
  for (let event = firstEvent; event != 0; event = <usize>load<u32>(event)) {
    const topic = <usize>load<u32>(event, Event.TOPIC);
    if (topic != 0) {
      if (topicCount == 0 || !isSame(topic, topicAt(row, 0))) continue;
      known = true;
    }
    if (load<u32>(event, Event.TOPICS) != topicCount) continue;
    matched = event;
    if (!isAllowed(event, row)) return Fate.OTHER;
    const sound = isEventSound(event, row);
    // Nothing tells an anonymous event but that its values can be read.
    if (!sound && topic == 0) continue;
    return sound ? Fate.DECODED : Fate.MALFORMED;
  }
  return known ? Fate.TOPICS : topicCount == 0 ? Fate.ANONYMOUS : Fate.OTHER;
}

function isSame(a: usize, b: usize): bool {
  return (
    load<u64>(a) == load<u64>(b) &&
    load<u64>(a, 8) == load<u64>(b, 8) &&
    load<u64>(a, 16) == load<u64>(b, 16) &&
    load<u64>(a, 24) == load<u64>(b, 24)
  );
}

function isAddressAllowed(): bool {
  let asked = false;
  for (let at = firstAllowed; at != 0; at = <usize>load<u32>(at)) {
    if (load<i32>(at, Allowed.COLUMN) != ADDRESS_COLUMN) continue;
    asked = true;
    const word = at + Allowed.WORD + 12;
    if (
      load<u64>(word, 12) == load<u64>(addressAt, 12) &&
      load<u64>(word) == load<u64>(addressAt) &&
      load<u32>(word, 8) == load<u32>(addressAt, 8)
    )
      return true;
  }
  return !asked;
}

/** Whether each column that `where` names has one of its values. What the log lacks of a value counts as another. */
function isAllowed(event: usize, row: i32): bool {
  for (let at = firstAllowed; at != 0; at = <usize>load<u32>(at)) {
    const column = load<i32>(at, Allowed.COLUMN);
    if (column == ADDRESS_COLUMN || !isFirstOf(at, column)) continue;
    const word = wordOf(event, <u32>column, row);
    if (word == 0) return false;
    let found = false;
    for (let other = at; other != 0 && !found; other = <usize>load<u32>(other))
      found = load<i32>(other, Allowed.COLUMN) == column && isSame(other + Allowed.WORD, word);
    if (!found) return false;
  }
  return true;
}

function isFirstOf(allowed: usize, column: i32): bool {
  for (let at = firstAllowed; at != allowed; at = <usize>load<u32>(at))
    if (load<i32>(at, Allowed.COLUMN) == column) return false;
  return true;
}

/** The word of an event's parameter for a column; 0 where there is none. */
function wordOf(event: usize, column: u32, row: i32): usize {
  let head = dataAt;
  for (let at = <usize>load<u32>(event, Event.FIRST_PARAMETER); at != 0; at = <usize>load<u32>(at)) {
    const isIndexed = load<u32>(at, Parameter.INDEXED) != 0;
    const type = <usize>load<u32>(at, Parameter.TYPE);
    if (load<u32>(at, Parameter.COLUMN) == column) {
      if (isIndexed) return topicAt(row, load<u32>(at, Parameter.PLACE));
      if (!isWord(type) || dataEnd - dataAt < head - dataAt + WORD) return 0;
      memory.copy(WHERE, head, WORD);
      return WHERE;
    }
    if (!isIndexed) head += headBytes(type);
  }
  return 0;
}

function isEventSound(event: usize, row: i32): bool {
  let head = dataAt;
  let expanded = -1;
  for (let at = <usize>load<u32>(event, Event.FIRST_PARAMETER); at != 0; at = <usize>load<u32>(at)) {
    const type = <usize>load<u32>(at, Parameter.TYPE);
    if (load<u32>(at, Parameter.INDEXED) != 0) {
      // What does not fit into a topic stands there by its hash.
      if (isWord(type) && !isSound(type, topicAt(row, load<u32>(at, Parameter.PLACE)))) return false;
      continue;
    }
    const bytes = headBytes(type);
    if (<usize>(dataEnd - head) < bytes) return false;
    if (load<u32>(at, Parameter.EXPANDED) != 0) {
      const count = itemsOf(type, head);
      if (count < 0 || (expanded >= 0 && expanded != count)) return false;
      expanded = count;
    } else if (!isValueSound(type, head)) return false;
    head += bytes;
  }
  if (expanded >= 0) matchedRows = expanded;
  return true;
}

function isValueSound(type: usize, head: usize): bool {
  if (isWord(type)) return isSound(type, head);
  const letter = load<u8>(type);
  if (letter != 0x73 && letter != 0x79) return jsonOf(type, head, dataAt, dataEnd) != 0;
  const at = tailOf(head);
  if (at == 0) return false;
  const length = lengthIn(at);
  if (length > <usize>(dataEnd - at) - WORD) return false;
  return letter == 0x79 || isUtf8(at + WORD, length);
}

/** Where the tail of a dynamic value lies; 0 where its offset leads out of the data. */
export function tailOf(head: usize): usize {
  const offset = lengthIn(head);
  const bytes = dataEnd - dataAt;
  return offset > bytes || bytes - offset < WORD ? 0 : dataAt + offset;
}

/** Items of a list of words, all of which are sound; -1 where it is malformed. */
function itemsOf(type: usize, head: usize): i32 {
  const at = tailOf(head);
  if (at == 0 || !isDynamic(type)) return -1;
  const count = lengthIn(at);
  if (count > (<usize>(dataEnd - at) - WORD) / WORD) return -1;
  // `[]` stands before the items' type.
  for (let i: usize = 0; i < count; i++) if (!isSound(type + 2, at + WORD + i * WORD)) return -1;
  return <i32>count;
}
