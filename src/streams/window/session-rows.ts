import type { WindowCore } from "./core.ts";
import { checkedTime } from "./event-clock.ts";
import type { KeyLists } from "./key-lists.ts";
import type { Kept } from "./windows.ts";

// The layout of src/modules/window-kernels/sessions.ts: floats, then words of 32 bits.
const FLOAT = { newest: 0, gap: 1, closes: 2, least: 3, most: 4 } as const;
const WORD = { heads: 10, headsSize: 11, nexts: 12, firsts: 13, lasts: 14, touched: 15 } as const;
const CONTROL_WORDS = 16;

/** The open sessions that rows are looked up in, and what is done with a row that is no plain one. */
export interface SessionTable {
  readonly firsts: Kept;
  readonly lasts: Kept;
  readonly lists: KeyLists;
  /** The slot of a row that no session or several are in reach of; 0 where it is late. */
  settle(row: number, at: number, newest: number): number;
}

/**
 * Gives rows the sessions that they lie in, where none is ever taken back: a part never ends early then, and all sessions of a key's list
 * are still to come out. Most rows lie in reach of one session, which grows by them.
 */
export class SessionRows {
  private readonly core: WindowCore;
  private readonly table: SessionTable;
  private readonly gap: number;
  private readonly closes: number;
  /** Times around which {@link checkedTime} can count. */
  private readonly least: number;
  private readonly most: number;
  private words: Int32Array | undefined;

  /** `closes` is from a session's last row to the newest time at which it takes no more. */
  constructor(core: WindowCore, table: SessionTable, closes: number) {
    const { whole } = core.windowTimes;
    this.core = core;
    this.table = table;
    this.gap = whole;
    this.closes = closes;
    this.least = whole - Number.MAX_SAFE_INTEGER;
    this.most = Number.MAX_SAFE_INTEGER - 2 * whole;
  }

  /** Assigns rows of the chunk from `at` to `count`. */
  assign(at: number, count: number): void {
    const { core } = this;
    const { kernels } = core.arena;
    if (kernels === undefined) return this.assignRows(at, count);
    if (this.words === undefined) {
      this.words = core.arena.i32(CONTROL_WORDS);
      this.table.lists.relocate();
    }
    const { words } = this;
    const { times, marks, slots } = core;
    const floats = new Float64Array(words.buffer, words.byteOffset, CONTROL_WORDS >> 1);
    floats[FLOAT.newest] = core.newest;
    floats[FLOAT.gap] = this.gap;
    floats[FLOAT.closes] = this.closes;
    floats[FLOAT.least] = this.least;
    floats[FLOAT.most] = this.most;
    this.place(words);
    for (let row = at; row < count; row++) {
      row = kernels.sessions(words.byteOffset, times.byteOffset, marks.byteOffset, row, count);
      if (row === count) break;
      const newest = floats[FLOAT.newest] as number;
      slots[row] = this.settled(row, at, newest);
      const mark = marks[row] as number;
      if (mark > newest) floats[FLOAT.newest] = mark;
      this.place(words);
    }
    core.newest = floats[FLOAT.newest] as number;
  }

  /** Says where arrays are, which moves when sessions begin. */
  private place(words: Int32Array): void {
    const { lists, firsts, lasts } = this.table;
    words[WORD.heads] = lists.heads.byteOffset;
    words[WORD.headsSize] = lists.heads.length;
    words[WORD.nexts] = lists.nexts.byteOffset;
    words[WORD.firsts] = firsts.values.byteOffset;
    words[WORD.lasts] = lasts.values.byteOffset;
    words[WORD.touched] = this.core.groups.touched.byteOffset;
  }

  /** What the kernel does, without it. */
  private assignRows(at: number, count: number): void {
    const { core, table, gap, closes, least, most } = this;
    const { ids, slots, times, marks, groups } = core;
    let { newest } = core;
    let { heads, nexts } = table.lists;
    let firsts = table.firsts.values;
    let lasts = table.lasts.values;
    for (let row = at; row < count; row++) {
      const time = times[row] as number;
      const id = ids[row] as number;
      let isPlain = time <= most && time >= least;
      let slot = 0;
      for (let each = id < heads.length ? (heads[id] as number) : 0; each !== 0; each = nexts[each] as number) {
        const last = lasts[each] as number;
        if (last + closes <= newest || time < (firsts[each] as number) - gap || time > last + gap) continue;
        if (slot !== 0) isPlain = false;
        slot = each;
      }
      if (slot !== 0 && isPlain) {
        if (time > (lasts[slot] as number)) lasts[slot] = time;
        else if (time < (firsts[slot] as number)) firsts[slot] = time;
        groups.touched[slot] = 1;
      } else {
        slot = this.settled(row, at, newest);
        ({ heads, nexts } = table.lists);
        firsts = table.firsts.values;
        lasts = table.lasts.values;
      }
      slots[row] = slot;
      const mark = marks[row] as number;
      if (mark > newest) newest = mark;
    }
    core.newest = newest;
  }

  private settled(row: number, at: number, newest: number): number {
    const { core } = this;
    checkedTime(core.times[row] as number, this.gap, core.seen + row - at);
    const slot = this.table.settle(row, at, newest);
    core.groups.touched[slot] = 1;
    return slot;
  }
}
