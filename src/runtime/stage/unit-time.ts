import type { Batch } from "../../batch/batch.ts";
import { isNull } from "../../batch/column.ts";

/**
 * The event time that a call on a unit is given: the latest of its rows, in microseconds since 1970; rows without one are passed
 * over. `undefined` where none has one. It depends on the unit alone, so on no batch, slot or watermark.
 */
export function latestTime(batch: Batch, time: string): bigint | undefined {
  const column = batch.column(time);
  const values = column.values as BigInt64Array; // a timestamp's, as whoever named the column has checked
  let latest: bigint | undefined;
  for (let row = 0; row < batch.rows; row++) {
    const value = values[row] as bigint;
    if ((latest === undefined || value > latest) && !isNull(column, row)) latest = value;
  }
  return latest;
}
