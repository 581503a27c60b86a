// A map: every row keeps its columns and gets one more, the reading in degrees Fahrenheit.
import { Batch, Output, Selection, Type } from "../../../../src/sandbox/sdk/index";

export { ipdm_abi, ipdm_alloc } from "../../../../src/sandbox/sdk/index";

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const rows = input.rows;
  const value = input.column("millicelsius");

  const all = Selection.of(rows);
  for (let row = 0; row < rows; row++) all.add(row);

  const output = Output.of(rows, input.columns + 1);
  output.copyAll(input, all);
  const fahrenheit = output.add("fahrenheit", Type.F64, true);
  for (let row = 0; row < rows; row++) {
    if (value.isNull(row)) fahrenheit.pushNull();
    // Thousandths are whole numbers, so that the sum is exact; one division rounds.
    else fahrenheit.push<f64>(<f64>(value.integer(row) * 9 + 160_000) / 5000);
  }
  return output.finish();
}
