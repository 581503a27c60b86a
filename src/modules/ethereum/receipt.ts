import { take } from "./arena";
import { addToBloom, BLOOM_BYTES, hashForBloom } from "./bloom";
import { misformed, missing } from "./fault";
import { FORM_BYTES, has, Kind, listed, ListForm, put, read, readBy, readList, readObject } from "./field";
import { Key } from "./keys";
import { hashes, listCount } from "./lists";
import { headerBytes, writeHeader } from "./rlp";

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

const RECEIPT = memory.data(FORM_BYTES, 16);
const LOG = memory.data(FORM_BYTES, 16);
const LISTED_RECEIPT = changetype<ListForm>(memory.data(16, 8));
const LISTED_LOG = changetype<ListForm>(memory.data(16, 8));

/** Fills the tables of this file: all that the receipts trie commits to and what can be compared with it, or logs alone. */
export function openReceipts(wantsAll: bool): void {
  LISTED_RECEIPT.bytes = Receipt.BYTES;
  LISTED_RECEIPT.reader = receipt;
  LISTED_RECEIPT.name = "receipt";
  LISTED_RECEIPT.what = "a list of receipts";
  LISTED_LOG.bytes = Log.BYTES;
  LISTED_LOG.reader = log;
  LISTED_LOG.name = "";
  LISTED_LOG.what = "a list of logs";
  readBy(RECEIPT, Key.LOGS, logs);
  read(RECEIPT, Key.TRANSACTION_HASH, Kind.HASH, Receipt.TX_HASH);
  read(LOG, Key.ADDRESS, Kind.ADDRESS, Log.ADDRESS);
  readBy(LOG, Key.TOPICS, topics);
  read(LOG, Key.DATA, Kind.BYTES, Log.DATA);
  if (!wantsAll) return;
  read(LOG, Key.LOG_INDEX, Kind.QUANTITY, Log.INDEX);
  read(RECEIPT, Key.TYPE, Kind.QUANTITY, Receipt.TYPE);
  read(RECEIPT, Key.STATUS, Kind.QUANTITY, Receipt.STATUS);
  read(RECEIPT, Key.ROOT, Kind.HASH, Receipt.ROOT);
  read(RECEIPT, Key.CUMULATIVE_GAS_USED, Kind.QUANTITY, Receipt.CUMULATIVE);
  read(RECEIPT, Key.GAS_USED, Kind.QUANTITY, Receipt.GAS);
  read(RECEIPT, Key.LOGS_BLOOM, Kind.BLOOM, Receipt.BLOOM);
}

/** Logs of the receipts that {@link receipts} has read; their number is `listed`. */
export let logCount: i32 = 0;

/** Reads a block's list of receipts to records, each with the next one's address in it; the first one's goes to `first`. */
export function receipts(p: usize, first: usize): usize {
  logCount = 0;
  return readList(p, LISTED_RECEIPT, first);
}

function receipt(p: usize, record: usize): usize {
  store<i32>(record, -1, Receipt.LOGS);
  const end = readObject(p, RECEIPT, record, "a receipt");
  if (load<i32>(record, Receipt.LOGS) < 0) missing("logs");
  return end;
}

function logs(p: usize, record: usize): usize {
  const end = readList(p, LISTED_LOG, record + Receipt.FIRST_LOG);
  store<i32>(record, listed, Receipt.LOGS);
  logCount += listed;
  return end;
}

function log(p: usize, record: usize): usize {
  store<i32>(record, -1, Log.TOPIC_COUNT);
  const end = readObject(p, LOG, record, "a log");
  if (!has(record + Log.ADDRESS)) missing("logs.address");
  if (load<i32>(record, Log.TOPIC_COUNT) < 0) missing("logs.topics");
  if (!has(record + Log.DATA)) missing("logs.data");
  return end;
}

function topics(p: usize, record: usize): usize {
  const end = hashes(p, record + Log.TOPICS, "a list of topics");
  if (listCount > TOPICS_MAX) misformed(p, "a list of at most 4 topics");
  store<i32>(record, listCount, Log.TOPIC_COUNT);
  return end;
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
