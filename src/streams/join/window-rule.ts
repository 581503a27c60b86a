import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { KEPT_ROWS_MAX } from "../limits.ts";
import { windowStart } from "../window/event-clock.ts";
import type { WindowTimes } from "../window/plan.ts";
import type { JoinCore } from "./join-core.ts";
import type { JoinRule, Kept, SideIndex } from "./join-rule.ts";
import { stateFull } from "./kept-rows.ts";
import { NEVER_QUIET, type Quiet } from "./merge-sink.ts";
import { HeldBatches, WindowSide } from "./window-entries.ts";
import { WindowPairs } from "./window-pairs.ts";

interface OpenWindow {
  readonly start: number;
  readonly end: number;
  readonly sides: readonly [WindowSide, WindowSide];
}

/** Rows of one batch, each with the id of its key. */
interface Gathered {
  readonly batch: Batch;
  readonly entries: [row: number, id: number][];
}

/** Windows that a time is looked up in first. */
const RECENT = 8;
/** Sides of windows that have closed, kept for the next. */
const SPARE_MAX = 16;
/** Rows of batches held for each row kept, and beside, beyond which the rows kept are copied together. */
const HELD_SHARE = 4;
const HELD_MORE = 65_536;

/**
 * Pairs the rows of a key that lie in the same window, when the window closes: windows by end, keys by their canonical bytes, left rows as
 * they came, each with the right rows as they came. A row is late when all its windows have closed. Rows with a null in their key have no
 * partner; they come out, where their side's rows do, behind all keys.
 */
export class WindowRule implements JoinRule {
  isSparse = false;
  /** From the start of the first window that can be open to when it closes. */
  quiet: Quiet = NEVER_QUIET;
  private readonly core: JoinCore;
  private readonly times: WindowTimes;
  /** The same, with windows a step apart. */
  private readonly steps: WindowTimes;
  private readonly windows = new Map<number, OpenWindow>();
  private nextClose = Number.POSITIVE_INFINITY;
  /** Windows that rows were put into last, by the low bits of their number on the grid. */
  private readonly recent: (OpenWindow | undefined)[] = Array.from({ length: RECENT }, () => undefined);
  /** What windows that have closed were made of. */
  private readonly spare: OpenWindow["sides"][] = [];
  /** Windows that are closing, the next one last. */
  private due: OpenWindow[] = [];
  private closing: OpenWindow | undefined;
  private readonly pairs: WindowPairs;
  /** Rows kept of each side. */
  private readonly rows: [number, number] = [0, 0];
  private held: readonly [HeldBatches, HeldBatches] = [new HeldBatches(), new HeldBatches()];
  /** Rows of batches below which another look at whether few of them are kept brings nothing. */
  private heldAtLeast = 0;
  /** Batches so far of each side, and the present one's. */
  private readonly numbers: [number, number] = [0, 0];
  private readonly present: [Batch | undefined, Batch | undefined] = [undefined, undefined];
  private readonly last: [number, number] = [-1, -1];

  constructor(core: JoinCore, times: WindowTimes) {
    this.core = core;
    this.times = times;
    this.steps = { ...times, size: times.step };
    this.pairs = new WindowPairs(core);
  }

  get living(): number {
    return this.rows[0] + this.rows[1];
  }

  get isBusy(): boolean {
    return this.closing !== undefined;
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { times } = this;
    const number = this.numberOf(side, batch, row);
    if (times.step === times.whole) {
      const window = this.windowAt(time);
      if (window === undefined) return false;
      this.put(window, side, batch, number, row, id);
    } else {
      const starts = this.startsOf(time);
      if (starts.length === 0) return false;
      starts.forEach((start, i) => {
        if (i === 0) this.put(this.opened(start), side, batch, number, row, id);
        else this.share(this.opened(start), side, batch, number, row, id);
      });
    }
    if (id >= 0) this.core.remember(side, batch, row, id);
    return true;
  }

  advance(): void {
    const { newest } = this.core;
    if (newest >= this.quiet.until) this.findQuiet();
    if (newest < this.nextClose) return;
    const { slack } = this.times;
    this.due = [...this.windows.values()].filter(({ end }) => end + slack <= newest).sort((a, b) => b.end - a.end);
    for (const { start } of this.due) this.windows.delete(start);
    this.recent.fill(undefined);
    this.nextClose = Number.POSITIVE_INFINITY;
    for (const { end } of this.windows.values()) this.nextClose = Math.min(this.nextClose, end + slack);
    this.closeNext();
    this.work();
  }

  work(): boolean {
    while (this.closing !== undefined) {
      if (!this.pairs.work()) return false;
      const { sides } = this.closing;
      for (const side of [0, 1] as const) {
        this.rows[side] -= sides[side].counted;
        this.held[side].release(sides[side].numbers);
        sides[side].clear();
      }
      if (this.spare.length < SPARE_MAX) this.spare.push(sides);
      this.closeNext();
    }
    const held = this.held[0].rows + this.held[1].rows;
    this.isSparse = held > Math.max(HELD_SHARE * this.living + HELD_MORE, this.heldAtLeast);
    return true;
  }

