import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { JoinCore } from "./join-core.ts";
import { RankedSide, ranksOf, type WindowSide } from "./window-entries.ts";

/**
 * Puts out the pairs of one window after the other, and can stop behind any of them. Each row of the left from `l` to `leftEnd` goes with all
 * of the right from `rightFrom` to `rightEnd`: the rows of one key, or those of one side alone with the missing row behind the other's last.
 */
export class WindowPairs {
  private readonly core: JoinCore;
  private readonly keepsLeft: boolean;
  private readonly keepsRight: boolean;
  private readonly left = new RankedSide();
  private readonly right = new RankedSide();
  /** The rank behind all keys: that of rows with a null in theirs. */
  private nullRank = 0;
  private l = 0;
  private leftEnd = 0;
  private r = 0;
  private rightFrom = 0;
  private rightEnd = 0;
  /** Where the rows of the next key begin. */
  private nextLeft = 0;
  private nextRight = 0;
  /** Rows of the right that come out alone next. */
  private aloneFrom = 0;
  private aloneEnd = 0;

  constructor(core: JoinCore) {
    const { kind } = core.plan;
    this.core = core;
    this.keepsLeft = kind === "left" || kind === "full";
    this.keepsRight = kind === "right" || kind === "full";
  }

  begin(sides: readonly [WindowSide, WindowSide]): void {
    const ranks = ranksOf(this.core.keys.store, sides);
    this.nullRank = ranks.count;
    this.left.fill(sides[0], ranks);
    this.right.fill(sides[1], ranks);
    this.nextLeft = this.nextRight = this.aloneFrom = this.aloneEnd = 0;
    this.cross(0, 0, 0, 0);
  }

  /** Puts pairs until they are full, or all are out: true then. */
  work(): boolean {
    const { left, right } = this;
    const { pairs } = this.core;
    const [into, beside] = [pairs.left, pairs.right];
    const leftNumbers = into.numbersOf(left.batches);
    const rightNumbers = beside.numbersOf(right.batches);
    let { count } = pairs;
    do {
      let { l, r } = this;
      const { leftEnd, rightFrom, rightEnd } = this;
      for (; l < leftEnd; l++, r = rightFrom) {
        const number = leftNumbers[left.at[l] as number] as number;
        const row = left.rows[l] as number;
        for (; r < rightEnd; r++, count++) {
          if (count === BATCH_ROWS_DEFAULT) {
            [this.l, this.r, pairs.count] = [l, r, count];
            return false;
          }
          into.at[count] = number;
          into.rows[count] = row;
          beside.at[count] = rightNumbers[right.at[r] as number] as number;
          beside.rows[count] = right.rows[r] as number;
        }
      }
    } while (this.next());
    pairs.count = count;
    left.batches = right.batches = [];
    return true;
  }

  /** Goes to the rows that come out next; false where there are none. */
  private next(): boolean {
    const { left, right, nullRank } = this;
    while (this.aloneFrom === this.aloneEnd) {
      const [a, b] = [this.nextLeft, this.nextRight];
      if (a === left.count && b === right.count) return false;
      const rank = Math.min(left.ranks[a] as number, right.ranks[b] as number);
      let [i, j] = [a, b];
      while (left.ranks[i] === rank) i++;
      while (right.ranks[j] === rank) j++;
      this.nextLeft = i;
      this.nextRight = j;
      if (rank !== nullRank && a < i && b < j) return this.cross(a, i, b, j);
      if (this.keepsRight) [this.aloneFrom, this.aloneEnd] = [b, j];
      if (this.keepsLeft && a < i) return this.cross(a, i, right.count, right.count + 1);
    }
    const { aloneFrom, aloneEnd } = this;
    this.aloneFrom = aloneEnd;
    return this.cross(left.count, left.count + 1, aloneFrom, aloneEnd);
  }

  private cross(l: number, leftEnd: number, rightFrom: number, rightEnd: number): true {
    this.l = l;
    this.leftEnd = leftEnd;
    this.r = rightFrom;
    this.rightFrom = rightFrom;
    this.rightEnd = rightEnd;
    return true;
  }
}
