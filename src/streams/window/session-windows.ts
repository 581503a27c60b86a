import type { Run } from "./chunks.ts";
import type { Steps, WindowCore } from "./core.ts";
import { checkedTime } from "./event-clock.ts";
import { KeyLists } from "./key-lists.ts";
import { LookQueue } from "./look-queue.ts";
import { sessionsInOrder } from "./session-order.ts";
import { SessionReach } from "./session-reach.ts";
import { SessionRows, type SessionTable } from "./session-rows.ts";
import { malformed } from "./state-bytes.ts";
import { Kept, type Windows } from "./windows.ts";

/** Parts of a gap that the queue of sessions is divided into: fewer make it look at more sessions that are not due yet. */
const BUCKETS_A_GAP = 8;

/**
 * Sessions: rows of a key that lie at most a gap apart, `[first, last + gap)`. A row joins every open session within its reach, which
 * may join two of them to one; it is late when no open one is in reach and a session of its own would be closed. A session that has
 * closed stays as it was. Joined sessions add up in the order of their times.
 */
export class SessionWindows implements Windows, SessionTable {
  readonly repeats = true;
  late = false;
  private readonly core: WindowCore;
  private readonly gap: number;
  private readonly retracts: boolean;
  /** From a session's last row to the newest time at which it comes out, and at which it takes no more rows. */
  private readonly due: number;
  private readonly closes: number;
  private readonly rows: SessionRows;
  readonly firsts: Kept;
  readonly lasts: Kept;
  lists: KeyLists;
  /** 1 while a session is to come out, 2 when it has and may still be taken back. */
  private states = new Uint8Array(16);
  /** Open sessions by when they are to be looked at again. */
  private readonly queue: LookQueue;
  /** Sessions in reach of the row at hand. */
  private readonly reach: SessionReach;
  private readonly pair = [new Int32Array(1), new Int32Array(1)] as const;

  constructor(core: WindowCore) {
    const { whole, outOfOrder, slack } = core.windowTimes;
    this.core = core;
    this.firsts = new Kept(core.arena);
    this.lasts = new Kept(core.arena);
    this.lists = new KeyLists(core.arena);
    this.gap = whole;
    this.retracts = core.plan.emit === "retract";
    this.due = whole + (this.retracts ? outOfOrder : slack);
    this.closes = whole + slack;
    this.rows = new SessionRows(core, this, this.closes);
    this.queue = new LookQueue(Math.max(1, Math.ceil(whole / BUCKETS_A_GAP)));
    this.reach = new SessionReach(this.firsts, this.lasts, this.gap, this.closes);
    core.columns.keep(this.firsts);
    core.columns.keep(this.lasts);
  }

  assign(at: number, count: number): number {
    this.late = false;
    if (this.retracts) return this.assignRetracting(at, count);
    this.rows.assign(at, count);
    return count;
  }

  settle(i: number, at: number, newest: number): number {
    const { core, reach } = this;
    const time = core.times[i] as number;
    const id = core.ids[i] as number;
    const count = reach.seek(this.lists, id, time, newest);
    if (count > 0) return this.joinLater(i - at, count, id, time, newest);
    if (time + this.closes > newest) return this.begin(i, time);
    this.late = true;
    return 0;
  }

  private assignRetracting(at: number, count: number): number {
    const { core } = this;
    const { ids, slots, times, marks } = core;
    let { newest } = core;
    let stop = count;
    for (let i = at; i < stop; i++) {
      const time = checkedTime(times[i] as number, this.gap, core.seen + i - at);
      const id = ids[i] as number;
      const found = this.reach.seek(this.lists, id, time, newest);
      let slot = found === 1 ? (this.reach.slots[0] as number) : 0;
      if (slot !== 0 && this.states[slot] === 1) {
        this.extend(slot, time);
      } else if (found === 0 && time + this.closes <= newest) {
        this.late = true;
      } else {
        const joins = Array.from(this.reach.slots.subarray(0, found));
        const isOut = joins.some((each) => this.states[each] === 2) || time + this.due <= newest;
        if ((isOut || found > 1) && i > at) {
          stop = i;
          break;
        }
        if (isOut) stop = i + 1;
        slot = this.join(joins, i, id, time, newest);
      }
      slots[i] = slot;
      core.groups.touched[slot] = 1;
      const mark = marks[i] as number;
      if (mark > newest) newest = mark;
      // Rows that are taken back must come after what came out before them.
      if (newest >= this.queue.next) stop = i + 1;
    }
    core.newest = newest;
    return stop;
  }

  fire(isLast: boolean): Steps | undefined {
    const { core } = this;
    // Closed sessions stay as they are: where nothing is taken back, they can wait for others.
    if (core.newest < this.queue.next || !(isLast || this.retracts)) return undefined;
    return this.putOut(this.queue.take(core.newest).filter((slot) => this.isDue(slot)));
  }

  runs(): Run[] {
    const { groups, keys } = this.core;
    const slots: number[] = [];
    for (let slot = 1; slot < this.states.length; slot++) if (this.states[slot] !== 0) slots.push(slot);
    const { values } = this.firsts;
    slots.sort(
      (a, b) =>
        keys.store.compare(groups.ids[a] as number, groups.ids[b] as number) ||
        (values[a] as number) - (values[b] as number),
    );
    return slots.length === 0 ? [] : [{ start: 0, slots: Int32Array.from(slots) }];
  }

  place(start: number, id: number, bytes: number): number {
    if (start !== 0) throw malformed("start of a session");
    const slot = this.core.groups.take(id, bytes);
    this.reserve(slot);
    this.states[slot] = 1;
    this.queue.forget(slot);
    return slot;
  }

