// Lists inside a transaction or log, made into RLP as they are read.
import { advance, here } from "./arena";
import { misformed, missing } from "./fault";
import { FORM_BYTES, has, Kind, put, read, readBy, Reader, readObject } from "./field";
import { fixed } from "./hex";
import { Key } from "./keys";
import { closeList, headerBytes, writeHeader } from "./rlp";
import { closed, next, open } from "./scan";

/** An entry of an access list (EIP-2930): fields in the order in which they are hashed. */
namespace Access {
  export const ADDRESS: usize = 0;
  export const KEYS: usize = 8;
  export const BYTES: usize = 16;
}

/** An authorization (EIP-7702). */
namespace Authorization {
  export const CHAIN: usize = 0;
  export const ADDRESS: usize = 8;
  export const NONCE: usize = 16;
  export const PARITY: usize = 24;
  export const R: usize = 32;
  export const S: usize = 40;
  export const BYTES: usize = 48;
  /** The parity under its other name. */
  export const V: usize = 48;
}

const ENTRY_FORM = memory.data(FORM_BYTES, 16);
const ENTRY = memory.data(16, 8);
const AUTHORIZATION_FORM = memory.data(FORM_BYTES, 16);
const AUTHORIZATION = memory.data(56, 8);

/** Fills the forms of this file. */
export function openLists(): void {
  read(ENTRY_FORM, Key.ADDRESS, Kind.ADDRESS, Access.ADDRESS);
  readBy(ENTRY_FORM, Key.STORAGE_KEYS, storageKeys);
  read(AUTHORIZATION_FORM, Key.CHAIN_ID, Kind.QUANTITY, Authorization.CHAIN);
  read(AUTHORIZATION_FORM, Key.ADDRESS, Kind.ADDRESS, Authorization.ADDRESS);
  read(AUTHORIZATION_FORM, Key.NONCE, Kind.QUANTITY, Authorization.NONCE);
  read(AUTHORIZATION_FORM, Key.Y_PARITY, Kind.QUANTITY, Authorization.PARITY);
  read(AUTHORIZATION_FORM, Key.V, Kind.QUANTITY, Authorization.V);
  read(AUTHORIZATION_FORM, Key.R, Kind.QUANTITY, Authorization.R);
  read(AUTHORIZATION_FORM, Key.S, Kind.QUANTITY, Authorization.S);
}

/** Hashes of the list that was read last. */
export let listCount: i32 = 0;

/** Reads a list of hashes to RLP strings behind each other, without the list's header; sets {@link listCount}. */
export function hashes(p: usize, field: usize, what: string): usize {
  const from = here();
  let count = 0;
  let at = open(p, 0x5b, what);
  if (load<u8>(at) == 0x5d) at++;
  else {
    do {
      at = next(fixed(at, 32, field), 0x5d);
      count++;
    } while (at != 0);
    at = closed;
  }
  listCount = count;
  store<u32>(field, <u32>from);
  store<u32>(field, <u32>(here() - from), 4);
  return at;
}

/** Reads a list of hashes to an RLP list. */
export function hashList(p: usize, field: usize, what: string): usize {
  const from = here();
  const at = hashes(p, field, what);
  setList(field, from, here());
  return at;
}

function setList(field: usize, content: usize, end: usize): void {
  const behind = closeList(content, end);
  store<u32>(field, <u32>content);
  store<u32>(field, <u32>(behind - content), 4);
  advance(behind);
}

/** Reads an access list (EIP-2930) to an RLP list of [address, [storage key, …]]. */
export function accessList(p: usize, field: usize): usize {
  return listOf(p, field, "an access list", accessEntry);
}

/** Reads an authorization list (EIP-7702) to an RLP list of [chain id, address, nonce, y parity, r, s]. */
export function authorizations(p: usize, field: usize): usize {
  return listOf(p, field, "an authorization list", authorization);
}

/** Reads a list whose items a reader writes as RLP behind each other. */
function listOf(p: usize, field: usize, what: string, reader: Reader): usize {
  const from = here();
  let at = open(p, 0x5b, what);
  if (load<u8>(at) == 0x5d) at++;
  else {
    do at = next(reader(at, field), 0x5d);
    while (at != 0);
    at = closed;
  }
  setList(field, from, here());
  return at;
}

function accessEntry(p: usize, _field: usize): usize {
  const from = here();
  memory.fill(ENTRY, 0, Access.BYTES);
  const end = readObject(p, ENTRY_FORM, ENTRY, "an entry of an access list");
  if (!has(ENTRY + Access.ADDRESS)) missing("accessList.address");
  if (!has(ENTRY + Access.KEYS)) missing("accessList.storageKeys");
  join(from, ENTRY, Access.BYTES);
  return end;
}

function storageKeys(p: usize, record: usize): usize {
  return hashList(p, record + Access.KEYS, "a list of storage keys");
}

function authorization(p: usize, _field: usize): usize {
  const from = here();
  memory.fill(AUTHORIZATION, 0, Authorization.BYTES + 8);
  const end = readObject(p, AUTHORIZATION_FORM, AUTHORIZATION, "an authorization");
  // Clients that give both forms of the parity give the same.
  const parity = AUTHORIZATION + Authorization.PARITY;
  if (!has(parity)) store<u64>(parity, load<u64>(AUTHORIZATION, Authorization.V));
  for (let offset: usize = 0; offset < Authorization.BYTES; offset += 8) {
    if (!has(AUTHORIZATION + offset)) misformed(p, "an authorization with chainId, address, nonce, yParity, r and s");
  }
  join(from, AUTHORIZATION, Authorization.BYTES);
  return end;
}

/** Makes an RLP list of a record's fields, in order, where the first that was read was written to. */
function join(from: usize, record: usize, bytes: usize): void {
  let length: usize = 0;
  let isInOrder = true;
  for (let offset: usize = 0; offset < bytes; offset += 8) {
    if (<usize>load<u32>(record + offset) != from + length) isInOrder = false;
    length += load<u32>(record + offset, 4);
  }
  // As most clients write them.
  if (isInOrder && here() == from + length) return advance(closeList(from, from + length));
  // In order behind what was read, then moved to where that began.
  const list = here();
  let to = writeHeader(list, length, 0xc0);
  for (let offset: usize = 0; offset < bytes; offset += 8) to = put(to, record + offset);
  memory.copy(from, list, headerBytes(length) + length);
  advance(from + headerBytes(length) + length);
}
