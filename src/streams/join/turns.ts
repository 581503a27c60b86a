import type { Batch } from "../../batch/batch.ts";
import { type MergeSink, NEVER_QUIET } from "./merge-sink.ts";
import type { MergedInput } from "./merged-input.ts";

/** Where an input stands in a batch. */
export interface Front {
  readonly input: MergedInput;
  readonly batch: Batch;
  /** Event times of the batch's rows. */
  readonly times: Float64Array;
}

/** Hands on what two inputs have while both stand in a batch: what a merge does in general, without looking at anything else. */
export function takeTurns(sink: MergeSink, [left, right]: readonly [Front | undefined, Front | undefined]): void {
  if (left === undefined || right === undefined) return;
  const { input: first, batch: a, times: early } = left;
  const { input: second, batch: b, times: late } = right;
  while (!sink.isBlocked) {
    if (sink.quiet !== NEVER_QUIET && !takeQuiet(sink, left, right)) return;
    if ((early[first.row] as number) <= (late[second.row] as number)) {
      const limit = late[second.row] as number;
      let to = first.row + 1;
      while (to < a.rows && (early[to] as number) <= limit) to++;
      if (first.took(a, sink.rows(0, a, first.row, to, early))) return;
    } else {
      const limit = early[first.row] as number;
      let to = second.row + 1;
      while (to < b.rows && (late[to] as number) < limit) to++;
      if (second.took(b, sink.rows(1, b, second.row, to, late))) return;
    }
  }
}

/** Hands on what both have before any row that is not quiet; false when that was all of a batch. */
function takeQuiet(sink: MergeSink, left: Front, right: Front): boolean {
  const { from, until } = sink.quiet;
  const { input: first, batch: a, times: early } = left;
  const { input: second, batch: b, times: late } = right;
  let [i, j] = [first.row, second.row];
  while (i < a.rows && j < b.rows) {
    const [l, r] = [early[i] as number, late[j] as number];
    if (l <= r) {
      if (l < from || l >= until) break;
      i++;
    } else {
      if (r < from || r >= until) break;
      j++;
    }
  }
  if (i > first.row) {
    sink.quietRows(0, a, first.row, i, early);
    first.took(a, i);
  }
  if (j > second.row) {
    sink.quietRows(1, b, second.row, j, late);
    second.took(b, j);
  }
  return i < a.rows && j < b.rows;
}
