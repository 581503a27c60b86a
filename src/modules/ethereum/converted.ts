// Columns whose type the configuration may choose: the time, in seconds or as a timestamp, and numbers of 256 bits, as decimal text or as
// integers of 64 bits, where one that does not fit stops the run.
import { Output, OutputColumn, Setting, Type } from "../../sandbox/sdk/index";
import { decimalAt, decimalOf } from "./decimal";
import { inItem, told } from "./fault";

/** Adds the column of a block's time. */
export function addTime(output: Output): OutputColumn {
  const isTimestamp = Setting.of("column.timestamp").is("timestamp");
  return output.add("timestamp", isTimestamp ? Type.TIMESTAMP : Type.U64, false);
}

/** Appends a block's time, in seconds. */
@inline
export function pushTime(column: OutputColumn, seconds: u64): void {
  if (column.type == Type.U64) column.push<u64>(seconds);
  else column.push<i64>(<i64>(seconds * 1_000_000));
}

/** Adds a column of numbers of 256 bits; `setting` is its name behind `column.`. */
export function addDecimal(output: Output, name: string, setting: string, isNullable: bool): OutputColumn {
  const asked = Setting.of(setting);
  return output.add(name, asked.is("u64") ? Type.U64 : asked.is("i64") ? Type.I64 : Type.UTF8, isNullable);
}

/** Appends a number of at most 32 bytes. `index` is that of the transaction it is of, -1 where it is the block's. */
export function pushDecimal(column: OutputColumn, bytes: usize, length: usize, index: i32): void {
  if (column.type == Type.UTF8) {
    const digits = decimalOf(bytes, length);
    column.pushBytes(decimalAt, digits);
    return;
  }
  let value: u64 = 0;
  let fits = true;
  for (let i: usize = 0; i < length; i++) {
    if (value >> 56 != 0) fits = false;
    value = (value << 8) | load<u8>(bytes + i);
  }
  if (!fits || (column.type == Type.I64 && value >> 63 != 0)) {
    const digits = decimalOf(bytes, length);
    inItem("transaction", index);
    told()
      .quote(column.name, column.nameLength)
      .text(" ")
      .digits(decimalAt, digits)
      .text(" does not fit its column; leave the conversion out")
      .fail("ETH_VALUE_RANGE");
  }
  column.push<u64>(value);
}
