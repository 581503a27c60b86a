import { allocate } from "../../sandbox/sdk/index";
import { malformed } from "../json/place";
import { hasValue, integerEnd, nextValue, openArray, skipString } from "../json/scanner";
import { Key } from "./keys";
import { FORM_BYTES, had, note, readBy, readMembers } from "./members";
import { KEYS_MAX, readByte } from "./message-json";
import { Key as Account, Transaction } from "./transaction";

/** What is known of an account that holds tokens. Addresses of texts, 0 where unknown. */
@unmanaged
export class TokenAccount {
  mint: usize;
  mintLength: i32;
  owner: usize;
  ownerLength: i32;
  /** Decimals of the mint and one; 0: unknown. */
  decimalsAndOne: i32;
}

/** The token accounts of a transaction, as the node lists them before and after it. */
@unmanaged
export class TokenAccounts {
  private at: usize;

  static of(): TokenAccounts {
    const self = changetype<TokenAccounts>(allocate(offsetof<TokenAccounts>()));
    self.at = allocate(offsetof<TokenAccount>() * KEYS_MAX);
    openBalances();
    return self;
  }

  @inline
  account(index: i32): TokenAccount {
    return changetype<TokenAccount>(this.at + <usize>index * offsetof<TokenAccount>());
  }

  /** Reads those of a transaction, in place of those that were there. */
  read(transaction: Transaction): void {
    memory.fill(this.at, 0, offsetof<TokenAccount>() * KEYS_MAX);
    if (transaction.preTokensAt != 0) this.readList(transaction, transaction.preTokensAt);
    if (transaction.postTokensAt != 0) this.readList(transaction, transaction.postTokensAt);
  }

  /** Notes what an instruction says of an account that it makes: one that is closed again is in neither list. */
  initialise(index: i32, mint: Account, owner: Account | null): void {
    const account = this.account(index);
    account.mint = mint.toText();
    account.mintLength = mint.textLength;
    if (owner !== null) {
      account.owner = owner.toText();
      account.ownerLength = owner.textLength;
    }
    account.decimalsAndOne = this.decimalsOf(account.mint, account.mintLength);
  }

  /** Decimals of a mint and one, from any account that holds it; 0 where none does. */
  decimalsOf(mint: usize, length: i32): i32 {
    for (let i = 0; i < KEYS_MAX; i++) {
      const account = this.account(i);
      if (account.decimalsAndOne == 0 || account.mintLength != length) continue;
      if (memory.compare(account.mint, mint, <usize>length) == 0) return account.decimalsAndOne;
    }
    return 0;
  }

  private readList(transaction: Transaction, at: usize): void {
    for (let p = openArray(at); hasValue(p); ) p = nextValue(this.readOne(transaction, p));
  }

  private readOne(transaction: Transaction, at: usize): usize {
    balance.index = -1;
    balance.mint = 0;
    balance.owner = 0;
    balance.decimalsAndOne = 0;
    const end = readMembers(at, BALANCE, changetype<usize>(balance));
    const index = balance.index;
    const mint = balance.mint;
    const owner = balance.owner;
    if (index < 0 || index >= transaction.keyCount || mint == 0) malformed(at, "a token balance of no account, or of no mint");
    const account = this.account(index);
    account.mint = mint + 1;
    account.mintLength = <i32>(skipString(mint) - mint) - 2;
    if (owner != 0) {
      account.owner = owner + 1;
      account.ownerLength = <i32>(skipString(owner) - owner) - 2;
    }
    account.decimalsAndOne = balance.decimalsAndOne;
    return end;
  }
}

/** A token balance as the node gives it: number of the account's key, where mint and owner stand. */
@unmanaged
class Balance {
  index: i32;
  mint: usize;
  owner: usize;
  decimalsAndOne: i32;
}

const BALANCE = memory.data(FORM_BYTES, 16);
const AMOUNT = memory.data(FORM_BYTES, 16);
const balance = changetype<Balance>(memory.data(16, 8));

function openBalances(): void {
  readBy(BALANCE, Key.ACCOUNT_INDEX, accountIndex);
  note(BALANCE, Key.MINT, offsetof<Balance>("mint"));
  note(BALANCE, Key.OWNER, offsetof<Balance>("owner"));
  readBy(BALANCE, Key.UI_TOKEN_AMOUNT, readAmount);
  readBy(AMOUNT, Key.DECIMALS, readDecimals);
}

function accountIndex(at: usize, record: usize): usize {
  changetype<Balance>(record).index = readByte(at);
  return integerEnd;
}

function readAmount(at: usize, record: usize): usize {
  const end = readMembers(at, AMOUNT, record);
  if (!had(Key.DECIMALS)) malformed(at, "a token amount without decimals");
  return end;
}

function readDecimals(at: usize, record: usize): usize {
  changetype<Balance>(record).decimalsAndOne = readByte(at) + 1;
  return integerEnd;
}
