import { STATE_BYTES_MAX } from "../limits.ts";
import type { Run } from "./chunks.ts";
import { orderedRuns } from "./chunks.ts";
import type { Steps, WindowCore } from "./core.ts";
import { windowStart } from "./event-clock.ts";
import type { Pane } from "./groups.ts";
import { slotsIn } from "./groups.ts";
import { PaneKernel } from "./pane-kernel.ts";
import { type Bounds, PaneLayout } from "./pane-layout.ts";
import { PaneOutput } from "./pane-output.ts";
import { malformed } from "./state-bytes.ts";
import type { Windows } from "./windows.ts";

/** The row that changes windows that came out already. */
interface Refined {
  readonly id: number;
  readonly windows: readonly Bounds[];
}

/**
 * Windows that are a row of panes each: `tumble` (one), `hop` and `cumulate` (several, that windows share). A row counts in the one pane
 * that its time lies in; a window that comes out joins its panes from the earliest on, which fixes the order of float sums.
 */
export class PaneWindows implements Windows {
  readonly repeats = false;
  late = false;
  private readonly core: WindowCore;
  private readonly layout: PaneLayout;
  private readonly output: PaneOutput;
  /** From a window's end to the newest time at which it comes out, and comes out at the first time where it may be refined. */
  private readonly due: number;
  private readonly refines: boolean;
  private readonly shares: boolean;
  private readonly everyRows: number;
  private readonly stepUs: number;
  /** Windows that were due at this newest time have come out. */
  private fired = Number.NEGATIVE_INFINITY;
  private nextDue = Number.POSITIVE_INFINITY;
  private nextClosed = Number.POSITIVE_INFINITY;
  private refined: Refined | undefined;
  private triggered: { readonly pane: Pane; readonly slot: number } | undefined;
  private waiting = new Float64Array(0);
  private kernel: PaneKernel | undefined;

  constructor(core: WindowCore) {
    const { plan, windowTimes } = core;
    this.core = core;
    this.layout = new PaneLayout(plan.shape ?? "tumble", windowTimes);
    this.output = new PaneOutput(core);
    this.refines = (plan.emit ?? "final") !== "final";
    this.shares = (plan.shape ?? "tumble") !== "tumble";
    this.due = this.refines ? windowTimes.outOfOrder : windowTimes.slack;
    this.everyRows = plan.trigger?.rows ?? 0;
    this.stepUs = plan.trigger?.timeUs ?? 0;
    // The first row tells where steps begin.
    if (this.stepUs > 0) this.nextDue = Number.NEGATIVE_INFINITY;
  }

  assign(at: number, count: number): number {
    const kernel = this.kernelNow();
    if (kernel !== undefined) {
      const stop = kernel.assign(at, count);
      this.late = kernel.late;
      return stop;
    }
    return this.assignRows(at, count);
  }

  private assignRows(at: number, count: number): number {
    const { core, refines } = this;
    const { ids, slots, times, marks, groups, windowTimes } = core;
    const isExact = refines || this.shares;
    let { newest } = core;
    let start = Number.NaN;
    let end = Number.NaN;
    let closes = Number.NaN;
    let refinedFrom = Number.POSITIVE_INFINITY;
    let pane: Pane | undefined;
    let table: Int32Array = slots;
    let slotIds: Int32Array = groups.ids;
    let { touched } = groups;
    let stop = count;
    // A table with a place for every id has no other key in a key's place.
    const idMax = groups.idSpace - 1;
    this.late = false;
    for (let i = at; i < stop; i++) {
      const time = times[i] as number;
      if (!(time >= start && time < end)) {
        start = windowStart(time, windowTimes, core.seen + i - at);
        end = start + windowTimes.size;
        pane = groups.panes.get(start);
        closes = pane?.deadline ?? this.layout.lastEnd(start) + windowTimes.slack;
        if (refines) refinedFrom = this.layout.firstEnd(start) + windowTimes.outOfOrder;
        if (pane !== undefined) table = pane.table;
      }
      const mark = marks[i] as number;
      if (closes <= newest) {
        slots[i] = 0;
        this.late = true;
      } else {
        if (refinedFrom <= newest) {
          if (i > at) {
            stop = i;
            break;
          }
          stop = i + 1;
        }
        if (pane === undefined) {
          pane = this.openPane(start, end, closes, newest);
          table = pane.table;
        }
        const id = ids[i] as number;
        const mask = table.length - 1;
        let place = id & mask;
        let slot = table[place] as number;
        while (slot !== 0 && !(mask >= idMax) && slotIds[slot] !== id) {
          place = (place + 1) & mask;
          slot = table[place] as number;
        }
        if (refinedFrom <= newest) this.beginRefining(pane, id);
        if (slot === 0) {
          core.remember(i);
          slot = groups.allocate(pane, id, core.bytesOf(id));
          table = pane.table;
          slotIds = groups.ids;
          touched = groups.touched;
        }
        slots[i] = slot;
        touched[slot] = 1;
        if (this.everyRows > 0 && this.isTriggered(pane, slot)) stop = i + 1;
      }
      if (mark > newest) {
        newest = mark;
        if (isExact && newest >= this.nextDue) stop = i + 1;
      }
    }
    core.newest = newest;
    return stop;
  }

  /** The kernel where it does for the rows at hand: windows come out once, for the watermark's sake, and the state is far from its limit. */
  private kernelNow(): PaneKernel | undefined {
    const { core } = this;
    const isPlain = !this.refines && this.everyRows === 0 && this.stepUs === 0;
    if (core.arena.kernels === undefined || !isPlain || core.groups.bytes > STATE_BYTES_MAX / 2) return undefined;
    this.kernel ??= new PaneKernel(core, {
      dueAt: () => (this.shares ? this.nextDue : Number.POSITIVE_INFINITY),
      paneAt: (start, newest) => this.paneAt(start, newest),
    });
    return this.kernel;
  }

