import type { Column } from "../../batch/column.ts";
import { isNull, wordsOf } from "../../batch/column.ts";
import { isWide } from "../window/plan.ts";
import type { Vector } from "./vector.ts";

/** Numbers and instants of a column from a row on: exact as f64 where all are, bigint otherwise. */
export function loadNumbers(column: Column, from: number, count: number, into: Vector): void {
  into.wides = undefined;
  const { values, field } = column;
  if (isWide(field)) return loadWide(column, from, count, into);
  const { numbers } = into;
  if (field.type === "bool") {
    for (let i = 0, row = from; i < count; i++, row++) numbers[i] = ((values[row >> 3] as number) >> (row & 7)) & 1;
  } else if (values instanceof Int32Array) {
    for (let i = 0; i < count; i++) numbers[i] = values[from + i] as number;
  } else if (values instanceof Float64Array) {
    for (let i = 0; i < count; i++) numbers[i] = values[from + i] as number;
  } else {
    for (let i = 0; i < count; i++) numbers[i] = values[from + i] as number;
  }
}

const SAFE_HIGH = 0x20_0000;

function loadWide(column: Column, from: number, count: number, into: Vector): void {
  const words = wordsOf(column);
  const { numbers } = into;
  const least = column.field.type === "u64" ? 0 : -SAFE_HIGH;
  let unsafe = 0;
  for (let i = 0, at = 2 * from; i < count; i++, at += 2) {
    const high = words[at + 1] as number;
    if (high < least || high >= SAFE_HIGH) unsafe = 1;
    numbers[i] = high * 4_294_967_296 + ((words[at] as number) >>> 0);
  }
  if (unsafe === 0) return;
  const values = column.values as BigInt64Array;
  into.wides = Array.from({ length: count }, (_, i) => values[from + i] as bigint);
}

/** 1 for the null rows of a column; undefined when none is. */
export function loadNulls(column: Column, from: number, count: number): Uint8Array | undefined {
  if (column.nulls === 0) return undefined;
  const nulls = new Uint8Array(count);
  for (let i = 0; i < count; i++) nulls[i] = isNull(column, from + i) ? 1 : 0;
  return nulls;
}
