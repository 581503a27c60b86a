import { isNull } from "../json/characters";
import { missing, told } from "./fault";
import { FORM_BYTES, has, Kind, ListForm, put, read, readBy, readList, readObject } from "./field";
import { small } from "./hex";
import { Key } from "./keys";
import { accessList, authorizations, hashList } from "./lists";
import { writeHeader } from "./rlp";

/** A transaction: where its fields lie in the record. Each is an RLP string or list, or absent. */
export namespace Tx {
  export const NEXT: usize = 0;
  /** Its type (EIP-2718) as a number. */
  export const KIND: usize = 4;
  export const TYPE: usize = 8;
  export const NONCE: usize = 16;
  export const GAS_PRICE: usize = 24;
  export const GAS: usize = 32;
  export const TO: usize = 40;
  export const VALUE: usize = 48;
  export const INPUT: usize = 56;
  export const V: usize = 64;
  export const R: usize = 72;
  export const S: usize = 80;
  export const PARITY: usize = 88;
  export const CHAIN: usize = 96;
  export const ACCESS: usize = 104;
  export const MAX_FEE: usize = 112;
  export const MAX_PRIORITY: usize = 120;
  export const MAX_BLOB_FEE: usize = 128;
  export const BLOBS: usize = 136;
  export const AUTHORIZATIONS: usize = 144;
  /** What the JSON claims. */
  export const HASH: usize = 152;
  export const FROM: usize = 160;
  /** Where it says to stand, as text of JSON. */
  export const PLACE: usize = 168;
  /** 32 bytes: the hash that was computed. */
  export const COMPUTED: usize = 176;
  export const BYTES: usize = 208;
}

const TYPE_MAX: u64 = 4;
const TRANSACTION = memory.data(FORM_BYTES, 16);
const LISTED = changetype<ListForm>(memory.data(16, 8));

/** Fills the tables of this file: all that is signed, or nothing but what tables of unverified blocks show. */
export function openTransactions(wantsAll: bool): void {
  LISTED.bytes = Tx.BYTES;
  LISTED.reader = transaction;
  LISTED.name = "transaction";
  LISTED.what = "a list of transactions";
  read(TRANSACTION, Key.HASH, Kind.HASH, Tx.HASH);
  if (!wantsAll) return;
  read(TRANSACTION, Key.TRANSACTION_INDEX, Kind.TEXT, Tx.PLACE);
  read(TRANSACTION, Key.TYPE, Kind.QUANTITY, Tx.TYPE);
  read(TRANSACTION, Key.NONCE, Kind.QUANTITY, Tx.NONCE);
  read(TRANSACTION, Key.GAS_PRICE, Kind.QUANTITY, Tx.GAS_PRICE);
  read(TRANSACTION, Key.GAS, Kind.QUANTITY, Tx.GAS);
  read(TRANSACTION, Key.TO, Kind.ADDRESS, Tx.TO);
  read(TRANSACTION, Key.VALUE, Kind.QUANTITY, Tx.VALUE);
  read(TRANSACTION, Key.INPUT, Kind.BYTES, Tx.INPUT);
  read(TRANSACTION, Key.V, Kind.QUANTITY, Tx.V);
  read(TRANSACTION, Key.R, Kind.QUANTITY, Tx.R);
  read(TRANSACTION, Key.S, Kind.QUANTITY, Tx.S);
  read(TRANSACTION, Key.Y_PARITY, Kind.QUANTITY, Tx.PARITY);
  read(TRANSACTION, Key.CHAIN_ID, Kind.QUANTITY, Tx.CHAIN);
  read(TRANSACTION, Key.MAX_FEE_PER_GAS, Kind.QUANTITY, Tx.MAX_FEE);
  read(TRANSACTION, Key.MAX_PRIORITY_FEE_PER_GAS, Kind.QUANTITY, Tx.MAX_PRIORITY);
  read(TRANSACTION, Key.MAX_FEE_PER_BLOB_GAS, Kind.QUANTITY, Tx.MAX_BLOB_FEE);
  readBy(TRANSACTION, Key.ACCESS_LIST, access);
  readBy(TRANSACTION, Key.BLOB_VERSIONED_HASHES, blobs);
  readBy(TRANSACTION, Key.AUTHORIZATION_LIST, delegations);
}

