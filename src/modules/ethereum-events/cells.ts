import { Message, OutputColumn, Type } from "../../sandbox/sdk/index";
import { hexText, integerText, jsonOf, jsonText } from "./json";
import { blockOf, dataAt, dataEnd, indexOf } from "./logs";
import { tailOf } from "./match";
import { Column } from "./plan";
import { isWord, lengthIn, sizeAt } from "./value";

const WORD: usize = 32;
const TEXT = memory.data(160, 16);

/** Writes a value that was found to be sound into its column: a word, or what lies in the data at its head. */
export function writeValue(column: OutputColumn, spec: usize, type: usize, at: usize, row: i32): void {
  if (isWord(type)) return writeWord(column, spec, type, at, row);
  const letter = load<u8>(type);
  if (letter == 0x73 || letter == 0x79) {
    const tail = tailOf(at);
    column.pushBytes(tail + WORD, lengthIn(tail));
  } else {
    const length = jsonOf(type, at, dataAt, dataEnd);
    column.pushBytes(jsonText(), length);
  }
}

/** Writes a word that was found to be sound. */
export function writeWord(column: OutputColumn, spec: usize, type: usize, word: usize, row: i32): void {
  const letter = load<u8>(type);
  if (letter == 0x62) return column.pushBool(load<u8>(word, 31) != 0);
  if (letter == 0x61) return writeBytes(column, word + 12, 20);
  if (letter == 0x66) return writeBytes(column, word, <usize>sizeAt(type + 1));
  writeInteger(column, spec, letter == 0x69, word, row);
}

function writeBytes(column: OutputColumn, at: usize, length: usize): void {
  if (column.type != Type.UTF8) return column.pushBytes(at, length);
  store<u16>(TEXT, 0x7830);
  hexText(at, length, TEXT + 2);
  column.pushBytes(TEXT, 2 + 2 * length);
}

function writeInteger(column: OutputColumn, spec: usize, isSigned: bool, word: usize, row: i32): void {
  if (column.type == Type.UTF8) return column.pushBytes(TEXT, integerText(isSigned, word, TEXT));
  if (column.type == Type.FIXED) return column.pushBytes(word, WORD);
  const value = bswap(load<i64>(word, 24));
  const isNegative = isSigned && load<u8>(word) >= 0x80;
  const above: u64 = isNegative ? 0xffff_ffff_ffff_ffff : 0;
  const fits = load<u64>(word) == above && load<u64>(word, 8) == above && load<u64>(word, 16) == above;
  switch (column.type) {
    case Type.U64:
      if (fits && !isNegative) return column.push<u64>(<u64>value);
      break;
    case Type.U32:
      if (fits && <u64>value <= 0xffff_ffff) return column.push<u32>(<u32>value);
      break;
    case Type.U16:
      if (fits && <u64>value <= 0xffff) return column.push<u16>(<u16>value);
      break;
    case Type.U8:
      if (fits && <u64>value <= 0xff) return column.push<u8>(<u8>value);
      break;
    case Type.I64:
      if (fits && value < 0 == isNegative) return column.push<i64>(value);
      break;
    case Type.I32:
      if (fits && value < 0 == isNegative && value == <i64>(<i32>value)) return column.push<i32>(<i32>value);
      break;
    case Type.I16:
      if (fits && value < 0 == isNegative && value == <i64>(<i16>value)) return column.push<i16>(<i16>value);
      break;
    case Type.I8:
      if (fits && value < 0 == isNegative && value == <i64>(<i8>value)) return column.push<i8>(<i8>value);
      break;
    default:
      unreachable();
  }
  const length = integerText(isSigned, word, TEXT);
  Message.of("block ")
    .number(blockOf(row))
    .text(", log ")
    .number(indexOf(row))
    .text(": the ")
    .quote(<usize>load<u32>(spec, Column.NAME), <usize>load<u32>(spec, Column.NAME_BYTES))
    .text(" ")
    .digits(TEXT, length)
    .text(" does not fit its column; leave the conversion out, or let only other logs through")
    .fail("ETH_VALUE_RANGE");
}
