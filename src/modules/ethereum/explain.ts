// Why a root differs from the header's, down to the item where that can be told: by what the JSON says beside what is hashed.
import { Message } from "../../sandbox/sdk/index";
import { inItem, told } from "./fault";
import { has } from "./field";
import { Block } from "./header";
import { numberOf } from "./hex";
import { bloomFits, Log, Receipt, typeFits } from "./receipt";
import { recordAt, transactionAt } from "./records";
import { Tx } from "./transaction";
import { Withdrawal } from "./withdrawal";

const HASH_BYTES: usize = 32;
const TRANSACTIONS = "ETH_TRANSACTIONS_ROOT_MISMATCH";
const RECEIPTS = "ETH_RECEIPTS_ROOT_MISMATCH";
const WITHDRAWALS = "ETH_WITHDRAWALS_ROOT_MISMATCH";

/**
 * Stops at a transactions root that differs, though each transaction has the hash that it is given, with the first that says itself to be of
 * another place, or is not that of the receipt in its place.
 */
export function explainTransactions(record: usize, root: usize, computed: usize): void {
  const count = load<i32>(record, Block.TRANSACTIONS);
  let receipt = <usize>load<u32>(record, Block.FIRST_RECEIPT);
  for (let i = 0; i < count; i++) {
    inItem("transaction", i);
    const place = recordAt(i) + Tx.PLACE;
    if (has(place) && !isQuantity(<usize>load<u32>(place), load<u32>(place, 4), i))
      told()
        .text("its transactionIndex is ")
        .quote(<usize>load<u32>(place), load<u32>(place, 4))
        .text(": it was moved, or one before it left out or added (the root differs from the header's)")
        .fail(TRANSACTIONS);
    if (receipt == 0) continue;
    const claimed = <usize>load<u32>(receipt, Receipt.TX_HASH);
    if (claimed != 0 && memory.compare(claimed + 1, recordAt(i) + Tx.COMPUTED, HASH_BYTES) != 0)
      because(TRANSACTIONS, "the receipt in its place is of another one: it was moved, or one before it left out or added");
    receipt = <usize>load<u32>(receipt);
  }
  inItem("", -1);
  const message = differs(told().text("the root of its transactions is "), computed, root, "the header's transactionsRoot")
    .text("; each of the ")
    .number(<u64>count)
    .text(" has the hash it is given, so one was left out, added or moved");
  const receipts = load<i32>(record, Block.RECEIPTS);
  if (receipts != count) message.text("; there are ").number(<u64>receipts).text(" receipts");
  message.fail(TRANSACTIONS);
}

/** True for the text of a small number as a QUANTITY, whatever the case of its digits. */
function isQuantity(text: usize, bytes: u32, value: u32): bool {
  let rest = value;
  let at = text + bytes - 2;
  for (; at > text + 2; at--, rest >>= 4) {
    const digit = <u8>(rest & 15);
    if ((load<u8>(at) | 0x20) != (digit < 10 ? 0x30 + digit : 0x57 + digit)) return false;
  }
  return rest == 0 && bytes > 4 && load<u32>(text) << 8 == 0x78302200;
}

/** Stops at a receipts root that differs, with the first receipt that contradicts itself, its neighbours or its transaction. */
export function explainReceipts(root: usize, computed: usize, count: i32): void {
  let logs: u64 = 0;
  let before: u64 = 0;
  for (let i = 0; i < count; i++) {
    const receipt = recordAt(i);
    const transaction = transactionAt(i);
    inItem("receipt", i);
    const claimed = <usize>load<u32>(receipt, Receipt.TX_HASH);
    if (claimed != 0 && memory.compare(claimed + 1, transaction + Tx.COMPUTED, HASH_BYTES) != 0)
      because(RECEIPTS, "it is of another transaction than the one in its place");
    if (!typeFits(receipt, load<u32>(transaction, Tx.KIND))) because(RECEIPTS, "its type is not that of its transaction");
    for (let log = <usize>load<u32>(receipt, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
      if (has(log + Log.INDEX) && numberOf(log + Log.INDEX, "logIndex") != logs)
        because(RECEIPTS, "its logs are not numbered without gaps: one was left out, added or moved");
      logs++;
    }
    if (!bloomFits(receipt)) because(RECEIPTS, "its logsBloom is not that of its logs: a log was left out, added or changed");
    const cumulative = numberOf(receipt + Receipt.CUMULATIVE, "cumulativeGasUsed");
    if (cumulative < before) because(RECEIPTS, "its cumulativeGasUsed is below that of the receipt before");
    if (has(receipt + Receipt.GAS) && numberOf(receipt + Receipt.GAS, "gasUsed") != cumulative - before)
      because(RECEIPTS, "its gasUsed is not what its cumulativeGasUsed adds to the receipt before");
    before = cumulative;
  }
  inItem("", -1);
  differs(told().text("the root of its receipts is "), computed, root, "the header's receiptsRoot")
    .text("; no receipt contradicts itself, so a committed value was changed: a status, the data of a log or its order")
    .fail("ETH_RECEIPTS_ROOT_MISMATCH");
}

/** Stops at a receipt that says another type or bloom than those that were hashed for it: with them the root would be another one. */
export function checkReceipts(count: i32): void {
  for (let i = 0; i < count; i++) {
    const receipt = recordAt(i);
    inItem("receipt", i);
    if (!typeFits(receipt, load<u32>(transactionAt(i), Tx.KIND))) because(RECEIPTS, "its type is not that of its transaction");
    if (!bloomFits(receipt)) because(RECEIPTS, "its logsBloom is not that of its logs");
  }
  inItem("", -1);
}

/** Stops at a withdrawals root that differs, with the first withdrawal that does not follow the one before. */
export function explainWithdrawals(root: usize, computed: usize, count: i32): void {
  for (let i = 1; i < count; i++) {
    inItem("withdrawal", i);
    if (numberOf(recordAt(i) + Withdrawal.INDEX, "index") != numberOf(recordAt(i - 1) + Withdrawal.INDEX, "index") + 1)
      because(WITHDRAWALS, "its index is not the one behind that of the withdrawal before: one was left out, added or moved");
  }
  inItem("", -1);
  differs(told().text("the root of its withdrawals is "), computed, root, "the header's withdrawalsRoot").fail(WITHDRAWALS);
}

function because(code: string, what: string): void {
  told().text(what).text(" (the root of what is given differs from the header's)").fail(code);
}

/** Ends a message that began with what was computed, with what that is and what was claimed. */
export function differs(message: Message, computed: usize, claimed: usize, what: string): Message {
  return message.hex(computed, HASH_BYTES).text(", and ").text(what).text(" is ").hex(claimed, HASH_BYTES);
}
