import { allocate } from "../../sandbox/sdk/index";
import { malformed } from "../json/place";
import {
  hasMember,
  hasValue,
  isText,
  nextMember,
  nextValue,
  openArray,
  openObject,
  readInteger,
  skipName,
  skipString,
  skipValue,
  toValue,
} from "../json/scanner";
import { KEYS_MAX, readByte } from "./message-json";
import { Key, Transaction } from "./transaction";

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
  initialise(index: i32, mint: Key, owner: Key | null): void {
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
    let index = -1;
    let mint: usize = 0;
    let owner: usize = 0;
    let decimals = 0;
    let p = openObject(at);
    while (hasMember(p)) {
      const end = skipName(p);
      const value = toValue(end);
      if (isText(p, end, "accountIndex")) index = readByte(value);
      else if (isText(p, end, "mint")) mint = value;
      else if (isText(p, end, "owner")) owner = value;
      else if (isText(p, end, "uiTokenAmount")) decimals = readDecimals(value) + 1;
      p = nextMember(skipValue(value));
    }
    if (index < 0 || index >= transaction.keyCount || mint == 0) malformed(at, "a token balance of no account, or of no mint");
    const account = this.account(index);
    account.mint = mint + 1;
    account.mintLength = <i32>(skipString(mint) - mint) - 2;
    if (owner != 0) {
      account.owner = owner + 1;
      account.ownerLength = <i32>(skipString(owner) - owner) - 2;
    }
    account.decimalsAndOne = decimals;
    return p + 1;
  }
}

function readDecimals(at: usize): i32 {
  let p = openObject(at);
  while (hasMember(p)) {
    const end = skipName(p);
    const value = toValue(end);
    if (isText(p, end, "decimals")) return readByte(value);
    p = nextMember(skipValue(value));
  }
  malformed(at, "a token amount without decimals");
  return 0;
}