/** Has the claimed sender read as well. */
export function readSenders(): void {
  read(TRANSACTION, Key.FROM, Kind.ADDRESS, Tx.FROM);
}

/** Reads a block's list of transactions to records, each with the next one's address in it; the first one's goes to `first`. */
export function transactions(p: usize, first: usize): usize {
  return readList(p, LISTED, first);
}

function transaction(p: usize, record: usize): usize {
  return readObject(p, TRANSACTION, record, "a transaction, not its hash alone (ask for full transactions)");
}

// Lists that a type has not are absent, or null.
function access(p: usize, record: usize): usize {
  return isNull(p) ? p + 4 : accessList(p, record + Tx.ACCESS);
}

function blobs(p: usize, record: usize): usize {
  return isNull(p) ? p + 4 : hashList(p, record + Tx.BLOBS, "a list of blob hashes");
}

function delegations(p: usize, record: usize): usize {
  return isNull(p) ? p + 4 : authorizations(p, record + Tx.AUTHORIZATIONS);
}

// What each type signs, in order (EIP-155, 2930, 1559, 4844, 7702).
const LEGACY = memory.data<u8>([<u8>Tx.NONCE, <u8>Tx.GAS_PRICE, <u8>Tx.GAS, <u8>Tx.TO, <u8>Tx.VALUE, <u8>Tx.INPUT, 0]);
const ACCESS = memory.data<u8>([
  <u8>Tx.CHAIN, <u8>Tx.NONCE, <u8>Tx.GAS_PRICE, <u8>Tx.GAS, <u8>Tx.TO, <u8>Tx.VALUE, <u8>Tx.INPUT, <u8>Tx.ACCESS, 0,
]);
const FEES = memory.data<u8>([
  <u8>Tx.CHAIN, <u8>Tx.NONCE, <u8>Tx.MAX_PRIORITY, <u8>Tx.MAX_FEE, <u8>Tx.GAS, <u8>Tx.TO, <u8>Tx.VALUE, <u8>Tx.INPUT, <u8>Tx.ACCESS, 0,
]);
const BLOBS = memory.data<u8>([
  <u8>Tx.CHAIN, <u8>Tx.NONCE, <u8>Tx.MAX_PRIORITY, <u8>Tx.MAX_FEE, <u8>Tx.GAS, <u8>Tx.TO, <u8>Tx.VALUE, <u8>Tx.INPUT, <u8>Tx.ACCESS,
  <u8>Tx.MAX_BLOB_FEE, <u8>Tx.BLOBS, 0,
]);
const CODES = memory.data<u8>([
  <u8>Tx.CHAIN, <u8>Tx.NONCE, <u8>Tx.MAX_PRIORITY, <u8>Tx.MAX_FEE, <u8>Tx.GAS, <u8>Tx.TO, <u8>Tx.VALUE, <u8>Tx.INPUT, <u8>Tx.ACCESS,
  <u8>Tx.AUTHORIZATIONS, 0,
]);

function fieldsOf(kind: u32): usize {
  switch (kind) {
    case 0:
      return LEGACY;
    case 1:
      return ACCESS;
    case 2:
      return FEES;
    case 3:
      return BLOBS;
    default:
      return CODES;
  }
}

