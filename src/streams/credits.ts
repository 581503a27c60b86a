import { assert, IpdmError } from "../core/errors.ts";

/** What whoever keeps a batch takes, and gives back when done with it. */
export interface Credits {
  take(): void;
  giveBack(): void;
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
    get isFree() {
      return parts.every((part) => part?.isFree ?? true);
    },
    get peak() {
      return Math.max(0, ...parts.map((part) => part?.peak ?? 0));
    },
  };
}

/**
 * Counts the batches of one source that are under way after `next` has returned: waiting at a sink or inside an
 * asynchronous stage. Synchronous operators need no credit, since they are done when `next` returns.
 */
export class CreditPool implements Credits {
  readonly credits: number;
  private taken = 0;
  private most = 0;
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
    if (this.isFree) this.wake();
  }

  /** Resolves when a credit is free, or when {@link wake} is called. */
  async free(): Promise<void> {
    if (this.isFree) return;
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
