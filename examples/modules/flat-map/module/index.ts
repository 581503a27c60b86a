// A flat map: a row becomes as many rows as it says; none for none, none for null. Each has the row's columns and a number from 1 on.
import { Batch, fail, Output, Selection, Type } from "../../../../src/sandbox/sdk/index";

export { ipdm_abi, ipdm_alloc } from "../../../../src/sandbox/sdk/index";

/** Rows that one row may become: a count from outside must not decide how much memory is asked for. */
const COPIES_MAX: i64 = 100;

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const rows = input.rows;
  const count = input.column("count");

  let total = 0;
  for (let row = 0; row < rows; row++) total += copiesOf(count.isNull(row) ? 0 : count.integer(row));

  const source = Selection.of(total);
  for (let row = 0; row < rows; row++) {
    const copies = copiesOf(count.isNull(row) ? 0 : count.integer(row));
    for (let i = 0; i < copies; i++) source.add(row);
  }

  const output = Output.of(total, input.columns + 1);
  output.copyAll(input, source);
  const number = output.add("number", Type.I32, false);
  let at = 0;
  for (let i = 0; i < total; i++) {
    at = i > 0 && source.at(i) == source.at(i - 1) ? at + 1 : 1;
    number.push<i32>(at);
  }
  return output.finish();
}

function copiesOf(count: i64): i32 {
  if (count > COPIES_MAX) fail("a row asks for more than 100 copies in ", "count");
  return count < 0 ? 0 : <i32>count;
}
