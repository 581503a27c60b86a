import { Batch, Column } from "../../sandbox/sdk/index";

let topic0 = changetype<Column>(0);
let topic1 = changetype<Column>(0);
let topic2 = changetype<Column>(0);
let topic3 = changetype<Column>(0);
let data = changetype<Column>(0);
let address = changetype<Column>(0);
let block = changetype<Column>(0);
let index = changetype<Column>(0);

/** Opens the columns of a table of logs. */
export function openLogs(input: Batch): void {
  topic0 = input.column("topic0");
  topic1 = input.column("topic1");
  topic2 = input.column("topic2");
  topic3 = input.column("topic3");
  data = input.column("data");
  address = input.column("address");
  block = input.column("block");
  index = input.column("logIndex");
}

// The log that is being looked at.
export let topicCount: u32 = 0;
export let dataAt: usize = 0;
export let dataEnd: usize = 0;
export let addressAt: usize = 0;

/** Turns to a log. */
export function openLog(row: i32): void {
  topicCount = topic0.isNull(row) ? 0 : topic1.isNull(row) ? 1 : topic2.isNull(row) ? 2 : topic3.isNull(row) ? 3 : 4;
  addressAt = address.bytes(row);
  dataAt = data.bytes(row);
  dataEnd = dataAt + data.byteLength(row);
}

/** Where a topic of a log lies. */
export function topicAt(row: i32, number: u32): usize {
  return number == 0
    ? topic0.bytes(row)
    : number == 1
      ? topic1.bytes(row)
      : number == 2
        ? topic2.bytes(row)
        : topic3.bytes(row);
}

/** Block and number of a log, for errors. */
export function blockOf(row: i32): u64 {
  return block.value<u64>(row);
}

export function indexOf(row: i32): u64 {
  return index.value<u32>(row);
}
