import { isNull } from "../json/characters";
import { malformed } from "../json/place";
import {
  countValues,
  hasValue,
  integerEnd,
  isArray,
  isString,
  nextValue,
  openArray,
  readInteger,
  skipString,
  skipValue,
} from "../json/scanner";
import { allocate } from "../../sandbox/sdk/index";
import { Key } from "./keys";
import { FORM_BYTES, had, readBy, readMembers } from "./members";
import { Key as Account, KEY_TEXT_MAX, KEY_TEXT_MIN, SIGNATURE_TEXT_MAX, SIGNATURE_TEXT_MIN, Transaction } from "./transaction";
import { unsupported } from "./transaction-json";

/** Most keys that numbers of a byte can mean. */
export const KEYS_MAX = 256;

/** A number that fits a byte. */
export function readByte(at: usize): i32 {
  const value = readInteger(at);
  if (value > 255) malformed(at, "a number above 255");
  return <i32>value;
}

const HEADER = memory.data(FORM_BYTES, 16);
const LOOKUP = memory.data(FORM_BYTES, 16);

/** Fills the forms of this file. */
export function openMessages(): void {
  readBy(HEADER, Key.NUM_REQUIRED_SIGNATURES, requiredSignatures);
  readBy(HEADER, Key.NUM_READONLY_SIGNED_ACCOUNTS, readonlySigned);
  readBy(HEADER, Key.NUM_READONLY_UNSIGNED_ACCOUNTS, readonlyUnsigned);
  readBy(LOOKUP, Key.WRITABLE_INDEXES, writableIndexes);
  readBy(LOOKUP, Key.READONLY_INDEXES, readonlyIndexes);
}

/** Reads the header of a message into a transaction. */
export function readHeader(at: usize, record: usize): usize {
  const end = readMembers(at, HEADER, record);
  if (
    !had(Key.NUM_REQUIRED_SIGNATURES) ||
    !had(Key.NUM_READONLY_SIGNED_ACCOUNTS) ||
    !had(Key.NUM_READONLY_UNSIGNED_ACCOUNTS)
  )
    malformed(at, "a header without its three numbers");
  return end;
}

function requiredSignatures(at: usize, record: usize): usize {
  changetype<Transaction>(record).requiredSignatures = readByte(at);
  return integerEnd;
}

function readonlySigned(at: usize, record: usize): usize {
  changetype<Transaction>(record).readonlySigned = readByte(at);
  return integerEnd;
}

function readonlyUnsigned(at: usize, record: usize): usize {
  changetype<Transaction>(record).readonlyUnsigned = readByte(at);
  return integerEnd;
}

function writableIndexes(at: usize, record: usize): usize {
  changetype<Transaction>(record).lookedUpWritable += countValues(at);
  return skipValue(at);
}

function readonlyIndexes(at: usize, record: usize): usize {
  changetype<Transaction>(record).lookedUpReadonly += countValues(at);
  return skipValue(at);
}

/** Counts the signatures and finds the first. */
export function readSignatures(transaction: Transaction): void {
  const at = transaction.signaturesAt;
  if (!isArray(at)) malformed(at, "signatures that are no array");
  let p = openArray(at);
  while (hasValue(p)) {
    const end = skipString(p);
    const length = <i32>(end - p) - 2;
    if (length < SIGNATURE_TEXT_MIN || length > SIGNATURE_TEXT_MAX) malformed(p, "no signature of 64 bytes in Base58");
    if (transaction.signatureCount == 0) {
      transaction.id = p + 1;
      transaction.idLength = length;
    }
    transaction.signatureCount++;
    p = nextValue(end);
  }
}

/** Counts the keys that the message takes from tables. */
export function readLookups(transaction: Transaction): void {
  const at = transaction.lookupsAt;
  if (at == 0) return;
  if (transaction.version < 0) {
    if (countValues(at) != 0) malformed(at, "address tables in a legacy transaction");
    return;
  }
  for (let p = openArray(at); hasValue(p); ) p = nextValue(readMembers(p, LOOKUP, changetype<usize>(transaction)));
}

/** Finds all keys of a transaction. */
export function readKeys(transaction: Transaction): void {
  transaction.keys = keyRoom();
  addKeys(transaction, transaction.keysAt);
  transaction.staticCount = transaction.keyCount;
  readLoadedKeys(transaction);
}

const ROOM: usize = 65_536;
let room: usize = 0;
let roomEnd: usize = 0;

/** Room for the keys of a transaction, which {@link readLoadedKeys} ends. */
export function keyRoom(): usize {
  if (roomEnd - room < <usize>KEYS_MAX * offsetof<Account>()) {
    room = allocate(ROOM);
    roomEnd = room + ROOM;
  }
  return room;
}

/** Finds the keys that come from tables, as the node gives them: the last of a transaction. */
export function readLoadedKeys(transaction: Transaction): void {
  const before = transaction.keyCount;
  if (transaction.writableAt != 0) addKeys(transaction, transaction.writableAt);
  const writable = transaction.keyCount - before;
  if (transaction.readonlyAt != 0) addKeys(transaction, transaction.readonlyAt);
  const readonly = transaction.keyCount - before - writable;
  if (writable != transaction.lookedUpWritable || readonly != transaction.lookedUpReadonly) {
    const at = transaction.writableAt != 0 ? transaction.writableAt : transaction.feeAt;
    malformed(at, "other loadedAddresses than the message takes from its address tables");
  }
  room = transaction.keys + <usize>transaction.keyCount * offsetof<Account>();
}

function addKeys(transaction: Transaction, at: usize): void {
  if (!isArray(at)) malformed(at, "keys that are no array");
  let p = openArray(at);
  let count = transaction.keyCount;
  while (hasValue(p)) {
    // What `jsonParsed` gives are objects.
    if (!isString(p) && !isNull(p)) unsupported("jsonParsed");
    const end = skipString(p);
    const length = <i32>(end - p) - 2;
    if (length < KEY_TEXT_MIN || length > KEY_TEXT_MAX) malformed(p, "no key of 32 bytes in Base58");
    if (count == KEYS_MAX) malformed(p, "more than 256 keys");
    const key = transaction.key(count++);
    key.text = p + 1;
    key.textLength = length;
    p = nextValue(end);
  }
  transaction.keyCount = count;
}
