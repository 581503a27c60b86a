import { fold } from "./fold";
import { merge } from "./merge";

/**
 * Folds rows as `fold` does, and before the rows that `rows` names adds the slot of `from` beside it to that of `into`, and clears it.
 * `progress` holds how many rows and joins are done: fewer than given where the next sum is no safe integer.
 */
export function foldJoined(
  what: i32, slots: usize, count: i32, values: usize, counts: usize, sums: usize, least: usize, most: usize,
  rows: usize, into: usize, from: usize, joins: i32, progress: usize,
): void {
  let at = 0;
  let join = 0;
  for (; join <= joins; join++) {
    const place = (<usize>join) << 2;
    const end = join < joins ? load<i32>(rows + place) : count;
    at += fold(what, slots + ((<usize>at) << 2), end - at, values + ((<usize>at) << 3), counts, sums, least, most);
    if (at < end || join == joins) break;
    if (merge(what, into + place, from + place, 1, counts, sums, least, most) == 0) break;
    const slot = (<usize>load<u32>(from + place)) << 3;
    if ((what & 1) != 0) store<f64>(counts + slot, 0);
    if ((what & 2) != 0) store<f64>(sums + slot, 0);
    if ((what & 4) != 0) store<f64>(least + slot, NaN);
    if ((what & 8) != 0) store<f64>(most + slot, -Infinity);
  }
  store<i32>(progress, at);
  store<i32>(progress, join, 4);
}
