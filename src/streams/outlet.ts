import type { Credits } from "./credits.ts";
import { CREDITS_DEFAULT, TURN_BATCHES } from "./limits.ts";

/**
 * The way out of an operator that may make many batches of one item. It makes the next one while {@link isOpen}, else it waits, with the
 * items that come meanwhile, and is called again once batches that came out are done with. So at most the source's credits + 1 batches
 * are under way, what waits before the operator included: where that is all of them already, batches come out one at a time.
 *
 * It stands in the header in place of the source's credits: who keeps a batch that came out takes a credit here, and so there as well.
 */
export class Outlet implements Credits {
  private readonly before: Credits | undefined;
  private readonly resume: () => void;
  private outstanding = 0;
  private most = 0;
  private held = 0;
  private waits = false;
  private turns = 0;

  /** `resume` is called in a later turn, never from within a call of this object. */
  constructor(before: Credits | undefined, resume: () => void) {
    this.before = before;
    this.resume = resume;
  }

  get isFree(): boolean {
    if (this.outstanding === 0) return true;
    return this.before === undefined ? this.outstanding < CREDITS_DEFAULT : this.before.isFree;
  }

  /** Whether the operator may let another batch out: there is room for one, and no operator behind is half way through one. */
  get isOpen(): boolean {
    return this.held === 0 && this.isFree;
  }

  get peak(): number {
    return this.before?.peak ?? this.most;
  }

  take(): void {
    this.outstanding++;
    this.most = Math.max(this.most, this.outstanding);
    this.before?.take();
  }

  giveBack(): void {
    this.outstanding--;
    this.before?.giveBack();
    if (this.waits && this.isOpen) this.wake();
  }

  hold(): void {
    this.held++;
    this.take();
  }

  release(): void {
    this.held--;
    this.giveBack();
  }

  /** Asks to be called when another batch may come out. */
  wait(): void {
    this.waits = true;
  }

  /** Calls nobody any more. */
  close(): void {
    this.waits = false;
  }

  private wake(): void {
    this.waits = false;
    const call = (): void => {
      if (this.isOpen) this.resume();
      else this.waits = true;
    };
    // Promises alone would keep timers, sockets and signals waiting until the last batch.
    if (++this.turns % TURN_BATCHES === 0) setImmediate(call);
    else queueMicrotask(call);
  }
}
