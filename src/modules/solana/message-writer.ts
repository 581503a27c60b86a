// Writes a message as it was signed from what JSON says of it: see transaction-wire.ts for its form.

import { allocate } from "../../sandbox/sdk/index";
import { malformed, Place } from "../json/place";
import { countValues, hasValue, nextValue, openArray, skipString, skipValue } from "../json/scanner";
import { decodeBase58 } from "./base58";
import { Block } from "./block";
import { Key } from "./keys";
import { FORM_BYTES, note, readMembers } from "./members";
import { readByte } from "./message-json";
import { KEY_BYTES, KEY_TEXT_MAX, Transaction } from "./transaction";

/** Most bytes of a message: far more than the 1,232 of a packet, and than the 4,096 that SIMD-0296 proposes. */
const MESSAGE_BYTES_MAX: usize = 16_384;

let buffer: usize = 0;
let at: usize = 0;
let end: usize = 0;

/** Writes the message of a transaction; it stays until the next one. */
export function writeMessage(block: Block, transaction: Transaction): void {
  if (buffer == 0) buffer = allocate(MESSAGE_BYTES_MAX);
  at = buffer;
  end = buffer + MESSAGE_BYTES_MAX;
  if (transaction.version >= 0) byte(128 | transaction.version);
  byte(transaction.requiredSignatures);
  byte(transaction.readonlySigned);
  byte(transaction.readonlyUnsigned);
  length(transaction.staticCount);
  for (let i = 0; i < transaction.staticCount; i++) {
    const key = transaction.key(i);
    base58(key.text, key.textLength, KEY_BYTES);
  }
  keyText(transaction.blockhashAt);
  writeInstructions(block, transaction);
  if (transaction.version >= 0) writeLookups(transaction.lookupsAt);
  transaction.message = buffer;
  transaction.messageLength = <i32>(at - buffer);
}

function writeInstructions(block: Block, transaction: Transaction): void {
  length(transaction.instructionCount);
  for (let i = 0; i < transaction.instructionCount; i++) {
    const instruction = block.instruction(transaction.firstInstruction + i);
    byte(instruction.program);
    length(instruction.accountCount);
    const accounts = room(<usize>instruction.accountCount);
    memory.copy(accounts, instruction.accounts, <usize>instruction.accountCount);
    length(instruction.dataLength());
    const data = room(<usize>instruction.dataLength());
    memory.copy(data, instruction.data(), <usize>instruction.dataLength());
  }
}

function writeLookups(tables: usize): void {
  if (tables == 0) {
    length(0);
    return;
  }
  length(countValues(tables));
  for (let p = openArray(tables); hasValue(p); ) {
    memory.fill(changetype<usize>(lookup), 0, offsetof<Lookup>());
    const end = readMembers(p, LOOKUP, changetype<usize>(lookup));
    if (lookup.key == 0 || lookup.writable == 0 || lookup.readonly == 0)
      malformed(p, "an address table without its key or indexes");
    keyText(lookup.key);
    bytes(lookup.writable);
    bytes(lookup.readonly);
    p = nextValue(end);
  }
}

/** Where the parts of an address table's lookup stand. */
@unmanaged
class Lookup {
  key: usize;
  writable: usize;
  readonly: usize;
}

const LOOKUP = memory.data(FORM_BYTES, 16);
const lookup = changetype<Lookup>(memory.data(16, 8));

/** Fills the form of this file. */
export function openLookups(): void {
  note(LOOKUP, Key.ACCOUNT_KEY, offsetof<Lookup>("key"));
  note(LOOKUP, Key.WRITABLE_INDEXES, offsetof<Lookup>("writable"));
  note(LOOKUP, Key.READONLY_INDEXES, offsetof<Lookup>("readonly"));
}

/** A list of numbers as bytes. */
function bytes(list: usize): void {
  length(countValues(list));
  for (let p = openArray(list); hasValue(p); p = nextValue(skipValue(p))) byte(readByte(p));
}

/** A string of 32 bytes in Base58. */
function keyText(text: usize): void {
  const textLength = <i32>(skipString(text) - text) - 2;
  if (textLength > KEY_TEXT_MAX) malformed(text, "no 32 bytes in Base58");
  base58(text + 1, textLength, KEY_BYTES);
}

function base58(text: usize, textLength: i32, size: i32): void {
  const target = room(<usize>size);
  if (decodeBase58(text, <usize>textLength, target, size) != size) malformed(text, "no 32 bytes in Base58");
}

function length(value: i32): void {
  if (value < 128) return byte(value);
  byte(128 | (value & 127));
  if (value < 16_384) return byte(value >> 7);
  byte(128 | ((value >> 7) & 127));
  byte(value >> 14);
}

@inline
function byte(value: i32): void {
  store<u8>(room(1), <u8>value);
}

function room(size: usize): usize {
  const from = at;
  if (end - at < size) malformed(Place.start, "a message of more than 16 KiB");
  at += size;
  return from;
}
