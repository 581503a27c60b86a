import { isNull } from "../json/characters";
import { malformed } from "../json/place";
import { hasValue, integerEnd, nextValue, openArray, skipString } from "../json/scanner";
import { allocate } from "../../sandbox/sdk/index";
import { Block } from "./block";
import { Key } from "./keys";
import { FORM_BYTES, had, note, readBy, readMembers } from "./members";
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

/** The instructions that one of the message led to: its number, or -1, and where their list is. */
@unmanaged
class Group {
  outer: i32;
  list: usize;
}

const GROUP = memory.data(FORM_BYTES, 16);
const INSTRUCTION = memory.data(FORM_BYTES, 16);
const group = changetype<Group>(memory.data(8, 8));

/** Fills the forms of this file. */
export function openInstructions(): void {
  readBy(GROUP, Key.INDEX, groupIndex);
  note(GROUP, Key.INSTRUCTIONS, offsetof<Group>("list"));
  readBy(INSTRUCTION, Key.PROGRAM_ID_INDEX, programIdIndex);
  readBy(INSTRUCTION, Key.ACCOUNTS, readAccounts);
  readBy(INSTRUCTION, Key.DATA, readData);
  readBy(INSTRUCTION, Key.STACK_HEIGHT, stackHeight);
}

function groupIndex(at: usize, _record: usize): usize {
  group.outer = readByte(at);
  return integerEnd;
}

function readGroup(block: Block, transaction: Transaction, at: usize): usize {
  group.outer = -1;
  group.list = 0;
  const end = readMembers(at, GROUP, changetype<usize>(group));
  const outer = group.outer;
  const list = group.list;
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
  return end;
}

/** Keys that the instruction under way may name, and those of them that may be its program. */
let keys: i32 = 0;
let programs: i32 = 0;

function readInstruction(instruction: Instruction, transaction: Transaction, programsMax: i32, at: usize): usize {
  keys = transaction.keyCount;
  programs = programsMax;
  const end = readMembers(at, INSTRUCTION, changetype<usize>(instruction));
  const isWhole = had(Key.PROGRAM_ID_INDEX) && had(Key.ACCOUNTS) && had(Key.DATA);
  // What `jsonParsed` gives: programs by their ids.
  if (!had(Key.PROGRAM_ID_INDEX) && had(Key.ACCOUNTS) == had(Key.DATA)) unsupported("jsonParsed");
  if (!isWhole) malformed(at, "an instruction without programIdIndex, accounts or data");
  return end;
}

function programIdIndex(at: usize, record: usize): usize {
  const program = readByte(at);
  if (program >= programs) malformed(at, "a program that is none of the keys");
  changetype<Instruction>(record).program = program;
  return integerEnd;
}

function readData(at: usize, record: usize): usize {
  const instruction = changetype<Instruction>(record);
  const end = skipString(at);
  instruction.text = at + 1;
  instruction.textLength = <i32>(end - at) - 2;
  if (instruction.textLength > DATA_TEXT_MAX) malformed(at, "data of more than 10 KiB");
  return end;
}

function stackHeight(at: usize, record: usize): usize {
  if (isNull(at)) return at + 4;
  changetype<Instruction>(record).depth = readByte(at);
  return integerEnd;
}

let room: usize = 0;
let roomEnd: usize = 0;
const ROOM: usize = 65_536;

function readAccounts(at: usize, record: usize): usize {
  const instruction = changetype<Instruction>(record);
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
