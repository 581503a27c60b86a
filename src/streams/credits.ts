import { assert, IpdmError } from "../core/errors.ts";

/** What whoever keeps a batch takes, and gives back when done with it. */
export interface Credits {
  take(): void;
  giveBack(): void;
  /**
   * Takes a credit for what is not worked through yet, and keeps those before from going on until it is: {@link release}. So what an operator has
   * more to make of is one batch, and no others gather before it.
   */
  hold(): void;
  release(): void;
  /** Whether another batch may be under way. */
  readonly isFree: boolean;
  /** The most batches that were under way at a time; of several sources, of the one that had most. */
  readonly peak: number;
}

/** The credits of several sources together: what joins make of their batches holds all of them back. */
export function jointCredits(parts: readonly (Credits | undefined)[]): Credits {
  return {
    take: () => parts.forEach((part) => part?.take()),
    giveBack: () => parts.forEach((part) => part?.giveBack()),
    hold: () => parts.forEach((part) => part?.hold()),
    release: () => parts.forEach((part) => part?.release()),
    get isFree() {
      return parts.every((part) => part?.isFree ?? true);
    },
    get peak() {
      return Math.max(0, ...parts.map((part) => part?.peak ?? 0));
    },
  };
}

/**
 * Counts the batches of one source that are under way after `next` has returned: waiting at a sink, inside an asynchronous stage, or in an
 * operator that has more to make of it than there is room for. Other operators need no credit, since they are done when `next` returns.
 */
export class CreditPool implements Credits {
  readonly credits: number;
  private taken = 0;
  private most = 0;
  private held = 0;
  private waiting: (() => void) | undefined;

  constructor(credits: number) {
    if (!Number.isSafeInteger(credits) || credits < 1) {
      throw new IpdmError("CREDITS_INVALID", `a source cannot have ${credits} credits`, {
        kind: "config",
        hint: "give a whole number from 1",
      });
    }
    this.credits = credits;
  }

  get isFree(): boolean {
    return this.taken < this.credits;
  }

  /** Whether the source may give another batch: there is a credit, and nothing that it gave is half done. */
  get isOpen(): boolean {
    return this.held === 0 && this.isFree;
  }

  /** Batches under way. */
  get inFlight(): number {
    return this.taken;
  }

  /** The most there were at a time. */
  get peak(): number {
    return this.most;
  }

  /**
   * Keeps a batch. Never refused: a batch that waits already has to be counted, and the source waits longer.
   */
  take(): void {
    this.taken++;
    this.most = Math.max(this.most, this.taken);
  }

  /** Gives a credit back. */
  giveBack(): void {
    assert(this.taken > 0, "a credit came back twice");
    this.taken--;
    if (this.isOpen) this.wake();
  }

  hold(): void {
    this.held++;
    this.take();
  }

  release(): void {
    this.held--;
    this.giveBack();
  }

  /** Resolves when it is open, or when {@link wake} is called. */
  async free(): Promise<void> {
    if (this.isOpen) return;
    await new Promise<void>((resolve) => {
      this.waiting = resolve;
    });
  }

  /** Ends a wait without a credit, so that the source sees that it was closed. */
  wake(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }
}