  loaded(): void {
    const { newest, groups } = this.core;
    for (let slot = 1; slot < this.states.length; slot++) {
      if (this.states[slot] === 0) continue;
      if (this.retracts && (this.lasts.values[slot] as number) + this.due <= newest) this.states[slot] = 2;
      this.lists.link(slot, groups.ids[slot] as number);
      this.enqueue(slot);
    }
  }

  renumber(idOf: (id: number) => number): void {
    const { groups } = this.core;
    const moved: [number, number][] = [];
    for (let slot = 1; slot < this.states.length; slot++) {
      if (this.states[slot] === 0) continue;
      const id = idOf(groups.ids[slot] as number);
      groups.ids[slot] = id;
      moved.push([slot, id]);
    }
    this.lists.release();
    this.lists = new KeyLists(this.core.arena);
    for (const [slot, id] of moved) this.lists.link(slot, id);
  }

  private extend(slot: number, time: number): void {
    if (time > (this.lasts.values[slot] as number)) this.lasts.values[slot] = time;
    if (time < (this.firsts.values[slot] as number)) this.firsts.values[slot] = time;
  }

  /** {@link join} of the sessions in reach where nothing has come out: what they hold is added when the rows before have been. */
  private joinLater(row: number, count: number, id: number, time: number, newest: number): number {
    const { core } = this;
    const { slots: reach } = this.reach;
    const { values: firsts } = this.firsts;
    const { values: lasts } = this.lasts;
    const slot = reach[0] as number;
    let last = Math.max(time, lasts[slot] as number);
    for (let i = 1; i < count; i++) {
      const other = reach[i] as number;
      core.joins.push(row, slot, other);
      last = Math.max(last, lasts[other] as number);
      this.lists.unlink(other, id);
      this.forget(other);
    }
    firsts[slot] = Math.min(time, firsts[slot] as number);
    lasts[slot] = last;
    if (last + this.due <= newest) this.enqueue(slot);
    return slot;
  }

  /** The one session that a row and those in its reach become. Those that came out are taken back. */
  private join(joins: readonly number[], i: number, id: number, time: number, newest: number): number {
    const { core } = this;
    const { values: firsts } = this.firsts;
    const { values: lasts } = this.lasts;
    const [slot, ...others] = joins;
    if (slot === undefined) return this.begin(i, time);
    const taken = joins.filter((each) => this.states[each] === 2);
    if (taken.length > 0) {
      const order = this.inOrder(taken);
      core.write(order, firsts, this.lasts.plus(order, this.gap), "retract");
    }
    let last = Math.max(time, lasts[slot] as number);
    for (const other of others) {
      this.pair[0][0] = slot;
      this.pair[1][0] = other;
      core.columns.merge(...this.pair);
      last = Math.max(last, lasts[other] as number);
      this.lists.unlink(other, id);
      this.free(other);
    }
    firsts[slot] = Math.min(time, firsts[slot] as number);
    lasts[slot] = last;
    this.states[slot] = 1;
    if (taken.length > 0 || last + this.due <= newest) this.enqueue(slot);
    return slot;
  }

  private begin(i: number, time: number): number {
    const { core } = this;
    const id = core.remember(i);
    const slot = core.groups.take(id, core.bytesOf(id));
    this.reserve(slot);
    this.firsts.values[slot] = time;
    this.lasts.values[slot] = time;
    this.states[slot] = 1;
    this.queue.forget(slot);
    this.lists.link(slot, id);
    this.enqueue(slot);
    return slot;
  }

  /** Whether a session that is looked at comes out; one that has been out may go, one that has grown is looked at again. */
  private isDue(slot: number): boolean {
    const { newest } = this.core;
    const last = this.lasts.values[slot] as number;
    if (this.states[slot] === 1 && last + this.due <= newest) return true;
    if (this.states[slot] === 2 && last + this.closes <= newest) this.drop(slot);
    else this.enqueue(slot);
    return false;
  }

  /** Writes sessions. */
  private *putOut(slots: readonly number[]): Steps {
    if (slots.length === 0) return;
    const { firsts } = this;
    const order = this.inOrder(slots);
    yield* this.core.writing(order, firsts.values, this.lasts.plus(order, this.gap));
    for (const slot of slots) {
      if (this.retracts && (this.lasts.values[slot] as number) + this.closes > this.core.newest) {
        this.states[slot] = 2;
        this.enqueue(slot);
      } else {
        this.drop(slot);
      }
    }
  }

  private inOrder(slots: readonly number[]): Int32Array {
    return sessionsInOrder(this.core, slots, this.firsts.values, this.lasts.values);
  }

  private drop(slot: number): void {
    this.lists.unlink(slot, this.core.groups.ids[slot] as number);
    this.free(slot);
  }

  private free(slot: number): void {
    this.core.columns.clear(slot);
    this.forget(slot);
  }

  private forget(slot: number): void {
    const { core } = this;
    const id = core.groups.ids[slot] as number;
    core.groups.release(slot, core.bytesOf(id));
    this.states[slot] = 0;
    this.queue.forget(slot);
  }

  private enqueue(slot: number): void {
    const wait = this.states[slot] === 2 ? this.closes : this.due;
    this.queue.put(slot, (this.lasts.values[slot] as number) + wait);
  }

  private reserve(slot: number): void {
    if (slot < this.states.length) return;
    const states = new Uint8Array(2 * slot);
    states.set(this.states);
    this.states = states;
  }
}
