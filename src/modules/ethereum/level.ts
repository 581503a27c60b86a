import { Message, Setting } from "../../sandbox/sdk/index";

/** How far blocks are checked, each level with all that the ones before check. */
export namespace Level {
  /** The JSON of what a table shows. */
  export const NONE: i32 = 0;
  /** The header's hash is the block's. */
  export const HASH: i32 = 1;
  /** The header's parent is the block before. */
  export const LINKS: i32 = 2;
  /** Everything that the header commits to: transactions, receipts with their logs, withdrawals. */
  export const FULL: i32 = 3;
}

/** Tables that can be made of blocks. */
export namespace Table {
  export const BLOCKS: i32 = 0;
  export const TRANSACTIONS: i32 = 1;
  export const LOGS: i32 = 2;
  export const WITHDRAWALS: i32 = 3;
}

/** Where senders come from. */
export namespace Senders {
  /** No sender stands in a table: no hash commits to what the JSON says of it. */
  export const NONE: i32 = 0;
  /** As the JSON says. */
  export const TRUST: i32 = 1;
  /** From the signature. */
  export const RECOVER: i32 = 2;
}

/** The level that the configuration asks for; all of it where it says nothing. */
export function levelAsked(): i32 {
  const setting = Setting.of("verify");
  if (!setting.exists || setting.is("full")) return Level.FULL;
  if (setting.is("links")) return Level.LINKS;
  if (setting.is("hash")) return Level.HASH;
  if (!setting.is("none")) unknown("verify", "none, hash, links or full");
  return Level.NONE;
}

/** The table that the configuration asks for. */
export function tableAsked(): i32 {
  const setting = Setting.of("table");
  if (setting.is("blocks")) return Table.BLOCKS;
  if (setting.is("transactions")) return Table.TRANSACTIONS;
  if (setting.is("withdrawals")) return Table.WITHDRAWALS;
  if (!setting.is("logs")) unknown("table", "blocks, transactions, logs or withdrawals");
  return Table.LOGS;
}

/** Where the configuration takes senders from. */
export function sendersAsked(): i32 {
  const setting = Setting.of("senders");
  if (!setting.exists) return Senders.NONE;
  if (setting.is("trust")) return Senders.TRUST;
  if (!setting.is("recover")) unknown("senders", "trust or recover");
  return Senders.RECOVER;
}

function unknown(name: string, known: string): void {
  Message.of("setting ").text(name).text(" must be ").text(known).fail("ETH_SETTING_INVALID");
}
