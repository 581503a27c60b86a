// Lists and tuples as JSON text: integers as decimal strings (they may be larger than a JSON number may safely be), addresses and bytes as
// 0x and hexadecimal digits, tuples as lists. Offsets may lead to the same bytes again and again, so the text has a limit.
import { allocate } from "../../sandbox/sdk/index";
import { decimalAt, decimalOf } from "../ethereum/decimal";
import { headBytes, isDynamic, isSound, isUtf8, isWord, lengthIn, sizeAt, typeEnd } from "./value";

const WORD: usize = 32;
const TEXT_BYTES_MAX: usize = 1024 * 1024;

let text: usize = 0;
let used: usize = 0;
let isBroken = false;

/** Where the text lies that {@link jsonOf} wrote. */
export function jsonText(): usize {
  return text;
}

/**
 * Writes a value of the data between `base` and `end`, whose head is at `head`, and returns the text's length; 0 where it is malformed
 * or its text has more than 1 MiB.
 */
export function jsonOf(type: usize, head: usize, base: usize, end: usize): usize {
  if (text == 0) text = allocate(TEXT_BYTES_MAX + 128);
  used = 0;
  isBroken = false;
  write(type, head, base, end);
  return isBroken ? 0 : used;
}

function write(type: usize, head: usize, base: usize, end: usize): void {
  if (isBroken) return;
  if (head > end || end - head < WORD) return broken();
  const dynamic = isDynamic(type);
  let at = head;
  if (dynamic) {
    const offset = lengthIn(head);
    if (offset > end - base || end - base - offset < WORD) {
      // An empty tail is none: a dynamic value has a length, or a head of its own.
      return broken();
    }
    at = base + offset;
  }
  const letter = load<u8>(type);
  if (letter == 0x5b) return list(type, at, end);
  if (letter == 0x28) return tuple(type + 1, at, end);
  if (letter == 0x73 || letter == 0x79) return bytes(letter == 0x73, at, end);
  word(type, at);
}

function list(type: usize, from: usize, end: usize): void {
  let at = from;
  let count = <usize>sizeAt(type + 1);
  const item = typeEnd + 1;
  if (load<u8>(type + 1) == 0x5d) {
    count = lengthIn(at);
    at += WORD;
  }
  const step = headBytes(item);
  if (step != 0 && count > (end - at) / step) return broken();
  if (step == 0 && count > 0) return broken();
  put(0x5b);
  for (let i: usize = 0; i < count && !isBroken; i++) {
    if (i > 0) put(0x2c);
    write(item, at + i * step, at, end);
  }
  put(0x5d);
}

function tuple(types: usize, base: usize, end: usize): void {
  let type = types;
  let at = base;
  put(0x5b);
  while (load<u8>(type) != 0x29 && !isBroken) {
    if (type != types) put(0x2c);
    write(type, at, base, end);
    at += headBytes(type);
    type = typeEnd;
  }
  put(0x5d);
}

function bytes(isText: bool, at: usize, end: usize): void {
  const length = lengthIn(at);
  const from = at + WORD;
  if (length > end - from) return broken();
  put(0x22);
  if (isText) {
    if (!isUtf8(from, length)) return broken();
    for (let i: usize = 0; i < length && !isBroken; i++) character(load<u8>(from + i));
  } else hex(from, length);
  put(0x22);
}

function character(byte: u8): void {
  if (byte == 0x22 || byte == 0x5c) put(0x5c);
  else if (byte < 0x20) {
    put(0x5c);
    put(0x75);
    put(0x30);
    put(0x30);
    put(0x30 + (byte >> 4));
    return put(digit(byte & 15));
  }
  put(byte);
}

function word(type: usize, at: usize): void {
  if (!isWord(type) || !isSound(type, at)) return broken();
  const letter = load<u8>(type);
  if (letter == 0x62) {
    const isTrue = load<u8>(at, 31) != 0;
    if (isTrue) {
      store<u32>(text + used, 0x65757274); // true
      used += 4;
    } else {
      store<u32>(text + used, 0x736c6166); // fals
      store<u8>(text + used, 0x65, 4);
      used += 5;
    }
    return put0();
  }
  put(0x22);
  if (letter == 0x61) hex(at + 12, 20);
  else if (letter == 0x66) hex(at, sizeAt(type + 1));
  else {
    const length = integerText(letter == 0x69, at, text + used);
    used += length;
  }
  put(0x22);
}

const MAGNITUDE = memory.data(32, 16);

/** Writes an integer of 256 bits in decimal digits (at most 79 characters), and returns their number. */
export function integerText(isSigned: bool, word: usize, to: usize): usize {
  if (!isSigned || load<u8>(word) < 0x80) {
    const length = decimalOf(word, WORD);
    memory.copy(to, decimalAt, length);
    return length;
  }
  let carry: u32 = 1;
  for (let i = WORD; i-- > 0; ) {
    const sum = <u32>(<u8>~load<u8>(word + i)) + carry;
    store<u8>(MAGNITUDE + i, <u8>sum);
    carry = sum >> 8;
  }
  const length = decimalOf(MAGNITUDE, WORD);
  store<u8>(to, 0x2d);
  memory.copy(to + 1, decimalAt, length);
  return length + 1;
}

function hex(at: usize, length: usize): void {
  put(0x30);
  put(0x78);
  if (used + 2 * length > TEXT_BYTES_MAX) return broken();
  hexText(at, length, text + used);
  used += 2 * length;
}

/** Writes bytes in hexadecimal digits. */
export function hexText(at: usize, length: usize, to: usize): void {
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(at + i);
    store<u8>(to + 2 * i, digit(byte >> 4));
    store<u8>(to + 2 * i + 1, digit(byte & 15));
  }
}

function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

function put(byte: u8): void {
  if (used >= TEXT_BYTES_MAX) return broken();
  store<u8>(text + used, byte);
  used++;
}

function put0(): void {
  if (used >= TEXT_BYTES_MAX) broken();
}

function broken(): void {
  isBroken = true;
}
