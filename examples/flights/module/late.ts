// Flights that were late by 15 minutes or more, with the hour of day of their date. Without a delay a flight is not late.
import { Batch, Output, Selection, Type } from "../../../src/sandbox/sdk/index";

export { ipdm_abi, ipdm_alloc } from "../../../src/sandbox/sdk/index";

const LATE_MINUTES: i64 = 15;
const HOUR_US: i64 = 3_600_000_000;

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const delay = input.column("delay");
  const date = input.column("date");

  const late = Selection.of(input.rows);
  for (let row = 0, rows = input.rows; row < rows; row++) {
    if (!delay.isNull(row) && delay.integer(row) >= LATE_MINUTES) late.add(row);
  }

  const output = Output.of(late.length, input.columns + 1);
  output.copyAll(input, late);
  const hour = output.add("hour", Type.I32, date.isNullable);
  for (let i = 0; i < late.length; i++) {
    const row = late.at(i);
    if (date.isNull(row)) hour.pushNull();
    else hour.push<i32>(hourOf(date.integer(row)));
  }
  return output.finish();
}

/** 0 to 23; days before 1970 count backwards, so the division rounds down. */
function hourOf(timeUs: i64): i32 {
  let hours = timeUs / HOUR_US;
  if (timeUs % HOUR_US < 0) hours--;
  const hour = <i32>(hours % 24);
  return hour < 0 ? hour + 24 : hour;
}
