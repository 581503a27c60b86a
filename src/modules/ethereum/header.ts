import { told } from "./fault";
import { has, Kind, put, read } from "./field";
import { keccak256 } from "./keccak";
import { Key } from "./keys";
import { writeHeader } from "./rlp";

/** A block: where the fields of its header lie in the record, in the order in which they are hashed, and what else is known of it. */
export namespace Block {
  export const PARENT: usize = 0;
  export const UNCLES: usize = 8;
  export const MINER: usize = 16;
  export const STATE_ROOT: usize = 24;
  export const TRANSACTIONS_ROOT: usize = 32;
  export const RECEIPTS_ROOT: usize = 40;
  export const BLOOM: usize = 48;
  export const DIFFICULTY: usize = 56;
  export const NUMBER: usize = 64;
  export const GAS_LIMIT: usize = 72;
  export const GAS_USED: usize = 80;
  export const TIMESTAMP: usize = 88;
  export const EXTRA: usize = 96;
  export const MIX: usize = 104;
  export const NONCE: usize = 112;
  /** Since London (EIP-1559). */
  export const BASE_FEE: usize = 120;
  /** Since Shanghai (EIP-4895). */
  export const WITHDRAWALS_ROOT: usize = 128;
  /** Since Cancun (EIP-4844, EIP-4788). */
  export const BLOB_GAS: usize = 136;
  export const EXCESS_BLOB_GAS: usize = 144;
  export const BEACON_ROOT: usize = 152;
  /** Since Prague (EIP-7685). */
  export const REQUESTS_HASH: usize = 160;
  /** What the JSON claims. */
  export const HASH: usize = 168;
  export const FIRST_TRANSACTION: usize = 176;
  export const TRANSACTIONS: usize = 180;
  export const FIRST_RECEIPT: usize = 184;
  export const RECEIPTS: usize = 188;
  export const FIRST_WITHDRAWAL: usize = 192;
  export const WITHDRAWALS: usize = 196;
  export const LOGS: usize = 200;
  /** Where the block's own hash lies, 32 bytes: the row's, which was computed where that is asked for. */
  export const ROW_HASH: usize = 204;
  export const HEIGHT: usize = 208;
  export const TIME: usize = 216;
  export const BYTES: usize = 224;
}

/** Fills a table: the whole header, or only what unverified tables show. */
export function openHeaders(table: usize, wantsAll: bool): void {
  read(table, Key.NUMBER, Kind.QUANTITY, Block.NUMBER);
  read(table, Key.TIMESTAMP, Kind.QUANTITY, Block.TIMESTAMP);
  if (!wantsAll) return;
  read(table, Key.PARENT_HASH, Kind.HASH, Block.PARENT);
  read(table, Key.SHA3_UNCLES, Kind.HASH, Block.UNCLES);
  read(table, Key.MINER, Kind.ADDRESS, Block.MINER);
  read(table, Key.STATE_ROOT, Kind.HASH, Block.STATE_ROOT);
  read(table, Key.TRANSACTIONS_ROOT, Kind.HASH, Block.TRANSACTIONS_ROOT);
  read(table, Key.RECEIPTS_ROOT, Kind.HASH, Block.RECEIPTS_ROOT);
  read(table, Key.LOGS_BLOOM, Kind.BLOOM, Block.BLOOM);
  read(table, Key.DIFFICULTY, Kind.QUANTITY, Block.DIFFICULTY);
  read(table, Key.GAS_LIMIT, Kind.QUANTITY, Block.GAS_LIMIT);
  read(table, Key.GAS_USED, Kind.QUANTITY, Block.GAS_USED);
  read(table, Key.EXTRA_DATA, Kind.BYTES, Block.EXTRA);
  read(table, Key.MIX_HASH, Kind.HASH, Block.MIX);
  read(table, Key.NONCE, Kind.FIXED_8, Block.NONCE);
  read(table, Key.BASE_FEE_PER_GAS, Kind.QUANTITY, Block.BASE_FEE);
  read(table, Key.WITHDRAWALS_ROOT, Kind.HASH, Block.WITHDRAWALS_ROOT);
  read(table, Key.BLOB_GAS_USED, Kind.QUANTITY, Block.BLOB_GAS);
  read(table, Key.EXCESS_BLOB_GAS, Kind.QUANTITY, Block.EXCESS_BLOB_GAS);
  read(table, Key.PARENT_BEACON_BLOCK_ROOT, Kind.HASH, Block.BEACON_ROOT);
  read(table, Key.REQUESTS_HASH, Kind.HASH, Block.REQUESTS_HASH);
  read(table, Key.HASH, Kind.HASH, Block.HASH);
}

/** Checks that a header has its fields: fifteen that all have, and of those that forks have added as many as a fork has. */
export function settleHeader(record: usize): void {
  for (let offset = Block.PARENT; offset <= Block.NONCE; offset += 8) if (!has(record + offset)) lacks(offset);
  let ended = false;
  for (let offset = Block.BASE_FEE; offset <= Block.REQUESTS_HASH; offset += 8) {
    const present = has(record + offset);
    if (present && ended) lacks(offset - 8);
    if (!present) ended = true;
  }
  // The three of Cancun came together.
  if (has(record + Block.BLOB_GAS) && !has(record + Block.BEACON_ROOT)) lacks(Block.BEACON_ROOT);
}

function lacks(offset: usize): void {
  told().text("field ").text(NAMES[<i32>(offset >> 3)]).text(" of the header is missing").fail("ETH_FIELD_MISSING");
}

const NAMES: StaticArray<string> = [
  "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty", "number",
  "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed",
  "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
];

/** Writes the hash of a settled header to `target`; `scratch` has room for it. */
export function hashHeader(record: usize, scratch: usize, target: usize): void {
  let length: usize = 0;
  for (let offset = Block.PARENT; offset <= Block.REQUESTS_HASH; offset += 8) length += load<u32>(record + offset, 4);
  let at = writeHeader(scratch, length, 0xc0);
  for (let offset = Block.PARENT; offset <= Block.REQUESTS_HASH; offset += 8) at = put(at, record + offset);
  keccak256(scratch, at - scratch, target);
}
