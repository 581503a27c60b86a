import { take } from "./arena";
import { addToBloom, BLOOM_BYTES, hashForBloom } from "./bloom";
import { inItem, misformed, missing } from "./fault";
import { has, isNull, Kind, once, put, read, readField, TABLE_BYTES } from "./field";
import { Key } from "./keys";
import { hashes, listCount } from "./lists";
import { headerBytes, writeHeader } from "./rlp";
import { closed, key, next, open, readKey, skipValue } from "./scan";

/** A receipt: where its fields lie in the record. */
export namespace Receipt {
  export const NEXT: usize = 0;
  export const FIRST_LOG: usize = 4;
  export const LOGS: usize = 8;
  /** Where the bloom of its logs is, once it is computed. */
  export const COMPUTED_BLOOM: usize = 12;
  export const TYPE: usize = 16;
  export const STATUS: usize = 24;
  export const ROOT: usize = 32;
  export const CUMULATIVE: usize = 40;
  export const BLOOM: usize = 48;
  export const GAS: usize = 56;
  export const TX_HASH: usize = 64;
  /** What its transaction used, once it is computed. */
  export const USED: usize = 72;
  /** Where the hash of its transaction is. */
  export const HASH_AT: usize = 80;
  export const BYTES: usize = 88;
}

/** A log: where its fields lie in the record. */
export namespace Log {
  export const NEXT: usize = 0;
  export const TOPIC_COUNT: usize = 4;
  export const ADDRESS: usize = 8;
  /** RLP strings of 33 bytes behind each other, without the list's header. */
  export const TOPICS: usize = 16;
  export const DATA: usize = 24;
  export const INDEX: usize = 32;
  export const BYTES: usize = 40;
}

/** Most topics of a log. */
export const TOPICS_MAX: i32 = 4;
const TOPIC_ITEM: usize = 33;

const FIELDS = memory.data(TABLE_BYTES, 16);
const LOG_FIELDS = memory.data(TABLE_BYTES, 16);

/** Fills the tables of this file: all that the receipts trie commits to and what can be compared with it, or logs alone. */
export function openReceipts(wantsAll: bool): void {
  read(FIELDS, Key.LOGS, Kind.NESTED, 0);
  read(FIELDS, Key.TRANSACTION_HASH, Kind.HASH, Receipt.TX_HASH);
  read(LOG_FIELDS, Key.ADDRESS, Kind.ADDRESS, Log.ADDRESS);
  read(LOG_FIELDS, Key.TOPICS, Kind.NESTED, Log.TOPICS);
  read(LOG_FIELDS, Key.DATA, Kind.BYTES, Log.DATA);
  if (!wantsAll) return;
  read(LOG_FIELDS, Key.LOG_INDEX, Kind.QUANTITY, Log.INDEX);
  read(FIELDS, Key.TYPE, Kind.QUANTITY, Receipt.TYPE);
  read(FIELDS, Key.STATUS, Kind.QUANTITY, Receipt.STATUS);
  read(FIELDS, Key.ROOT, Kind.HASH, Receipt.ROOT);
  read(FIELDS, Key.CUMULATIVE_GAS_USED, Kind.QUANTITY, Receipt.CUMULATIVE);
  read(FIELDS, Key.GAS_USED, Kind.QUANTITY, Receipt.GAS);
  read(FIELDS, Key.LOGS_BLOOM, Kind.BLOOM, Receipt.BLOOM);
}

/** Receipts that {@link receipts} has read, and their logs. */
export let receiptCount: i32 = 0;
export let logCount: i32 = 0;

/** Reads a block's list of receipts to records, each with the next one's address in it; the first one's goes to `first`. */
export function receipts(p: usize, first: usize): usize {
  receiptCount = 0;
  logCount = 0;
  let link = first;
  let at = open(p, 0x5b, "list of receipts");
  if (load<u8>(at) == 0x5d) return at + 1;
  for (;;) {
    inItem("receipt", receiptCount);
    const record = take(Receipt.BYTES);
    at = receipt(at, record);
    store<u32>(link, <u32>record);
    link = record + Receipt.NEXT;
    receiptCount++;
    at = next(at, 0x5d);
    if (at == 0) break;
  }
  inItem("", -1);
  return closed;
}