/** Checks that a transaction has what its type signs, and notes the type. `inItem` has said which it is. */
export function settle(record: usize): void {
  const type = has(record + Tx.TYPE) ? small(load<u32>(record, Tx.TYPE), load<u32>(record, Tx.TYPE + 4)) : 0;
  if (load<u32>(record, Tx.TYPE + 4) > 1 || type > TYPE_MAX)
    told().text("transactions of this type are not known to this version").fail("ETH_TX_TYPE_UNKNOWN");
  store<u32>(record, <u32>type, Tx.KIND);
  for (let list = fieldsOf(<u32>type); load<u8>(list) != 0; list++) {
    const offset = <usize>load<u8>(list);
    // A creation has no receiver; blobs and delegations need one.
    if (!has(record + offset) && (offset != Tx.TO || type > 2)) missing(nameOf(offset));
  }
  // The parity stands under `yParity`, `v` or both.
  if (type != 0) {
    const parity = record + Tx.PARITY;
    const v = record + Tx.V;
    if (!has(parity)) store<u64>(parity, load<u64>(v));
    else if (has(v) && load<u8>(load<u32>(v)) != load<u8>(load<u32>(parity)))
      told().text("yParity and v differ").fail("ETH_FIELD_TYPE");
  }
  if (!has(record + (type == 0 ? Tx.V : Tx.PARITY))) missing(type == 0 ? "v" : "yParity");
  if (!has(record + Tx.R)) missing("r");
  if (!has(record + Tx.S)) missing("s");
}

function nameOf(offset: usize): string {
  if (offset == Tx.NONCE) return "nonce";
  if (offset == Tx.GAS_PRICE) return "gasPrice";
  if (offset == Tx.GAS) return "gas";
  if (offset == Tx.TO) return "to";
  if (offset == Tx.VALUE) return "value";
  if (offset == Tx.INPUT) return "input";
  if (offset == Tx.CHAIN) return "chainId";
  if (offset == Tx.ACCESS) return "accessList";
  if (offset == Tx.MAX_FEE) return "maxFeePerGas";
  if (offset == Tx.MAX_PRIORITY) return "maxPriorityFeePerGas";
  if (offset == Tx.MAX_BLOB_FEE) return "maxFeePerBlobGas";
  return offset == Tx.BLOBS ? "blobVersionedHashes" : "authorizationList";
}

/** Writes a settled transaction as it stands in the transactions trie. Returns the byte behind it. */
export function encodeTransaction(record: usize, to: usize): usize {
  const kind = load<u32>(record, Tx.KIND);
  const fields = fieldsOf(kind);
  const parity = record + (kind == 0 ? Tx.V : Tx.PARITY);
  let length: usize = load<u32>(parity, 4) + load<u32>(record, Tx.R + 4) + load<u32>(record, Tx.S + 4);
  for (let list = fields; load<u8>(list) != 0; list++) {
    const bytes = load<u32>(record + <usize>load<u8>(list), 4);
    length += bytes == 0 ? 1 : bytes;
  }
  let at = to;
  if (kind != 0) {
    store<u8>(at, <u8>kind);
    at++;
  }
  at = putFields(writeHeader(at, length, 0xc0), record, fields);
  return put(put(put(at, parity), record + Tx.R), record + Tx.S);
}

function putFields(to: usize, record: usize, fields: usize): usize {
  let at = to;
  for (let list = fields; load<u8>(list) != 0; list++) {
    const field = record + <usize>load<u8>(list);
    if (has(field)) at = put(at, field);
    else {
      store<u8>(at, 0x80);
      at++;
    }
  }
  return at;
}

/**
 * Writes what the sender of a settled transaction has signed. A legacy one signs its chain's id where `v` names one (EIP-155).
 * Returns the byte behind it.
 */
export function encodeUnsigned(record: usize, chain: usize, chainBytes: usize, to: usize): usize {
  const kind = load<u32>(record, Tx.KIND);
  const fields = fieldsOf(kind);
  let length: usize = chainBytes == 0 ? 0 : chainBytes + 2;
  for (let list = fields; load<u8>(list) != 0; list++) {
    const bytes = load<u32>(record + <usize>load<u8>(list), 4);
    length += bytes == 0 ? 1 : bytes;
  }
  let at = to;
  if (kind != 0) {
    store<u8>(at, <u8>kind);
    at++;
  }
  at = putFields(writeHeader(at, length, 0xc0), record, fields);
  if (chainBytes == 0) return at;
  memory.copy(at, chain, chainBytes);
  store<u16>(at + chainBytes, 0x8080);
  return at + chainBytes + 2;
}
