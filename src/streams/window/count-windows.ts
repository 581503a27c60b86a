import type { Run } from "./chunks.ts";
import type { Steps, WindowCore } from "./core.ts";
import { checkedTime } from "./event-clock.ts";
import type { Pane } from "./groups.ts";
import { slotsIn } from "./groups.ts";
import { malformed } from "./state-bytes.ts";
import { Kept, type Windows } from "./windows.ts";

/**
 * One window a key that takes every row, whatever its time: nothing is late. As `count` it comes out and begins anew after so many
 * rows, and at the end of input with the rows it has; as `global` it comes out when triggered, and at the end of input. Its bounds are
 * the least event time in it, and the greatest and 1 µs.
 */
export class CountWindows implements Windows {
  readonly repeats = false;
  readonly late = false;
  private readonly core: WindowCore;
  private readonly pane: Pane;
  private readonly every: number;
  private readonly stepUs: number;
  private readonly isCount: boolean;
  private readonly firsts = new Kept();
  private readonly lasts = new Kept();
  private nextStep = Number.NEGATIVE_INFINITY;
  private filled = 0;
  /** Rows of a group, those of the part at hand included. */
  private pending = new Float64Array(16);

  constructor(core: WindowCore) {
    const { shape, rows = 0, trigger } = core.plan;
    this.core = core;
    this.isCount = shape === "count";
    this.every = this.isCount ? rows : (trigger?.rows ?? Number.POSITIVE_INFINITY);
    this.stepUs = this.isCount ? 0 : (trigger?.timeUs ?? 0);
    this.pane = core.groups.openPane(0, 0, Number.POSITIVE_INFINITY);
    core.columns.keep(this.firsts);
    core.columns.keep(this.lasts);
  }

  assign(at: number, count: number): number {
    const { core, pane } = this;
    const { ids, slots, times, marks, groups } = core;
    let stop = count;
    for (let i = at; i < stop; i++) {
      const time = checkedTime(times[i] as number, 1, core.seen + i - at);
      const id = ids[i] as number;
      const mask = pane.table.length - 1;
      let place = id & mask;
      while (pane.table[place] !== 0 && groups.ids[pane.table[place] as number] !== id) place = (place + 1) & mask;
      const slot = pane.table[place] === 0 ? this.begin(i, time) : (pane.table[place] as number);
      if (time < (this.firsts.values[slot] as number)) this.firsts.values[slot] = time;
      if (time > (this.lasts.values[slot] as number)) this.lasts.values[slot] = time;
      slots[i] = slot;
      groups.touched[slot] = 1;
      const rows = (this.pending[slot] as number) + 1;
      this.pending[slot] = rows;
      if (rows % this.every === 0) {
        this.filled = slot;
        stop = i + 1;
      }
      const mark = marks[i] as number;
      if (mark > core.newest) core.newest = mark;
      if (this.stepUs > 0 && core.newest >= this.nextStep) stop = i + 1;
    }
    return stop;
  }

  counted(): undefined {
    const slot = this.filled;
    this.filled = 0;
    if (slot === 0) return;
    const slots = Int32Array.of(slot);
    this.core.write(slots, this.firsts.values, this.lasts.plus(slots, 1));
    if (!this.isCount) return;
    this.core.columns.clear(slot);
    this.pending[slot] = 0;
    this.firsts.values[slot] = Number.POSITIVE_INFINITY;
    this.lasts.values[slot] = Number.NEGATIVE_INFINITY;
  }

  fire(): Steps | undefined {
    const { core, stepUs } = this;
    const isEnd = core.newest === Number.POSITIVE_INFINITY;
    const isStep = stepUs > 0 && core.newest >= this.nextStep;
    return isEnd || isStep ? this.putOut(isEnd) : undefined;
  }

  private *putOut(isEnd: boolean): Steps {
    const { core } = this;
    if (isEnd || this.nextStep !== Number.NEGATIVE_INFINITY) {
      const slots = core.groups.ordered(this.pane, core.keys.store).filter((slot) => core.columns.rowsOf(slot) > 0);
      yield* core.writing(slots, this.firsts.values, this.lasts.plus(slots, 1));
    }
    if (isEnd) {
      for (const slot of slotsIn(this.pane)) core.columns.clear(slot);
      core.groups.close(this.pane, slotsIn(this.pane));
      Object.assign(this.pane, core.groups.openPane(0, 0, Number.POSITIVE_INFINITY));
      core.groups.panes.set(0, this.pane);
    }
    this.findStep();
  }

  runs(): Run[] {
    const { groups, keys, columns } = this.core;
    const slots = groups.ordered(this.pane, keys.store).filter((slot) => columns.rowsOf(slot) > 0);
    return slots.length === 0 ? [] : [{ start: 0, slots }];
  }

  place(start: number, id: number, bytes: number): number {
    if (start !== 0) throw malformed("start of a window");
    const slot = this.core.groups.allocate(this.pane, id, bytes);
    this.reserve(slot);
    return slot;
  }

  loaded(): void {
    for (const slot of slotsIn(this.pane)) this.pending[slot] = this.core.columns.rowsOf(slot);
    if (this.core.newest !== Number.NEGATIVE_INFINITY) this.findStep();
  }

  renumber(idOf: (id: number) => number): void {
    this.core.groups.renumber(idOf);
  }

  private begin(i: number, time: number): number {
    const id = this.core.remember(i);
    const slot = this.core.groups.allocate(this.pane, id, this.core.bytesOf(id));
    this.reserve(slot);
    this.pending[slot] = 0;
    this.firsts.values[slot] = time;
    this.lasts.values[slot] = time;
    return slot;
  }

  private reserve(slot: number): void {
    if (slot < this.pending.length) return;
    const larger = new Float64Array(2 * slot);
    larger.set(this.pending);
    this.pending = larger;
  }

  private findStep(): void {
    const { newest, windowTimes } = this.core;
    const { stepUs } = this;
    this.nextStep = (Math.floor((newest - windowTimes.outOfOrder) / stepUs) + 1) * stepUs + windowTimes.outOfOrder;
  }
}
