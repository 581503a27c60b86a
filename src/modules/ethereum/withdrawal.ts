import { take } from "./arena";
import { inItem, missing } from "./fault";
import { has, Kind, once, put, read, readField, TABLE_BYTES } from "./field";
import { Key } from "./keys";
import { writeHeader } from "./rlp";
import { closed, key, next, open, readKey, skipValue } from "./scan";

/** A withdrawal (EIP-4895): where its fields lie in the record, in the order in which they are hashed. */
export namespace Withdrawal {
  export const NEXT: usize = 0;
  export const INDEX: usize = 8;
  export const VALIDATOR: usize = 16;
  export const ADDRESS: usize = 24;
  export const AMOUNT: usize = 32;
  export const BYTES: usize = 40;
}

const FIELDS = memory.data(TABLE_BYTES, 16);

/** Fills the tables of this file. */
export function openWithdrawals(): void {
  read(FIELDS, Key.INDEX, Kind.QUANTITY, Withdrawal.INDEX);
  read(FIELDS, Key.VALIDATOR_INDEX, Kind.QUANTITY, Withdrawal.VALIDATOR);
  read(FIELDS, Key.ADDRESS, Kind.ADDRESS, Withdrawal.ADDRESS);
  read(FIELDS, Key.AMOUNT, Kind.QUANTITY, Withdrawal.AMOUNT);
}

/** Withdrawals that {@link withdrawals} has read. */
export let withdrawalCount: i32 = 0;

/** Reads a block's list of withdrawals to records, each with the next one's address in it; the first one's goes to `first`. */
export function withdrawals(p: usize, first: usize): usize {
  withdrawalCount = 0;
  let link = first;
  let at = open(p, 0x5b, "list of withdrawals");
  if (load<u8>(at) == 0x5d) return at + 1;
  for (;;) {
    inItem("withdrawal", withdrawalCount);
    const record = take(Withdrawal.BYTES);
    at = withdrawal(at, record);
    store<u32>(link, <u32>record);
    link = record + Withdrawal.NEXT;
    withdrawalCount++;
    at = next(at, 0x5d);
    if (at == 0) break;
  }
  inItem("", -1);
  return closed;
}

function withdrawal(p: usize, record: usize): usize {
  let seen: u64 = 0;
  let at = open(p, 0x7b, "withdrawal");
  if (load<u8>(at) == 0x7d) missing("index");
  for (;;) {
    at = readKey(at);
    const rule = load<u32>(FIELDS + ((<usize>key) << 2));
    if (rule == 0) at = skipValue(at);
    else {
      seen = once(seen);
      at = readField(at, rule, record);
    }
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  if (!has(record + Withdrawal.INDEX)) missing("index");
  if (!has(record + Withdrawal.VALIDATOR)) missing("validatorIndex");
  if (!has(record + Withdrawal.ADDRESS)) missing("address");
  if (!has(record + Withdrawal.AMOUNT)) missing("amount");
  return closed;
}

/** Writes a withdrawal as it stands in the withdrawals trie. Returns the byte behind it. */
export function encodeWithdrawal(record: usize, to: usize): usize {
  let length: usize = 0;
  for (let offset = Withdrawal.INDEX; offset <= Withdrawal.AMOUNT; offset += 8) length += load<u32>(record + offset, 4);
  let at = writeHeader(to, length, 0xc0);
  for (let offset = Withdrawal.INDEX; offset <= Withdrawal.AMOUNT; offset += 8) at = put(at, record + offset);
  return at;
}
