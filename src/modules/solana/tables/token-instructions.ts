// Instructions of SPL Token and Token-2022 by their first byte (solana-program/token `program/src/instruction.rs`,
// token-2022 `extension/transfer_fee/instruction.rs`); the batch of p-token (`interface/src/instruction.rs`).

import { allocate } from "../../../sandbox/sdk/index";
import { List } from "../list";
import { TokenAccounts } from "../token-accounts";
import { Instruction, Key, Transaction } from "../transaction";
import { Label } from "./cells";

const TRANSFER: u8 = 3;
const MINT_TO: u8 = 7;
const BURN: u8 = 8;
const TRANSFER_CHECKED: u8 = 12;
const MINT_TO_CHECKED: u8 = 14;
const BURN_CHECKED: u8 = 15;
const INITIALIZE_ACCOUNT: u8 = 1;
const INITIALIZE_ACCOUNT_2: u8 = 16;
const INITIALIZE_ACCOUNT_3: u8 = 18;
const TRANSFER_FEE_EXTENSION: u8 = 26;
const TRANSFER_CHECKED_WITH_FEE: u8 = 1;
const BATCH: u8 = 255;

export const KIND_TRANSFER = 0;
export const KIND_MINT = 1;
export const KIND_BURN = 2;

/** A movement of tokens. Accounts are numbers of keys, -1 where there is none; addresses of texts are 0 where unknown. */
@unmanaged
export class Transfer {
  block: i32;
  transaction: i32;
  program: i32;
  outer: i32;
  inner: i32;
  kind: i32;
  from: i32;
  to: i32;
  mint: usize;
  mintLength: i32;
  decimalsAndOne: i32;
  fromOwner: usize;
  fromOwnerLength: i32;
  toOwner: usize;
  toOwnerLength: i32;
  amount: u64;
  fee: u64;
  hasFee: bool;
}

/** The two token programs. */
@unmanaged
export class TokenPrograms {
  private token: Label;
  private token2022: Label;

  static of(): TokenPrograms {
    const self = changetype<TokenPrograms>(allocate(offsetof<TokenPrograms>()));
    self.token = Label.of("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
    self.token2022 = Label.of("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
    return self;
  }

  has(key: Key): bool {
    return this.token.isKey(key) || this.token2022.isKey(key);
  }
}

/**
 * Adds what an instruction of a token program moves, and learns from it whose accounts are. An instruction that is too short, as
 * only a failed transaction can have one, moves nothing.
 */
export function findTransfers(transfers: List, accounts: TokenAccounts, transaction: Transaction, from: Instruction): void {
  const data = from.data();
  const length = from.dataLength();
  if (length == 0) return;
  if (load<u8>(data) != BATCH) {
    findOne(transfers, accounts, transaction, from.accounts, from.accountCount, data, length);
    return;
  }
  // Behind its first byte, for each: how many accounts, how many bytes, these bytes. Accounts follow each other.
  let at = 1;
  let account = 0;
  while (at + 2 <= length) {
    const count = <i32>load<u8>(data + at);
    const bytes = <i32>load<u8>(data + at + 1);
    at += 2;
    if (at + bytes > length || account + count > from.accountCount) return;
    if (bytes > 0 && load<u8>(data + at) != BATCH)
      findOne(transfers, accounts, transaction, from.accounts + account, count, data + at, bytes);
    at += bytes;
    account += count;
  }
}

function findOne(
  transfers: List,
  known: TokenAccounts,
  transaction: Transaction,
  accounts: usize,
  count: i32,
  data: usize,
  length: i32,
): void {
  const first = count > 0 ? <i32>load<u8>(accounts) : -1;
  const second = count > 1 ? <i32>load<u8>(accounts + 1) : -1;
  const third = count > 2 ? <i32>load<u8>(accounts + 2) : -1;
  const code = load<u8>(data);
  if (second < 0) return;
  if (code == INITIALIZE_ACCOUNT || code == INITIALIZE_ACCOUNT_2 || code == INITIALIZE_ACCOUNT_3) {
    let owner: Key | null = null;
    if (code == INITIALIZE_ACCOUNT) {
      if (third >= 0) owner = transaction.key(third);
    } else if (length >= 33) {
      owner = changetype<Key>(allocate(offsetof<Key>()));
      owner.bytes = data + 1;
    }
    known.initialise(first, transaction.key(second), owner);
    return;
  }
  const isWithFee =
    code == TRANSFER_FEE_EXTENSION && length >= 19 && load<u8>(data + 1) == TRANSFER_CHECKED_WITH_FEE;
  const isChecked = code == TRANSFER_CHECKED || code == MINT_TO_CHECKED || code == BURN_CHECKED;
  const isPlain = code == TRANSFER || code == MINT_TO || code == BURN;
  if (!isWithFee && !(isChecked && length >= 10) && !(isPlain && length >= 9)) return;
  const isMoved = isWithFee || code == TRANSFER_CHECKED;
  if (isMoved && third < 0) return;
  const transfer = changetype<Transfer>(transfers.push());
  const amountAt = data + (isWithFee ? 2 : 1);
  transfer.amount = load<u64>(amountAt);
  if (isWithFee) {
    transfer.hasFee = true;
    transfer.fee = load<u64>(amountAt, 9);
  }
  const isMint = code == MINT_TO || code == MINT_TO_CHECKED;
  const isBurn = code == BURN || code == BURN_CHECKED;
  transfer.kind = isMint ? KIND_MINT : isBurn ? KIND_BURN : KIND_TRANSFER;
  transfer.from = isMint ? -1 : first;
  transfer.to = isBurn ? -1 : isMoved ? third : second;
  const mint = isMint ? first : code == TRANSFER ? -1 : second;
  describe(transfer, known, transaction, mint);
  if (isWithFee || isChecked) transfer.decimalsAndOne = 1 + <i32>load<u8>(amountAt, 8);
}

/** Adds what is known of the accounts: mint (also where the instruction names none), decimals, owners. */
function describe(transfer: Transfer, known: TokenAccounts, transaction: Transaction, mint: i32): void {
  if (transfer.from >= 0) {
    const account = known.account(transfer.from);
    transfer.fromOwner = account.owner;
    transfer.fromOwnerLength = account.ownerLength;
    transfer.mint = account.mint;
    transfer.mintLength = account.mintLength;
    transfer.decimalsAndOne = account.decimalsAndOne;
  }
  if (transfer.to >= 0) {
    const account = known.account(transfer.to);
    transfer.toOwner = account.owner;
    transfer.toOwnerLength = account.ownerLength;
    if (transfer.mint == 0) {
      transfer.mint = account.mint;
      transfer.mintLength = account.mintLength;
    }
    if (transfer.decimalsAndOne == 0) transfer.decimalsAndOne = account.decimalsAndOne;
  }
  if (mint >= 0) {
    const key = transaction.key(mint);
    transfer.mint = key.toText();
    transfer.mintLength = key.textLength;
    transfer.decimalsAndOne = known.decimalsOf(transfer.mint, transfer.mintLength);
  }
}
