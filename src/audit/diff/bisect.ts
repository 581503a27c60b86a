import { equalBytes } from "../../core/bytes.ts";
import type { TableView } from "./table-view.ts";

/** The parts of two tables at which the first difference is looked for: everything before them is the same. */
export interface Start {
  readonly a: number;
  readonly b: number;
}

/**
 * Finds the last place where both tables have as many rows and the same root over them, by halving: O(log n) states of each
 * receipt. `onRead` is told of every state that is looked at. Where no roots can be compared (an input), that is the
 * beginning; where leaves are whole batches, runs that were cut otherwise have other roots over the same rows, so that it may be too
 * early a place, but never too late a one.
 */
export function bisect(a: TableView, b: TableView, onRead: () => void): Start {
  const common = a.leaf !== undefined && a.leaf === b.leaf ? commonEnds(a, b) : [];
  let same = -1;
  let differs = common.length;
  while (differs - same > 1) {
    const middle = (same + differs) >> 1;
    const place = common[middle] as Start;
    const [one, other] = [a.prefix(place.a), b.prefix(place.b)];
    onRead();
    onRead();
    if (one.leaves === other.leaves && equalBytes(one.root, other.root)) same = middle;
    else differs = middle;
  }
  const last = common[same];
  return last === undefined ? { a: 0, b: 0 } : { a: last.a + 1, b: last.b + 1 };
}

/** Parts of both tables after which they have as many rows: the last such part on each side, ascending. */
function commonEnds(a: TableView, b: TableView): Start[] {
  const ends = new Map<number, number>();
  for (const [i, { from, rows }] of b.parts.entries()) ends.set(from + rows, i);
  const common = new Map<number, Start>();
  for (const [i, { from, rows }] of a.parts.entries()) {
    const other = ends.get(from + rows);
    if (other !== undefined) common.set(from + rows, { a: i, b: other });
  }
  return [...common.values()];
}
