// A module that remembers: readings of a room are numbered, and each says how much it changed since the room's reading before. What it
// has seen lives in its memory from one call to the next; the runtime saves that memory and restores it on any node.
import { Batch, Output, Selection, Type } from "../../../../src/sandbox/sdk/index";
import { KeptMap } from "../../../../src/sandbox/sdk/stateful";

export { ipdm_abi, ipdm_alloc } from "../../../../src/sandbox/sdk/index";
export { ipdm_end } from "../../../../src/sandbox/sdk/stateful";

// Made at the first call and not by initialisers, so that the module has no start function.
let rooms: usize = 0;

/** Offsets in what is kept of a room. */
const COUNT = 0;
const LAST = 8;
const ROOM_BYTES = 16;

export function ipdm_process(address: usize, descriptor: usize): usize {
  if (rooms == 0) rooms = changetype<usize>(KeptMap.of(ROOM_BYTES));
  const input = Batch.at(address);
  const room = input.column("room");
  const value = input.column("millicelsius");

  const whole = Selection.of(input.rows);
  for (let row = 0, rows = input.rows; row < rows; row++) {
    if (!room.isNull(row) && !value.isNull(row)) whole.add(row);
  }

  const output = Output.of(whole.length, input.columns + 2);
  output.copyAll(input, whole);
  const number = output.add("reading", Type.I64, false);
  const change = output.add("change", Type.I64, true);
  for (let i = 0; i < whole.length; i++) {
    const row = whole.at(i);
    const kept = changetype<KeptMap>(rooms).value(room.bytes(row), room.byteLength(row));
    const count = load<i64>(kept, COUNT) + 1;
    const reading = value.integer(row);
    number.push<i64>(count);
    if (count == 1) change.pushNull();
    else change.push<i64>(reading - load<i64>(kept, LAST));
    store<i64>(kept, count, COUNT);
    store<i64>(kept, reading, LAST);
  }
  return output.finish();
}
