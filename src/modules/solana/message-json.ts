import { isNull } from "../json/characters";
import { malformed } from "../json/place";
import {
  countValues,
  hasMember,
  hasValue,
  isArray,
  isString,
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
import { Key, KEY_TEXT_MAX, KEY_TEXT_MIN, SIGNATURE_TEXT_MAX, SIGNATURE_TEXT_MIN, Transaction } from "./transaction";
import { unsupported } from "./transaction-json";

/** Most keys that numbers of a byte can mean. */
export const KEYS_MAX = 256;

/** A number that fits a byte. */
export function readByte(at: usize): i32 {
  const value = readInteger(at);
  if (value > 255) malformed(at, "a number above 255");
  return <i32>value;
}

export function readHeader(transaction: Transaction, at: usize): void {
  let seen = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const end = skipName(p);
    const value = toValue(end);
    let known = 0;
    if (isText(p, end, "numRequiredSignatures")) {
      transaction.requiredSignatures = readByte(value);
      known = 1;
    } else if (isText(p, end, "numReadonlySignedAccounts")) {
      transaction.readonlySigned = readByte(value);
      known = 2;
    } else if (isText(p, end, "numReadonlyUnsignedAccounts")) {
      transaction.readonlyUnsigned = readByte(value);
      known = 4;
    }
    if ((seen & known) != 0) malformed(p, "a name that stands there twice");
    seen |= known;
    p = nextMember(skipValue(value));
  }
  if (seen != 7) malformed(at, "a header without its three numbers");
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
  for (let p = openArray(at); hasValue(p); ) {
    let q = openObject(p);
    while (hasMember(q)) {
      const end = skipName(q);
      const value = toValue(end);
      if (isText(q, end, "writableIndexes")) transaction.lookedUpWritable += countValues(value);
      else if (isText(q, end, "readonlyIndexes")) transaction.lookedUpReadonly += countValues(value);
      q = nextMember(skipValue(value));
    }
    p = nextValue(q + 1);
  }
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
  if (roomEnd - room < <usize>KEYS_MAX * offsetof<Key>()) {
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
  room = transaction.keys + <usize>transaction.keyCount * offsetof<Key>();
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
