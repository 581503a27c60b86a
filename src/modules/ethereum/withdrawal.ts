import { missing } from "./fault";
import { FORM_BYTES, has, Kind, ListForm, put, read, readList, readObject } from "./field";
import { Key } from "./keys";
import { writeHeader } from "./rlp";

/** A withdrawal (EIP-4895): where its fields lie in the record, in the order in which they are hashed. */
export namespace Withdrawal {
  export const NEXT: usize = 0;
  export const INDEX: usize = 8;
  export const VALIDATOR: usize = 16;
  export const ADDRESS: usize = 24;
  export const AMOUNT: usize = 32;
  export const BYTES: usize = 40;
}

const WITHDRAWAL = memory.data(FORM_BYTES, 16);
const LISTED = changetype<ListForm>(memory.data(16, 8));

/** Fills the tables of this file. */
export function openWithdrawals(): void {
  LISTED.bytes = Withdrawal.BYTES;
  LISTED.reader = withdrawal;
  LISTED.name = "withdrawal";
  LISTED.what = "a list of withdrawals";
  read(WITHDRAWAL, Key.INDEX, Kind.QUANTITY, Withdrawal.INDEX);
  read(WITHDRAWAL, Key.VALIDATOR_INDEX, Kind.QUANTITY, Withdrawal.VALIDATOR);
  read(WITHDRAWAL, Key.ADDRESS, Kind.ADDRESS, Withdrawal.ADDRESS);
  read(WITHDRAWAL, Key.AMOUNT, Kind.QUANTITY, Withdrawal.AMOUNT);
}

/** Reads a block's list of withdrawals to records, each with the next one's address in it; the first one's goes to `first`. */
export function withdrawals(p: usize, first: usize): usize {
  return readList(p, LISTED, first);
}

function withdrawal(p: usize, record: usize): usize {
  const end = readObject(p, WITHDRAWAL, record, "a withdrawal");
  if (!has(record + Withdrawal.INDEX)) missing("index");
  if (!has(record + Withdrawal.VALIDATOR)) missing("validatorIndex");
  if (!has(record + Withdrawal.ADDRESS)) missing("address");
  if (!has(record + Withdrawal.AMOUNT)) missing("amount");
  return end;
}

/** Writes a withdrawal as it stands in the withdrawals trie. Returns the byte behind it. */
export function encodeWithdrawal(record: usize, to: usize): usize {
  let length: usize = 0;
  for (let offset = Withdrawal.INDEX; offset <= Withdrawal.AMOUNT; offset += 8) length += load<u32>(record + offset, 4);
  let at = writeHeader(to, length, 0xc0);
  for (let offset = Withdrawal.INDEX; offset <= Withdrawal.AMOUNT; offset += 8) at = put(at, record + offset);
  return at;
}