  private paneAt(start: number, newest: number): { readonly pane: Pane | undefined; readonly closes: number } {
    const { groups, windowTimes } = this.core;
    const pane = groups.panes.get(start);
    const closes = pane?.deadline ?? this.layout.lastEnd(start) + windowTimes.slack;
    if (closes <= newest) return { pane: undefined, closes };
    return { pane: pane ?? this.openPane(start, start + windowTimes.size, closes, newest), closes };
  }

  counting(): Steps | undefined {
    const { core, refined } = this;
    if (refined === undefined || core.plan.emit !== "retract") return undefined;
    return this.output.groups(refined.windows, refined.id, "retract");
  }

  counted(): Steps | undefined {
    const { core, refined, triggered } = this;
    this.refined = undefined;
    this.triggered = undefined;
    if (refined !== undefined) return this.output.groups(refined.windows, refined.id, "insert");
    if (triggered !== undefined) core.write(Int32Array.of(triggered.slot), triggered.pane.start, triggered.pane.end);
    return undefined;
  }

  fire(): Steps | undefined {
    const { core } = this;
    if (core.newest >= this.nextDue || core.newest >= this.nextClosed) return this.putOut();
    this.fired = core.newest;
    return undefined;
  }

  /** Writes the windows that are due, and closes panes that are in no other. */
  private *putOut(): Steps {
    const { core } = this;
    const { panes } = core.groups;
    const isStep = this.stepUs > 0 && this.fired !== Number.NEGATIVE_INFINITY && core.newest >= this.nextStep();
    const due = new Map<number, number>();
    for (const pane of panes.values()) {
      for (const { start, end } of this.layout.windowsOf(pane.start)) {
        const at = end + this.due;
        if (at <= core.newest ? at > this.fired : isStep) due.set(end, start);
      }
    }
    for (const [end, start] of [...due].sort(([a], [b]) => a - b)) yield* this.output.window({ start, end });
    this.fired = core.newest;
    for (const pane of [...panes.values()]) if (pane.deadline <= core.newest) this.close(pane);
    this.findDue();
  }

  runs(): Run[] {
    return orderedRuns(this.core.groups, this.core.keys.store);
  }

  place(start: number, id: number, bytes: number): number {
    const { groups, windowTimes } = this.core;
    if (windowStart(start, windowTimes) !== start) throw malformed("start of a window");
    let pane = groups.panes.get(start);
    pane ??= groups.openPane(start, start + windowTimes.size, this.layout.lastEnd(start) + windowTimes.slack);
    return groups.allocate(pane, id, bytes);
  }

  loaded(): void {
    this.fired = this.core.newest;
    this.findDue();
  }

  renumber(idOf: (id: number) => number): void {
    this.core.groups.renumber(idOf);
  }

  private openPane(start: number, end: number, closes: number, newest: number): Pane {
    const pane = this.core.groups.openPane(start, end, closes);
    // What was due before this pane came does not come out for its sake: where that matters, everything due has come out by now.
    if (this.refines || this.shares) this.fired = newest;
    this.noteDue(pane, newest);
    return pane;
  }

  /** When a pane's windows come out and close. */
  private noteDue(pane: Pane, newest: number): void {
    this.nextClosed = Math.min(this.nextClosed, pane.deadline);
    for (const { end } of this.layout.windowsOf(pane.start)) {
      if (end + this.due > newest) this.nextDue = Math.min(this.nextDue, end + this.due);
    }
  }

  private findDue(): void {
    this.nextDue = this.stepUs > 0 ? this.nextStep() : Number.POSITIVE_INFINITY;
    this.nextClosed = Number.POSITIVE_INFINITY;
    for (const pane of this.core.groups.panes.values()) this.noteDue(pane, this.core.newest);
  }

  /** The first newest time after the last firing at which the watermark is a multiple of the trigger's step. */
  private nextStep(): number {
    const { outOfOrder } = this.core.windowTimes;
    return (Math.floor((this.fired - outOfOrder) / this.stepUs) + 1) * this.stepUs + outOfOrder;
  }

  /** Finds what a late row is about to change. */
  private beginRefining(pane: Pane, id: number): void {
    const { newest, windowTimes } = this.core;
    const windows = this.layout
      .windowsOf(pane.start)
      .filter(({ end }) => end + windowTimes.outOfOrder <= newest && end + windowTimes.slack > newest)
      .sort((a, b) => a.end - b.end);
    this.refined = { id, windows };
  }

  private isTriggered(pane: Pane, slot: number): boolean {
    if (this.waiting.length <= slot) {
      const larger = new Float64Array(2 * slot + 16);
      larger.set(this.waiting);
      this.waiting = larger;
    }
    // A slot that was used before begins anew: its group has counted no row yet.
    const rows = this.core.columns.rowsOf(slot);
    const waiting = Math.max(this.waiting[slot] as number, rows) + 1;
    this.waiting[slot] = waiting;
    if (waiting % this.everyRows !== 0) return false;
    this.triggered = { pane, slot };
    return true;
  }

  private close(pane: Pane): void {
    const { groups, columns } = this.core;
    const slots = slotsIn(pane);
    columns.clearAll(slots);
    if (this.waiting.length > 0) for (const slot of slots) if (slot < this.waiting.length) this.waiting[slot] = 0;
    groups.close(pane, slots);
  }
}
