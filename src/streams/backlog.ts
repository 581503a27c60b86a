import { Batch } from "../batch/batch.ts";
import type { Credits } from "./credits.ts";
import type { Flow } from "./flow.ts";
import { Outlet } from "./outlet.ts";

/** What an operator makes of an item, made one after the other as there is room; one that is returned is the last. */
export type Pieces = Iterator<Flow, Flow | undefined, undefined>;

/**
 * What an operator has not come to: the rest of what it makes of the item at hand, where there is no room for it behind, and the items that
 * came meanwhile, in their order. The item at hand and the batches that wait hold their credits.
 */
export class Backlog {
  /** Stands in for the source's credits behind the operator. */
  readonly outlet: Outlet;
  private readonly before: Credits | undefined;
  private readonly put: (item: Flow) => void;
  private readonly waiting: Flow[] = [];
  private pieces: Pieces | undefined;
  private holds = false;
  private isMaking = false;

  /** `put` hands an item on; `resume` is called when {@link pump} may go on. */
  constructor(before: Credits | undefined, put: (item: Flow) => void, resume: () => void) {
    this.before = before;
    this.put = put;
    this.outlet = new Outlet(before, resume);
  }

  /** Whether an item that comes has to wait. */
  get isBusy(): boolean {
    return this.pieces !== undefined || this.waiting.length > 0;
  }

  /** An item that waits. */
  add(item: Flow): void {
    if (item instanceof Batch) this.before?.take();
    this.waiting.push(item);
  }

  /** The next item that waits, which now is the one at hand. */
  next(): Flow | undefined {
    const item = this.waiting.shift();
    if (item instanceof Batch) this.before?.giveBack();
    return item;
  }

  /** What the item at hand comes to. */
  begin(pieces: Pieces): void {
    this.pieces = pieces;
    this.holds = true;
    this.before?.hold();
  }

  /** Hands on what the item at hand comes to as far as there is room; whether that was all. Throws what making it throws. */
  pump(): boolean {
    const { pieces, outlet } = this;
    if (pieces === undefined) return true;
    for (;;) {
      if (!outlet.isOpen) {
        outlet.wait();
        return false;
      }
      this.isMaking = true;
      const { done, value } = pieces.next();
      this.isMaking = false;
      if (this.pieces === undefined) pieces.return?.();
      else {
        if (done === true) this.release();
        if (value !== undefined) this.put(value);
      }
      if (this.pieces === undefined) return false;
      if (done === true) {
        this.pieces = undefined;
        return true;
      }
    }
  }

  /** Forgets everything and gives all credits back. */
  close(): void {
    const { pieces } = this;
    this.pieces = undefined;
    this.outlet.close();
    this.release();
    for (const item of this.waiting.splice(0)) if (item instanceof Batch) this.before?.giveBack();
    try {
      if (!this.isMaking) pieces?.return?.();
    } catch {
      // Who left, or has an error already, hears of no other.
    }
  }

  private release(): void {
    if (!this.holds) return;
    this.holds = false;
    this.before?.release();
  }
}