  collect(): Kept {
    const collected = this.core.emptyRows();
    for (const side of [0, 1] as const) {
      const gathered = new Map<number, Gathered>();
      for (const { sides } of this.windows.values()) gather(sides[side], gathered);
      for (const [, { batch, entries }] of [...gathered].sort(([a], [b]) => a - b)) {
        const words = wordsOf(batch.column(this.core.inputs[side].time));
        for (const [row, id] of entries.sort(([a], [b]) => a - b))
          collected[side].add(batch, row, wordsToNumber(words, row), id);
      }
    }
    return collected;
  }

  rebuilt(): void {
    this.windows.clear();
    this.recent.fill(undefined);
    this.nextClose = Number.POSITIVE_INFINITY;
    this.held = [new HeldBatches(), new HeldBatches()];
    this.isSparse = false;
    this.findQuiet();
    for (const side of [0, 1] as const) {
      this.rows[side] = 0;
      const kept = this.core.kept[side];
      this.present[side] = undefined;
      for (let entry = 0; entry < kept.count; entry++) {
        const batch = kept.batches[kept.at[entry] as number] as Batch;
        this.row(side, batch, kept.rows[entry] as number, kept.times[entry] as number, kept.ids[entry] as number);
      }
      this.present[side] = undefined;
      kept.clear();
    }
    this.heldAtLeast = 2 * (this.held[0].rows + this.held[1].rows);
  }

  private findQuiet(): void {
    const { newest } = this.core;
    const { whole, step, offset, slack } = this.times;
    const from = (Math.floor((newest - whole - slack - offset) / step) + 1) * step + offset;
    const until = from + whole + slack;
    const isExact = Number.isSafeInteger(from - whole) && Number.isSafeInteger(until + whole) && until > newest;
    this.quiet = isExact ? { from, until } : NEVER_QUIET;
  }

  /** Begins to close the next window that is due. */
  private closeNext(): void {
    this.closing = this.due.pop();
    if (this.closing !== undefined) this.pairs.begin(this.closing.sides);
  }

  private put(window: OpenWindow, side: SideIndex, batch: Batch, number: number, row: number, id: number): void {
    this.listOf(window, side, batch, number).push(row, id);
    window.sides[side].counted++;
    this.rows[side]++;
    if (this.rows[side] > KEPT_ROWS_MAX) throw stateFull(KEPT_ROWS_MAX);
  }

  /** Puts a row that a later window counts. */
  private share(window: OpenWindow, side: SideIndex, batch: Batch, number: number, row: number, id: number): void {
    this.listOf(window, side, batch, number).push(~row, id);
  }

  private listOf(window: OpenWindow, side: SideIndex, batch: Batch, number: number): WindowSide {
    const list = window.sides[side];
    if (list.newest !== number) {
      list.begin(batch, number);
      this.held[side].hold(number, batch);
    }
    return list;
  }

  /** The number of a batch among all of its side: the same batch that comes again has another. */
  private numberOf(side: SideIndex, batch: Batch, row: number): number {
    if (this.present[side] !== batch || row <= (this.last[side] as number)) {
      this.present[side] = batch;
      this.numbers[side]++;
    }
    this.last[side] = row;
    return this.numbers[side];
  }

  /** The window that a time lies in, where each has one; undefined where it has closed. */
  private windowAt(time: number): OpenWindow | undefined {
    const { whole, offset, slack } = this.times;
    const place = Math.floor((time - offset) / whole) & (RECENT - 1);
    const recent = this.recent[place];
    if (recent !== undefined && time >= recent.start && time < recent.end) return recent;
    const start = windowStart(time, this.times);
    if (start + whole + slack <= this.core.newest) return undefined;
    const window = this.opened(start);
    this.recent[place] = window;
    return window;
  }

  /** Starts of the open windows that a time lies in, the latest first. */
  private startsOf(time: number): number[] {
    const { whole, step, slack } = this.times;
    const starts: number[] = [];
    const last = windowStart(time, this.steps);
    for (let start = last; start + whole > time; start -= step)
      if (start + whole + slack > this.core.newest) starts.push(start);
    return starts;
  }

  private opened(start: number): OpenWindow {
    let window = this.windows.get(start);
    if (window === undefined) {
      const sides = this.spare.pop() ?? ([new WindowSide(), new WindowSide()] as const);
      window = { start, end: start + this.times.whole, sides };
      this.windows.set(start, window);
      this.nextClose = Math.min(this.nextClose, window.end + this.times.slack);
    }
    return window;
  }
}

/** Puts the rows that a window counts to those of their batches. */
function gather(side: WindowSide, into: Map<number, Gathered>): void {
  for (const [place, batch] of side.batches.entries()) {
    const number = side.numbers[place] as number;
    let found = into.get(number);
    if (found === undefined) {
      found = { batch, entries: [] };
      into.set(number, found);
    }
    const end = side.endOf(place);
    for (let i = side.starts[place] as number; i < end; i++)
      if ((side.rows[i] as number) >= 0) found.entries.push([side.rows[i] as number, side.ids[i] as number]);
  }
}
