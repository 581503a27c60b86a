// Payments as a queue delivers them, some of them twice: each payment once, with the account's balance after it and which payment
// of the account it is. What it has seen and counted lives in its memory from one call to the next.
import { Batch, Column, fail, Output, Selection, Type } from "../../../src/sandbox/sdk/index";
import { KeptMap } from "../../../src/sandbox/sdk/stateful";

export { ipdm_abi, ipdm_alloc } from "../../../src/sandbox/sdk/index";
export { ipdm_end } from "../../../src/sandbox/sdk/stateful";

// Made at the first call and not by initialisers, so that the module has no start function.
let seen: usize = 0;
let accounts: usize = 0;

/** Room for a key that is a number. */
const NUMBER = memory.data(8);

/** Offsets in the value of an account. */
const BALANCE = 0;
const COUNT = 8;
const ACCOUNT_BYTES = 16;

export function ipdm_process(address: usize, descriptor: usize): usize {
  if (seen == 0) {
    seen = changetype<usize>(KeptMap.of(1));
    accounts = changetype<usize>(KeptMap.of(ACCOUNT_BYTES));
  }
  const input = Batch.at(address);
  const id = input.column("id");
  const account = input.column("account");
  const amount = input.column("amount");

  const fresh = Selection.of(input.rows);
  for (let row = 0, rows = input.rows; row < rows; row++) {
    if (id.isNull(row) || account.isNull(row) || amount.isNull(row))
      fail("a payment lacks a value in ", "id, account or amount");
    const mark = changetype<KeptMap>(seen).value(keyOf(id, row), lengthOf(id, row));
    if (load<u8>(mark) != 0) continue;
    store<u8>(mark, 1);
    fresh.add(row);
  }

  const output = Output.of(fresh.length, input.columns + 2);
  output.copyAll(input, fresh);
  const balance = output.add("balance", Type.I64, false);
  const payment = output.add("payment", Type.I64, false);
  for (let i = 0; i < fresh.length; i++) {
    const row = fresh.at(i);
    const value = changetype<KeptMap>(accounts).value(keyOf(account, row), lengthOf(account, row));
    store<i64>(value, load<i64>(value, BALANCE) + amount.integer(row), BALANCE);
    store<i64>(value, load<i64>(value, COUNT) + 1, COUNT);
    balance.push<i64>(load<i64>(value, BALANCE));
    payment.push<i64>(load<i64>(value, COUNT));
  }
  return output.finish();
}

/** Address of a key's bytes: those of a text, or a whole number as 8 bytes. */
function keyOf(column: Column, row: i32): usize {
  if (!column.isInteger) return column.bytes(row);
  store<i64>(NUMBER, column.integer(row));
  return NUMBER;
}

function lengthOf(column: Column, row: i32): usize {
  return column.isInteger ? 8 : column.byteLength(row);
}
