import type { Batch } from "../../batch/batch.ts";
import type { Column } from "../../batch/column.ts";
import { isNull } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import { sameSchema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { WindowTimes } from "./plan.ts";

/**
 * Start of the window a time lies in: `offset + k·size`, rounded down, also before the epoch. The division is exact
 * enough: for |time| < 2^53 a quotient of doubles never rounds up to the next whole number. Throws `TIME_RANGE` where
 * start or end is no safe integer (before about 1684 or after about 2255), naming the row where it is given.
 */
export function windowStart(time: number, times: WindowTimes, row?: number): number {
  const start = Math.floor((time - times.offset) / times.size) * times.size + times.offset;
  if (
    !Number.isSafeInteger(time - times.offset) ||
    !Number.isSafeInteger(start) ||
    !Number.isSafeInteger(start + times.size)
  ) {
    throw outOfRange(time, row);
  }
  return start;
}

/** An event time around which so much can be counted exactly. Throws `TIME_RANGE`. */
export function checkedTime(time: number, span: number, row: number): number {
  if (Number.isSafeInteger(time + 2 * span) && Number.isSafeInteger(time - span)) return time;
  throw outOfRange(time, row);
}

/** Newest event time after a watermark that came from outside, which never takes it back. Throws `TIME_RANGE`. */
export function newestAfter(newest: number, watermarkUs: number, times: WindowTimes): number {
  const time = watermarkUs + times.outOfOrder;
  if (!Number.isSafeInteger(time) && Math.abs(watermarkUs) !== Number.POSITIVE_INFINITY) throw outOfRange(watermarkUs);
  return Math.max(newest, time);
}

function outOfRange(time: number, row?: number): IpdmError {
  const what = row === undefined ? "the event time" : `row ${row} has the event time`;
  return new IpdmError("TIME_RANGE", `${what} ${time} µs, which is outside ±2^53 µs`, {
    ...(row === undefined ? {} : { where: `row ${row}` }),
    hint: "event times are microseconds since 1970; check the unit of the time column",
    facts: row === undefined ? { time } : { time, row },
  });
}

/**
 * The time column of a batch, without nulls in the rows given. Throws `TIME_NULL` naming the row, counted from the
 * start of the input.
 */
export function timesOf(batch: Batch, time: string, from: number, to: number, rowsBefore: number): Column {
  const column = batch.column(time);
  if (column.nulls === 0) return column;
  for (let row = from; row < to; row++) {
    if (isNull(column, row)) {
      const number = rowsBefore + row - from;
      throw new IpdmError("TIME_NULL", `row ${number} has no event time in ${time}`, {
        where: `row ${number}`,
        hint: "drop rows without a time before the window, or give them one",
        facts: { row: number, column: time },
      });
    }
  }
  return column;
}

/** Throws `SCHEMA_MISMATCH` when a batch has other columns than the ones a window was made for. */
export function checkSchema(expected: Schema, batch: Batch): void {
  if (batch.schema === expected || sameSchema(batch.schema, expected)) return;
  const shown = (schema: Schema): string =>
    schema.fields.map(({ name, type, nullable }) => `${name} ${type}${nullable ? "?" : ""}`).join(", ");
  throw new IpdmError("SCHEMA_MISMATCH", "a batch has other columns than the stream before it", {
    hint: `expected ${shown(expected)}; found ${shown(batch.schema)}`,
  });
}
