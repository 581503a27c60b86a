import { isNull } from "../json/characters";
import { malformed } from "../json/place";
import {
  hasMember,
  hasValue,
  integerEnd,
  isText,
  nextMember,
  nextValue,
  openArray,
  openObject,
  readInteger,
  skipName,
  skipString,
  skipValue,
  toValue,
} from "../json/scanner";
import { allocate } from "../../sandbox/sdk/index";
import { Block } from "./block";
import { readByte } from "./message-json";
import { DATA_TEXT_MAX, Instruction, Transaction } from "./transaction";
import { unsupported } from "./transaction-json";

/** Reads the instructions of a message into the block's list. */
export function readInstructions(block: Block, transaction: Transaction): void {
  let p = openArray(transaction.instructionsAt);
  let outer = 0;
  while (hasValue(p)) {
    const instruction = changetype<Instruction>(block.instructions.push());
    instruction.outer = outer++;
    instruction.inner = -1;
    const end = readInstruction(instruction, transaction, transaction.staticCount, p);
    // The node gives 1, or nothing.
    instruction.depth = 1;
    p = nextValue(end);
  }
}

/** Reads the instructions that those of the message led to, as the node gives them, in the order of execution. */
export function readInner(block: Block, transaction: Transaction): void {
  transaction.firstInner = block.inner.count;
  if (transaction.innerAt != 0) {
    for (let p = openArray(transaction.innerAt); hasValue(p); ) p = nextValue(readGroup(block, transaction, p));
  }
  transaction.innerCount = block.inner.count - transaction.firstInner;
}

function readGroup(block: Block, transaction: Transaction, at: usize): usize {
  let outer = -1;
  let list: usize = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const end = skipName(p);
    const value = toValue(end);
    if (isText(p, end, "index")) {
      if (outer >= 0) malformed(p, "a name that stands there twice");
      outer = readByte(value);
    } else if (isText(p, end, "instructions")) {
      if (list != 0) malformed(p, "a name that stands there twice");
      list = value;
    }
    p = nextMember(skipValue(value));
  }
  if (outer < 0 || list == 0) malformed(at, "inner instructions without index or instructions");
  if (outer >= transaction.instructionCount) malformed(at, "inner instructions of an instruction that is not there");
  const last = block.inner.count - 1;
  if (last >= transaction.firstInner && block.innerInstruction(last).outer >= outer)
    malformed(at, "inner instructions out of order");
  let inner = 0;
  for (let q = openArray(list); hasValue(q); ) {
    const instruction = changetype<Instruction>(block.inner.push());
    instruction.outer = outer;
    instruction.inner = inner++;
    q = nextValue(readInstruction(instruction, transaction, transaction.keyCount, q));
  }
  return p + 1;
}

function readInstruction(instruction: Instruction, transaction: Transaction, programs: i32, at: usize): usize {
  let seen = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    let known = 0;
    if (isText(name, end, "programIdIndex")) {
      known = 1;
      instruction.program = readByte(value);
      if (instruction.program >= programs) malformed(value, "a program that is none of the keys");
      p = skipValue(value);
    } else if (isText(name, end, "accounts")) {
      known = 2;
      p = readAccounts(instruction, transaction.keyCount, value);
    } else if (isText(name, end, "data")) {
      known = 4;
      p = skipString(value);
      instruction.text = value + 1;
      instruction.textLength = <i32>(p - value) - 2;
      if (instruction.textLength > DATA_TEXT_MAX) malformed(value, "data of more than 10 KiB");
    } else {
      if (isText(name, end, "stackHeight") && !isNull(value)) instruction.depth = readByte(value);
      p = skipValue(value);
    }
    if ((seen & known) != 0) malformed(name, "a name that stands there twice");
    seen |= known;
    p = nextMember(p);
  }
  if (seen == 0 || seen == 6) unsupported("jsonParsed");
  if (seen != 7) malformed(at, "an instruction without programIdIndex, accounts or data");
  return p + 1;
}

let room: usize = 0;
let roomEnd: usize = 0;
const ROOM: usize = 65_536;

function readAccounts(instruction: Instruction, keys: i32, at: usize): usize {
  if (roomEnd - room < 256) {
    room = allocate(ROOM);
    roomEnd = room + ROOM;
  }
  instruction.accounts = room;
  let p = openArray(at);
  let count = 0;
  while (hasValue(p)) {
    const account = readByte(p);
    if (account >= keys) malformed(p, "an account that is none of the keys");
    if (count == 256) malformed(p, "more than 256 accounts");
    store<u8>(room + count, <u8>account);
    count++;
    p = nextValue(integerEnd);
  }
  instruction.accountCount = count;
  room += <usize>count;
  return p + 1;
}
