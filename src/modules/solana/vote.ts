// Instructions of the vote program (agave `vote-interface`, `instruction.rs` and `state/vote_instruction_*`): a number of 32 bits, then
// bincode, or the compact forms of later ones.

import { allocate } from "../../sandbox/sdk/index";
import { Instruction } from "./transaction";

const VOTE = 2;
const VOTE_SWITCH = 6;
const UPDATE = 8;
const UPDATE_SWITCH = 9;
const COMPACT_UPDATE = 12;
const COMPACT_UPDATE_SWITCH = 13;
const TOWER_SYNC = 14;
const TOWER_SYNC_SWITCH = 15;
/** Votes that one instruction lists: far more than the 31 that a tower holds. */
const SLOTS_MAX: u64 = 1024;
/** Seconds that still are microseconds in 64 bits. */
const TIME_MAX: i64 = 1 << 40;

/** A vote. `kind` is -1 for an instruction that is none. */
@unmanaged
export class Vote {
  block: i32;
  transaction: i32;
  outer: i32;
  kind: i32;
  /** Numbers of keys, -1 where there is none. */
  account: i32;
  authority: i32;
  /** How many slots it votes for, and the last of them. */
  slots: i32;
  lastSlot: u64;
  root: u64;
  hasRoot: bool;
  /** Address of the bank hash of the last one. */
  hash: usize;
  time: i64;
  hasTime: bool;
}

let at: usize = 0;
let end: usize = 0;
let isCut: bool = false;

/** Reads an instruction of the vote program; what is cut short, as only a failed transaction can have it, is no vote. */
export function readVote(instruction: Instruction): Vote {
  const vote = changetype<Vote>(allocate(offsetof<Vote>()));
  vote.outer = instruction.outer;
  vote.kind = -1;
  at = instruction.data();
  end = at + instruction.dataLength();
  isCut = false;
  const kind = <i32>number(4);
  const isOld = kind == VOTE || kind == VOTE_SWITCH;
  const isUpdate = kind == UPDATE || kind == UPDATE_SWITCH;
  const isCompact =
    kind == COMPACT_UPDATE || kind == COMPACT_UPDATE_SWITCH || kind == TOWER_SYNC || kind == TOWER_SYNC_SWITCH;
  if (isOld) readSlots(vote, 8);
  else if (isUpdate) readLockouts(vote);
  else if (isCompact) readCompact(vote);
  else return vote;
  vote.hash = take(32);
  if (number(1) == 1) {
    vote.time = <i64>number(8);
    vote.hasTime = vote.time >= -TIME_MAX && vote.time <= TIME_MAX;
  }
  if (isCut) return vote;
  vote.kind = kind;
  vote.account = instruction.account(0);
  vote.authority = instruction.account(isOld ? 3 : 1);
  return vote;
}

function readSlots(vote: Vote, step: usize): void {
  const count = number(8);
  if (count > SLOTS_MAX) isCut = true;
  for (let i: u64 = 0; i < count && !isCut; i++) {
    vote.lastSlot = number(8);
    if (step > 8) take(step - 8);
    vote.slots++;
  }
}

function readLockouts(vote: Vote): void {
  readSlots(vote, 12);
  if (number(1) == 1) {
    vote.root = number(8);
    vote.hasRoot = true;
  }
}

/** Slots as differences, each from the one before, the first from the root. */
function readCompact(vote: Vote): void {
  vote.root = number(8);
  vote.hasRoot = vote.root != u64.MAX_VALUE;
  let slot = vote.hasRoot ? vote.root : 0;
  const count = varint();
  if (count > SLOTS_MAX) isCut = true;
  for (let i: u64 = 0; i < count && !isCut; i++) {
    slot += varint();
    take(1);
    vote.slots++;
  }
  vote.lastSlot = slot;
}

function take(bytes: usize): usize {
  const begin = at;
  if (end - at < bytes) {
    isCut = true;
    at = end;
    return begin;
  }
  at += bytes;
  return begin;
}

/** A number of so many bytes, the lowest first. */
function number(bytes: usize): u64 {
  const from = take(bytes);
  if (isCut) return 0;
  let value: u64 = 0;
  for (let i = bytes; i > 0; i--) value = (value << 8) | <u64>load<u8>(from + i - 1);
  return value;
}

/** A number in bytes of seven bits, the lowest first. */
function varint(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 7) {
    const byte = number(1);
    value |= (byte & 127) << shift;
    if (byte < 128) return value;
  }
  isCut = true;
  return 0;
}
