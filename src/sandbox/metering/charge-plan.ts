import { COST_ENTRY } from "./cost-table.ts";
import { EVENT, type ScannedFunction } from "./events.ts";
import type { FunctionScanner } from "./function-scan.ts";
import { IntList } from "./int-list.ts";

/** Fuel that one charge may take beyond what is executed: that of code which a branch may leave out. */
export const SLACK_MAX = 32;

const NONE = -1;

/** A block that is open while charges are placed. */
interface OpenBlock {
  /** The point that paid for what stood before the block. */
  point: number;
  /** Number of the outermost block that a branch inside leads to the end of; one further out than this: what follows may be left out. */
  target: number;
}

/**
 * Where a function takes fuel, and how much. A *point* is the function's entry or the place after an event; everything executed is
 * paid at a point that was passed before it in the same turn of the innermost loop. Entry and the beginnings of loops are points
 * always. Code that a branch may leave out gets a point of its own, unless it is so cheap that the point before pays for it as
 * well: at most {@link SLACK_MAX} for all such code together, so a price is exceeded by that at most for each charge taken.
 */
export class ChargePlan {
  /** Fuel by point: that of entry, then that after each event of the function. Zero: nothing is taken. */
  readonly charges = new IntList(256);
  /** Charges other than entry's. */
  count = 0;
  private readonly slack = new IntList(256);
  private readonly parents = new IntList(256);
  private readonly blocks: OpenBlock[] = [];
  private depth = 0;
  private point = 0;
  /** The point that paid before the last jump. */
  private last = NONE;

  /** Places the charges of a function. `paidAtCall` is what a call costs the caller besides the call itself. */
  place(scanner: FunctionScanner, { events: range }: ScannedFunction, paidAtCall: (index: number) => number): void {
    const { kind, argument, cost, dead } = scanner.events;
    for (const list of [this.charges, this.slack, this.parents]) list.clear();
    this.depth = 0;
    this.addPoint(NONE);
    this.point = 0;
    this.last = NONE;
    this.pay(COST_ENTRY);
    this.enter();
    for (let i = range.from; i < range.to; i++) {
      this.addPoint(NONE);
      this.pay(cost.at(i));
      const isDead = dead.at(i) === 1;
      const here = i - range.from + 1;
      switch (kind.at(i)) {
        case EVENT.block:
          this.enter();
          break;
        case EVENT.loop:
          this.enter();
          this.begin(here);
          break;
        case EVENT.if:
          this.enter();
          this.option(here);
          break;
        case EVENT.else:
          this.resolve(this.top.point);
          this.option(here);
          break;
        case EVENT.end:
          this.leave(here);
          break;
        case EVENT.branch:
          this.exit(argument.at(i));
          this.option(here);
          break;
        case EVENT.jump:
        case EVENT.return:
          this.exit(argument.at(i));
          break;
        case EVENT.call:
          this.pay(paidAtCall(argument.at(i)));
          break;
        case EVENT.returnCall:
        case EVENT.returnCallIndirect:
          this.exit(this.depth - 1);
          break;
        default:
      }
      if (isDead) this.bury();
    }
    this.count = 0;
    for (let i = 1; i < this.charges.length; i++) if (this.charges.at(i) > 0) this.count++;
  }

  private get top(): OpenBlock {
    return this.blocks[this.depth - 1] as OpenBlock;
  }

  private addPoint(parent: number): void {
    this.charges.push(0);
    this.slack.push(0);
    this.parents.push(parent);
  }

  private pay(cost: number): void {
    if (this.point >= 0) this.charges.data[this.point] = this.charges.at(this.point) + cost;
  }

  private enter(): void {
    let block = this.blocks[this.depth];
    if (block === undefined) {
      block = { point: this.point, target: this.depth };
      this.blocks.push(block);
    }
    block.point = this.point;
    block.target = this.depth;
    this.depth++;
  }

  /** From here on another point pays, whatever it costs. */
  private begin(here: number): void {
    if (this.point >= 0) this.point = here;
  }

  /** From here on another point pays, unless that turns out so cheap that the one before can. */
  private option(here: number): void {
    const before = this.point;
    if (before < 0) return;
    this.parents.data[here] = before;
    this.point = here;
  }

  /** Blocks that a branch leaves, but for the one it leads to the end of, may be left early. */
  private exit(label: number): void {
    this.top.target = Math.min(this.top.target, this.depth - 1 - label);
  }

  /** What follows is dead, and costs nothing. */
  private bury(): void {
    if (this.point >= 0) this.last = this.point;
    this.point = NONE;
  }

  /** Optional points since one are paid there, where they are cheap enough; it pays again from here on. */
  private resolve(until: number): void {
    // A block in dead code has no point: there is nothing to pay, and the way back would be walked again for each such block.
    if (until < 0) {
      this.point = NONE;
      return;
    }
    for (let at = this.point >= 0 ? this.point : this.last; at >= 0 && at !== until; ) {
      const parent = this.parents.at(at);
      if (parent < 0) break;
      this.fold(at, parent);
      at = parent;
    }
    this.point = until;
  }

  private fold(at: number, parent: number): void {
    const cost = this.charges.at(at);
    const slack = this.slack.at(parent) + this.slack.at(at) + cost;
    if (cost === 0 || slack > SLACK_MAX) return;
    this.charges.data[parent] = this.charges.at(parent) + cost;
    this.charges.data[at] = 0;
    this.slack.data[parent] = slack;
  }

  private leave(here: number): void {
    const { point, target } = this.top;
    this.resolve(point);
    this.depth--;
    if (this.depth === 0) return;
    this.top.target = Math.min(this.top.target, target);
    if (target < this.depth && point >= 0) this.option(here);
  }
}
