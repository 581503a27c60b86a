import type { WindowPlan } from "../../../src/streams/window/plan.ts";

/** A row: event time, key, amount. */
export type R = readonly [time: bigint, key: string | null, amount: bigint | null];
/** A row out: start, end, key, count, sum, greatest, and what it changes. */
export type Out = readonly [number, number, string | null, number, bigint | null, bigint | null, string];

/** What windows give for rows, one row after the other, with lists of rows and no cleverness at all. */
export class WindowReference {
  readonly out: Out[] = [];
  readonly late: R[] = [];
  private readonly plan: WindowPlan;
  private readonly groups: { start: number; end: number; key: string | null; rows: R[]; isOut: boolean }[] = [];
  private newest = Number.NEGATIVE_INFINITY;
  private step: number | undefined;

  constructor(plan: WindowPlan) {
    this.plan = plan;
  }

  push(row: R): void {
    const { shape = "tumble" } = this.plan;
    if (shape === "session") this.pushSession(row);
    else if (shape === "count" || shape === "global") this.pushCount(row);
    else this.pushFixed(row);
    this.advance(Math.max(this.newest, Number(row[0])));
  }

  end(): void {
    this.advance(Number.POSITIVE_INFINITY);
  }

  private get slack(): number {
    return Number(this.plan.outOfOrderUs) + Number(this.plan.latenessUs);
  }

  private get isFinal(): boolean {
    return (this.plan.emit ?? "final") === "final";
  }

  private windowsOf(time: number): [number, number][] {
    const { shape = "tumble" } = this.plan;
    const size = Number(this.plan.sizeUs);
    const step = shape === "tumble" ? size : Number(this.plan.stepUs);
    const offset = Number(this.plan.offsetUs ?? 0);
    const found: [number, number][] = [];
    if (shape === "cumulate") {
      const start = Math.floor((time - offset) / size) * size + offset;
      for (let end = start + step; end <= start + size; end += step) if (time < end) found.push([start, end]);
      return found;
    }
    for (let start = Math.floor((time - offset) / step) * step + offset; start + size > time; start -= step)
      found.push([start, start + size]);
    return found.sort((a, b) => a[1] - b[1]);
  }

  private pushFixed(row: R): void {
    const open = this.windowsOf(Number(row[0])).filter(([, end]) => end + this.slack > this.newest);
    if (open.length === 0) return void this.late.push(row);
    const refined = (end: number): boolean => !this.isFinal && end + Number(this.plan.outOfOrderUs) <= this.newest;
    const groups = open.map(([start, end]) => {
      let group = this.groups.find((each) => each.start === start && each.end === end && each.key === row[1]);
      if (group === undefined) {
        group = { start, end, key: row[1], rows: [], isOut: false };
        this.groups.push(group);
      }
      return group;
    });
    for (const group of groups)
      if (refined(group.end) && group.rows.length > 0 && this.plan.emit === "retract") this.emit(group, "retract");
    for (const group of groups) group.rows.push(row);
    for (const group of groups) {
      if (refined(group.end)) {
        this.emit(group, "insert");
        group.isOut = true;
      } else if (this.plan.trigger?.rows !== undefined && group.rows.length % this.plan.trigger.rows === 0)
        this.emit(group, "insert");
    }
  }

  private pushSession(row: R): void {
    const gap = Number(this.plan.sizeUs);
    const time = Number(row[0]);
    const open = this.groups.filter((each) => each.end + this.slack > this.newest);
    const joins = open
      .filter((each) => each.key === row[1] && time >= each.start - gap && time <= each.end)
      .sort((a, b) => a.start - b.start);
    if (joins.length === 0 && time + gap + this.slack <= this.newest) return void this.late.push(row);
    for (const each of joins.filter((one) => one.isOut).sort((a, b) => a.end - b.end)) this.emit(each, "retract");
    for (const each of joins) this.groups.splice(this.groups.indexOf(each), 1);
    this.groups.push({
      start: Math.min(time, ...joins.map((each) => each.start)),
      end: Math.max(time + gap, ...joins.map((each) => each.end)),
      key: row[1],
      rows: [...joins.flatMap((each) => each.rows), row],
      isOut: false,
    });
  }

  private pushCount(row: R): void {
    const { rows, trigger, shape } = this.plan;
    let group = this.groups.find((each) => each.key === row[1]);
    if (group === undefined) {
      group = { start: 0, end: 0, key: row[1], rows: [], isOut: false };
      this.groups.push(group);
    }
    group.rows.push(row);
    const times = group.rows.map(([time]) => Number(time));
    group.start = Math.min(...times);
    group.end = Math.max(...times) + 1;
    if (group.rows.length % (shape === "count" ? (rows ?? 1) : (trigger?.rows ?? 1e9)) !== 0) return;
    this.emit(group, "insert");
    if (shape === "count") this.groups.splice(this.groups.indexOf(group), 1);
  }

  private advance(newest: number): void {
    this.newest = newest;
    const { shape = "tumble", trigger } = this.plan;
    const due = this.isFinal ? this.slack : Number(this.plan.outOfOrderUs);
    const isGlobal = shape === "count" || shape === "global";
    const step = Math.floor((newest - Number(this.plan.outOfOrderUs)) / (trigger?.timeUs ?? 1));
    const isStep = trigger?.timeUs !== undefined && this.step !== undefined && step > this.step;
    this.step = step;
    const firing = this.groups
      .filter(
        (each) =>
          !each.isOut &&
          (isGlobal ? newest === Number.POSITIVE_INFINITY || isStep : isStep || each.end + due <= newest),
      )
      .sort((a, b) => (isGlobal ? 0 : a.end - b.end || a.start - b.start) || order(a.key, b.key));
    for (const each of firing) {
      this.emit(each, "insert");
      if (!isGlobal && each.end + due <= newest) each.isOut = true;
    }
    for (const each of [...this.groups])
      if (!isGlobal && each.end + this.slack <= newest) this.groups.splice(this.groups.indexOf(each), 1);
  }

  private emit(
    { start, end, key, rows }: { start: number; end: number; key: string | null; rows: R[] },
    change: string,
  ): void {
    const amounts = rows.flatMap(([, , amount]) => (amount === null ? [] : [amount]));
    const sum = amounts.length === 0 ? null : amounts.reduce((a, b) => a + b, 0n);
    const most = amounts.length === 0 ? null : amounts.reduce((a, b) => (a > b ? a : b));
    this.out.push([start, end, key, rows.length, sum, most, change]);
  }
}

/** Canonical order of the keys used here: by CBOR bytes, texts by length and bytes, null last. */
function order(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a.length - b.length || (a < b ? -1 : 1);
}
