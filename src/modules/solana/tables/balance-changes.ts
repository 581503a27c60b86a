import { Output, Type } from "../../../sandbox/sdk/index";
import { malformed, Place } from "../../json/place";
import { hasValue, integerEnd, nextValue, openArray, readInteger } from "../../json/scanner";
import { Block } from "../block";
import { List } from "../list";
import { Transaction } from "../transaction";
import { pushKey } from "./cells";
import { Coordinates } from "./coordinates";

/** An account whose lamports a transaction changed. */
@unmanaged
class Change {
  block: i32;
  transaction: i32;
  account: i32;
  before: u64;
  after: u64;
}

/** One row an account whose lamports differ before and after a transaction. */
export function writeBalanceChanges(blocks: List): usize {
  const changes = List.of(offsetof<Change>());
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    Place.at(block.slot, block.start, block.end);
    for (let n = 0; n < block.transactions.count; n++) findChanges(changes, i, block.transaction(n));
  }
  const output = Output.of(changes.count, 9);
  const coordinates = Coordinates.of(output);
  const account = output.add("account", Type.UTF8, true);
  const before = output.add("before", Type.U64, false);
  const after = output.add("after", Type.U64, false);
  const change = output.add("change", Type.I64, false);
  const failed = output.add("failed", Type.BOOL, false);
  for (let i = 0; i < changes.count; i++) {
    const found = changetype<Change>(changes.record(i));
    const block = changetype<Block>(blocks.record(found.block));
    const transaction = block.transaction(found.transaction);
    coordinates.push(block, transaction);
    pushKey(account, transaction, found.account);
    before.push<u64>(found.before);
    after.push<u64>(found.after);
    change.push<i64>(<i64>(found.after - found.before));
    failed.pushBool(transaction.isFailed);
  }
  return output.finish();
}

function findChanges(changes: List, block: i32, transaction: Transaction): void {
  Place.partNumber = transaction.index;
  if (transaction.preBalancesAt == 0 || transaction.postBalancesAt == 0)
    malformed(transaction.feeAt, "no preBalances or postBalances");
  let p = openArray(transaction.preBalancesAt);
  let q = openArray(transaction.postBalancesAt);
  let account = 0;
  while (hasValue(p) && hasValue(q)) {
    const before = readInteger(p);
    const beforeEnd = integerEnd;
    const after = readInteger(q);
    const afterEnd = integerEnd;
    if (before > <u64>i64.MAX_VALUE || after > <u64>i64.MAX_VALUE) malformed(p, "a balance of more lamports than there can be");
    if (before != after) {
      const change = changetype<Change>(changes.push());
      change.block = block;
      change.transaction = transaction.index;
      change.account = account;
      change.before = before;
      change.after = after;
    }
    account++;
    p = nextValue(beforeEnd);
    q = nextValue(afterEnd);
  }
  if (hasValue(p) || hasValue(q) || account != transaction.keyCount)
    malformed(transaction.preBalancesAt, "other balances than there are keys");
  Place.partNumber = -1;
}
