// A filter: readings of 30 degrees or more go on, with all their columns. A reading without a value does not.
import { Batch, Output, Selection } from "../../../../src/sandbox/sdk/index";

export { ipdm_abi, ipdm_alloc } from "../../../../src/sandbox/sdk/index";

const HOT_MILLICELSIUS: i64 = 30_000;

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const value = input.column("millicelsius");

  const hot = Selection.of(input.rows);
  for (let row = 0, rows = input.rows; row < rows; row++) {
    if (!value.isNull(row) && value.integer(row) >= HOT_MILLICELSIUS) hot.add(row);
  }

  const output = Output.of(hot.length, input.columns);
  output.copyAll(input, hot);
  return output.finish();
}