function receipt(p: usize, record: usize): usize {
  let seen: u64 = 0;
  let at = open(p, 0x7b, "receipt");
  if (load<u8>(at) == 0x7d) missing("logs");
  for (;;) {
    at = readKey(at);
    const rule = load<u32>(FIELDS + ((<usize>key) << 2));
    if (rule == 0) at = skipValue(at);
    else {
      seen = once(seen);
      at = rule >> 16 == Kind.NESTED ? logs(at, record) : readField(at, rule, record);
    }
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  if ((seen & ((<u64>1) << Key.LOGS)) == 0) missing("logs");
  return closed;
}

function logs(p: usize, record: usize): usize {
  let link = record + Receipt.FIRST_LOG;
  let at = open(p, 0x5b, "list of logs");
  if (load<u8>(at) == 0x5d) return at + 1;
  let count: u32 = 0;
  for (;;) {
    const entry = take(Log.BYTES);
    at = log(at, entry);
    store<u32>(link, <u32>entry);
    link = entry + Log.NEXT;
    count++;
    at = next(at, 0x5d);
    if (at == 0) break;
  }
  store<u32>(record, count, Receipt.LOGS);
  logCount += count;
  return closed;
}

function log(p: usize, record: usize): usize {
  let seen: u64 = 0;
  let at = open(p, 0x7b, "log");
  if (load<u8>(at) == 0x7d) missing("logs.address");
  for (;;) {
    at = readKey(at);
    const rule = load<u32>(LOG_FIELDS + ((<usize>key) << 2));
    if (rule == 0) at = skipValue(at);
    else {
      seen = once(seen);
      if (rule >> 16 != Kind.NESTED) at = readField(at, rule, record);
      else {
        const list = at;
        at = hashes(at, record + Log.TOPICS);
        if (listCount > TOPICS_MAX) misformed(list, "a list of at most 4 topics");
        store<i32>(record, listCount, Log.TOPIC_COUNT);
      }
    }
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  if (!has(record + Log.ADDRESS)) missing("logs.address");
  if ((seen & ((<u64>1) << Key.TOPICS)) == 0) missing("logs.topics");
  if (!has(record + Log.DATA)) missing("logs.data");
  return closed;
}

/** Checks that a receipt has what is hashed of it. `inItem` has said which it is. */
export function settleReceipt(record: usize): void {
  if (!has(record + Receipt.CUMULATIVE)) missing("cumulativeGasUsed");
  if (!has(record + Receipt.STATUS) && !has(record + Receipt.ROOT)) missing("status");
}

/**
 * Has all that the bloom of a receipt's logs is made of hashed, and writes where the hashes will be to a list of addresses. Returns its
 * end.
 */
export function noteBloom(record: usize, hashes: usize): usize {
  let at = hashes;
  for (let log = <usize>load<u32>(record, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
    store<u32>(at, <u32>hashForBloom(<usize>load<u32>(log, Log.ADDRESS) + 1, 20));
    at += 4;
    const topics = <usize>load<u32>(log, Log.TOPICS);
    for (let i: usize = 0, n = <usize>load<u32>(log, Log.TOPIC_COUNT); i < n; i++, at += 4)
      store<u32>(at, <u32>hashForBloom(topics + i * TOPIC_ITEM + 1, 32));
  }
  return at;
}

/** Makes the bloom of a receipt's logs from the hashes that {@link noteBloom} has noted. Returns the end of those. */
export function fillBloom(record: usize, hashes: usize): usize {
  const bloom = take(BLOOM_BYTES);
  store<u32>(record, <u32>bloom, Receipt.COMPUTED_BLOOM);
  let at = hashes;
  for (let log = <usize>load<u32>(record, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
    for (const end = at + ((<usize>load<u32>(log, Log.TOPIC_COUNT) + 1) << 2); at < end; at += 4)
      addToBloom(bloom, <usize>load<u32>(at));
  }
  return at;
}

/**
 * Writes a settled receipt of a transaction of that type as it stands in the receipts trie: [status or, before Byzantium (EIP-658), the
 * state's root, cumulative gas, bloom, logs], with the type before it (EIP-2718). Returns the byte behind it.
 */
export function encodeReceipt(record: usize, kind: u32, to: usize): usize {
  const outcome = record + (has(record + Receipt.STATUS) ? Receipt.STATUS : Receipt.ROOT);
  const cumulative = record + Receipt.CUMULATIVE;
  let logsLength: usize = 0;
  for (let log = <usize>load<u32>(record, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
    const length = logLength(log);
    logsLength += headerBytes(length) + length;
  }
  const length =
    <usize>load<u32>(outcome, 4) + <usize>load<u32>(cumulative, 4) + 3 + BLOOM_BYTES + headerBytes(logsLength) + logsLength;
  let at = to;
  if (kind != 0) {
    store<u8>(at, <u8>kind);
    at++;
  }
  at = put(put(writeHeader(at, length, 0xc0), outcome), cumulative);
  at = writeHeader(at, BLOOM_BYTES, 0x80);
  memory.copy(at, <usize>load<u32>(record, Receipt.COMPUTED_BLOOM), BLOOM_BYTES);
  at = writeHeader(at + BLOOM_BYTES, logsLength, 0xc0);
  for (let log = <usize>load<u32>(record, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
    at = put(writeHeader(at, logLength(log), 0xc0), log + Log.ADDRESS);
    at = put(writeHeader(at, load<u32>(log, Log.TOPICS + 4), 0xc0), log + Log.TOPICS);
    at = put(at, log + Log.DATA);
  }
  return at;
}

@inline
function logLength(log: usize): usize {
  const topics = <usize>load<u32>(log, Log.TOPICS + 4);
  return <usize>load<u32>(log, Log.ADDRESS + 4) + headerBytes(topics) + topics + <usize>load<u32>(log, Log.DATA + 4);
}

/** True when the receipt's own bloom, where it has one, is the one of its logs. */
export function bloomFits(record: usize): bool {
  const claimed = <usize>load<u32>(record, Receipt.BLOOM);
  return claimed == 0 || memory.compare(claimed + 3, <usize>load<u32>(record, Receipt.COMPUTED_BLOOM), BLOOM_BYTES) == 0;
}

/** True when the receipt says nothing of its type, or that it is this one. */
export function typeFits(record: usize, kind: u32): bool {
  if (!has(record + Receipt.TYPE)) return true;
  const type = load<u8>(<usize>load<u32>(record, Receipt.TYPE));
  return load<u32>(record, Receipt.TYPE + 4) == 1 && (type == 0x80 ? 0 : <u32>type) == kind;
}
