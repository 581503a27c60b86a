// Lists inside a transaction, made into RLP as they are read.
import { advance, here, take } from "./arena";
import { misformed, missing } from "./fault";
import { has, Kind, once, put, read, readField, TABLE_BYTES } from "./field";
import { fixed, fixedTo } from "./hex";
import { Key } from "./keys";
import { closeList, headerBytes, writeHeader } from "./rlp";
import { closed, key, next, open, readKey, skipValue } from "./scan";

const ADDRESS_ITEM: usize = 21;
const CHAIN: usize = 0;
const ADDRESS: usize = 8;
const NONCE: usize = 16;
const PARITY: usize = 24;
const R: usize = 32;
const S: usize = 40;
const AUTHORIZATION_BYTES: usize = 48;

const AUTHORIZATION = memory.data(TABLE_BYTES, 16);

/** Fills the tables of this file. */
export function openLists(): void {
  read(AUTHORIZATION, Key.CHAIN_ID, Kind.QUANTITY, CHAIN);
  read(AUTHORIZATION, Key.ADDRESS, Kind.ADDRESS, ADDRESS);
  read(AUTHORIZATION, Key.NONCE, Kind.QUANTITY, NONCE);
  read(AUTHORIZATION, Key.Y_PARITY, Kind.QUANTITY, PARITY);
  read(AUTHORIZATION, Key.V, Kind.QUANTITY, PARITY);
  read(AUTHORIZATION, Key.R, Kind.QUANTITY, R);
  read(AUTHORIZATION, Key.S, Kind.QUANTITY, S);
}

/** Numbers of the list that was read last. */
export let listCount: i32 = 0;

/** Reads a list of hashes to RLP strings behind each other, without the list's header; sets {@link listCount}. */
export function hashes(p: usize, field: usize): usize {
  const from = here();
  listCount = 0;
  let at = open(p, 0x5b, "list of hashes");
  if (load<u8>(at) == 0x5d) at++;
  else {
    for (;;) {
      at = next(fixed(at, 32, field), 0x5d);
      listCount++;
      if (at == 0) break;
    }
    at = closed;
  }
  store<u32>(field, <u32>from);
  store<u32>(field, <u32>(here() - from), 4);
  return at;
}

function setList(field: usize, content: usize, end: usize): void {
  const behind = closeList(content, end);
  store<u32>(field, <u32>content);
  store<u32>(field, <u32>(behind - content), 4);
  advance(behind);
}

/** Reads blob hashes (EIP-4844) to an RLP list. */
export function blobHashes(p: usize, field: usize): usize {
  const from = here();
  const at = hashes(p, field);
  setList(field, from, here());
  return at;
}

/** Reads an access list (EIP-2930) to an RLP list of [address, [storage key, …]]. */
export function accessList(p: usize, field: usize): usize {
  const from = here();
  let at = open(p, 0x5b, "access list");
  if (load<u8>(at) == 0x5d) at++;
  else {
    for (;;) {
      at = next(accessEntry(at, field), 0x5d);
      if (at == 0) break;
    }
    at = closed;
  }
  setList(field, from, here());
  return at;
}

function accessEntry(p: usize, field: usize): usize {
  const entry = here();
  // The address comes first whatever the order of the keys.
  advance(entry + ADDRESS_ITEM);
  let seen: u64 = 0;
  let at = open(p, 0x7b, "entry of an access list");
  if (load<u8>(at) == 0x7d) missing("address");
  for (;;) {
    at = readKey(at);
    if (key == Key.ADDRESS) {
      seen = once(seen);
      const address = memory.data(64, 16);
      at = fixedTo(at, 20, address);
      memory.copy(entry, address, ADDRESS_ITEM);
    } else if (key == Key.STORAGE_KEYS) {
      seen = once(seen);
      at = blobHashes(at, field);
    } else at = skipValue(at);
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  if ((seen & ((<u64>1) << Key.ADDRESS)) == 0) missing("accessList.address");
  if ((seen & ((<u64>1) << Key.STORAGE_KEYS)) == 0) missing("accessList.storageKeys");
  advance(closeList(entry, here()));
  return closed;
}

/** Reads an authorization list (EIP-7702) to an RLP list of [chain id, address, nonce, y parity, r, s]. */
export function authorizations(p: usize, field: usize): usize {
  const from = here();
  let at = open(p, 0x5b, "authorization list");
  if (load<u8>(at) == 0x5d) at++;
  else {
    const record = take(AUTHORIZATION_BYTES);
    for (;;) {
      at = next(authorization(at, record), 0x5d);
      if (at == 0) break;
    }
    at = closed;
  }
  setList(field, from, here());
  return at;
}

function authorization(p: usize, record: usize): usize {
  const entry = here();
  memory.fill(record, 0, AUTHORIZATION_BYTES);
  let seen: u64 = 0;
  let at = open(p, 0x7b, "authorization");
  if (load<u8>(at) == 0x7d) missing("authorizationList.chainId");
  for (;;) {
    at = readKey(at);
    const rule = load<u32>(AUTHORIZATION + ((<usize>key) << 2));
    if (rule == 0) at = skipValue(at);
    // Clients that give both forms of the parity give the same.
    else if (key == Key.V && has(record + PARITY)) at = skipValue(at);
    else {
      seen = once(seen);
      at = readField(at, rule, record);
    }
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  for (let offset: usize = 0; offset < AUTHORIZATION_BYTES; offset += 8) {
    if (!has(record + offset)) misformed(p, "an authorization with chainId, address, nonce, yParity, r and s");
  }
  // In order behind what was read, then moved to where that began.
  let length: usize = 0;
  for (let offset: usize = 0; offset < AUTHORIZATION_BYTES; offset += 8) length += load<u32>(record + offset, 4);
  const list = here();
  let to = writeHeader(list, length, 0xc0);
  for (let offset: usize = 0; offset < AUTHORIZATION_BYTES; offset += 8) to = put(to, record + offset);
  memory.copy(entry, list, headerBytes(length) + length);
  advance(entry + headerBytes(length) + length);
  return closed;
}
