// An aggregate: each unit of rows becomes one row, with how many there were, their sum and their largest value. What comes out
// depends on where a unit begins and ends, so this is a module of kind batch: it is called on units of a fixed number of rows.
import { Batch, Output, Type } from "../../../../src/sandbox/sdk/index";

export { ipdm_abi, ipdm_alloc } from "../../../../src/sandbox/sdk/index";

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const value = input.column("millicelsius");

  let count: i64 = 0;
  let sum: i64 = 0;
  let largest = i64.MIN_VALUE;
  for (let row = 0, rows = input.rows; row < rows; row++) {
    if (value.isNull(row)) continue;
    const found = value.integer(row);
    count++;
    sum += found;
    if (found > largest) largest = found;
  }

  // A call with no rows asks for the columns alone.
  const rows = input.rows == 0 ? 0 : 1;
  const output = Output.of(rows, 3);
  const counted = output.add("count", Type.I64, false);
  const summed = output.add("sum", Type.I64, false);
  const most = output.add("largest", Type.I64, true);
  if (rows == 1) {
    counted.push<i64>(count);
    summed.push<i64>(sum);
    if (count == 0) most.pushNull();
    else most.push<i64>(largest);
  }
  return output.finish();
}
