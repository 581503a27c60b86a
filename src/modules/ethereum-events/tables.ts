import { allocate, Batch, Output, OutputColumn, Selection, Type } from "../../sandbox/sdk/index";
import { writeValue, writeWord } from "./cells";
import { dataAt, openLog, topicAt, topicCount } from "./logs";
import { Fate, fateOf, matched, matchedRows, tailOf } from "./match";
import {
  addressName, addressNameBytes, Column, columnCount, Event, firstColumn, firstEvent, Parameter, timeType,
} from "./plan";
import { headBytes, isWord } from "./value";

const WORD: usize = 32;
const ADDRESS_BYTES: u32 = 20;

/** Makes the table of decoded events. */
export function writeEvents(input: Batch): usize {
  const events = allocate((<usize>input.rows) << 2);
  const counts = allocate((<usize>input.rows) << 2);
  let rows = 0;
  for (let row = 0; row < input.rows; row++) {
    openLog(row);
    if (fateOf(row) != Fate.DECODED) continue;
    const at = (<usize>row) << 2;
    store<u32>(events + at, <u32>matched);
    store<i32>(counts + at, matchedRows);
    rows += matchedRows;
  }
  const chosen = Selection.of(rows);
  for (let row = 0; row < input.rows; row++) {
    for (let i = 0, n = load<i32>(counts + ((<usize>row) << 2)); i < n; i++) chosen.add(row);
  }
  const output = Output.of(rows, columnCount + 6);
  addPlace(output, input, chosen);
  const several = load<u32>(firstEvent) != 0;
  const names = several ? output.add("event", Type.DICT, false) : changetype<OutputColumn>(0);
  const columns = allocate((<usize>columnCount) << 2);
  const specs = allocate((<usize>columnCount) << 2);
  addColumns(output, columns, specs);
  for (let row = 0; row < input.rows; row++) {
    const at = (<usize>row) << 2;
    const count = load<i32>(counts + at);
    if (count == 0) continue;
    const event = <usize>load<u32>(events + at);
    openLog(row);
    for (let item = 0; item < count; item++) {
      if (several) names.pushBytes(<usize>load<u32>(event, Event.NAME), <usize>load<u32>(event, Event.NAME_BYTES));
      writeEvent(event, columns, specs, row, item);
    }
  }
  return output.finish();
}

/** Adds where an event comes from. */
function addPlace(output: Output, input: Batch, chosen: Selection): void {
  output.copy(input.column("block"), chosen);
  addTime(output, input, chosen);
  output.copy(input.column("tx"), chosen);
  output.copy(input.column("logIndex"), chosen);
  const address = input.column("address");
  address.name = addressName;
  address.nameLength = addressNameBytes;
  output.copy(address, chosen);
}

function addTime(output: Output, input: Batch, chosen: Selection): void {
  const seconds = input.column("timestamp");
  if (timeType != Type.TIMESTAMP) return output.copy(seconds, chosen);
  const time = output.add("timestamp", Type.TIMESTAMP, false);
  for (let i = 0; i < chosen.length; i++) time.push<i64>(<i64>(seconds.value<u64>(chosen.at(i)) * 1_000_000));
}

function addColumns(output: Output, columns: usize, specs: usize): void {
  let i: usize = 0;
  for (let spec = firstColumn; spec != 0; spec = <usize>load<u32>(spec)) {
    const column = output.addNamed(
      <usize>load<u32>(spec, Column.NAME),
      <usize>load<u32>(spec, Column.NAME_BYTES),
      load<u32>(spec, Column.TYPE),
      load<u32>(spec, Column.NULLABLE) != 0,
      load<u32>(spec, Column.WIDTH),
    );
    store<u32>(columns + i, <u32>changetype<usize>(column));
    store<u32>(specs + i, <u32>spec);
    i += 4;
  }
}

/** Writes one row of an event; columns of other events get nulls. */
function writeEvent(event: usize, columns: usize, specs: usize, row: i32, item: i32): void {
  const before = firstRows(columns);
  let head = dataAt;
  for (let at = <usize>load<u32>(event, Event.FIRST_PARAMETER); at != 0; at = <usize>load<u32>(at)) {
    const number = (<usize>load<u32>(at, Parameter.COLUMN)) << 2;
    const column = changetype<OutputColumn>(<usize>load<u32>(columns + number));
    const spec = <usize>load<u32>(specs + number);
    const type = <usize>load<u32>(at, Parameter.TYPE);
    if (load<u32>(at, Parameter.INDEXED) != 0) {
      const topic = topicAt(row, load<u32>(at, Parameter.PLACE));
      if (isWord(type)) writeWord(column, spec, type, topic, row);
      else column.pushBytes(topic, WORD);
      continue;
    }
    if (load<u32>(at, Parameter.EXPANDED) != 0)
      writeWord(column, spec, type + 2, tailOf(head) + WORD + (<usize>item) * WORD, row);
    else writeValue(column, spec, type, head, row);
    head += headBytes(type);
  }
  for (let i: usize = 0; i < <usize>columnCount; i++) {
    const column = changetype<OutputColumn>(<usize>load<u32>(columns + (i << 2)));
    if (column.rows == before) column.pushNull();
  }
}

/** Rows that all columns have: a row is complete before the next begins. */
function firstRows(columns: usize): i32 {
  return columnCount == 0 ? 0 : changetype<OutputColumn>(<usize>load<u32>(columns)).rows;
}

/** Makes the table of logs that are counted and not decoded, with the reason. */
export function writeRejected(input: Batch): usize {
  const chosen = Selection.of(input.rows);
  const fates = allocate(<usize>input.rows);
  for (let row = 0; row < input.rows; row++) {
    openLog(row);
    const fate = fateOf(row);
    if (fate == Fate.OTHER || fate == Fate.DECODED) continue;
    store<u8>(fates + chosen.length, <u8>fate);
    chosen.add(row);
  }
  const output = Output.of(chosen.length, 8);
  addPlace(output, input, chosen);
  const reasons = output.add("reason", Type.DICT, false);
  const topics = output.add("topics", Type.U8, false);
  for (let i = 0; i < chosen.length; i++) {
    openLog(chosen.at(i));
    const fate = <i32>load<u8>(fates + i);
    reasons.pushText(fate == Fate.ANONYMOUS ? "anonymous" : fate == Fate.TOPICS ? "topics" : "malformed");
    topics.push<u8>(<u8>topicCount);
  }
  return output.finish();
}
