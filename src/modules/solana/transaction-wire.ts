// A transaction as it is signed and sent (agave `sdk/transaction`, `short_vec`): signatures, then the message. Lists begin with their
// length in one to three bytes of seven bits, the lowest first.

import { malformed } from "../json/place";
import { Block } from "./block";
import { keyRoom, KEYS_MAX, readLoadedKeys } from "./message-json";
import { Instruction, KEY_BYTES, SIGNATURE_BYTES, Transaction } from "./transaction";

/** Where reading is, and where the bytes end. */
let at: usize = 0;
let end: usize = 0;
/** Where their text stands, for errors. */
let text: usize = 0;

/** Reads the bytes of a transaction. */
export function readWire(block: Block, transaction: Transaction, bytes: usize, length: i32): void {
  at = bytes;
  end = bytes + length;
  text = transaction.feeAt;
  const signatures = readLength();
  transaction.signatureCount = signatures;
  transaction.signatures = take(<usize>signatures * SIGNATURE_BYTES);
  if (signatures == 0) malformed(text, "a transaction without a signature");
  transaction.message = at;
  transaction.messageLength = <i32>(end - at);
  readVersion(transaction);
  transaction.requiredSignatures = byte();
  transaction.readonlySigned = byte();
  transaction.readonlyUnsigned = byte();
  readStaticKeys(transaction);
  take(KEY_BYTES);
  const first = block.instructions.count;
  for (let i = 0, n = readLength(); i < n; i++) readInstruction(block, transaction, i);
  if (transaction.version >= 0) {
    for (let i = 0, n = readLength(); i < n; i++) {
      take(KEY_BYTES);
      const writable = readLength();
      take(writable);
      const readonly = readLength();
      take(readonly);
      transaction.lookedUpWritable += writable;
      transaction.lookedUpReadonly += readonly;
    }
  }
  if (at != end) malformed(text, "more bytes than a transaction has");
  readLoadedKeys(transaction);
  checkAccounts(block, transaction, first);
}

function readVersion(transaction: Transaction): void {
  const first = at < end ? <i32>load<u8>(at) : 0;
  const version = first < 128 ? -1 : first - 128;
  if (version > 0) malformed(text, "a version of transactions that is not known");
  if (version != transaction.version) malformed(text, "another version than its bytes have");
  if (version >= 0) at++;
}

function readStaticKeys(transaction: Transaction): void {
  const count = readLength();
  if (count > KEYS_MAX) malformed(text, "more than 256 keys");
  transaction.keys = keyRoom();
  for (let i = 0; i < count; i++) transaction.key(i).bytes = take(KEY_BYTES);
  transaction.keyCount = count;
  transaction.staticCount = count;
}

function readInstruction(block: Block, transaction: Transaction, outer: i32): void {
  const instruction = changetype<Instruction>(block.instructions.push());
  instruction.outer = outer;
  instruction.inner = -1;
  instruction.depth = 1;
  instruction.program = byte();
  if (instruction.program >= transaction.staticCount) malformed(text, "a program that is none of the keys");
  instruction.accountCount = readLength();
  instruction.accounts = take(instruction.accountCount);
  const length = readLength();
  instruction.setData(take(length), length);
}

/** Accounts can be checked when all keys are known. */
function checkAccounts(block: Block, transaction: Transaction, first: i32): void {
  for (let i = first; i < block.instructions.count; i++) {
    const instruction = block.instruction(i);
    for (let n = 0; n < instruction.accountCount; n++) {
      if (instruction.account(n) >= transaction.keyCount) malformed(text, "an account that is none of the keys");
    }
  }
}

function take(bytes: usize): usize {
  const begin = at;
  if (end - at < bytes) malformed(text, "a transaction whose bytes are cut short");
  at += bytes;
  return begin;
}

@inline
function byte(): i32 {
  return <i32>load<u8>(take(1));
}

function readLength(): i32 {
  const first = byte();
  if (first < 128) return first;
  const second = byte();
  if (second < 128) {
    if (second == 0) malformed(text, "a length in more bytes than it needs");
    return (first & 127) | (second << 7);
  }
  const third = byte();
  if (third == 0 || third > 3) malformed(text, "a length beyond 65,535, or in more bytes than it needs");
  return (first & 127) | ((second & 127) << 7) | (third << 14);
}
