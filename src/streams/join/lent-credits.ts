import type { Credits } from "../credits.ts";

/**
 * The credits of batches that wait in an input of several. They are lent while the others wait for its barrier: what operators before it make of
 * rows from before the barrier is part of that savepoint, so it must come, whatever waits here already.
 */
export class LentCredits {
  private readonly credits: Credits | undefined;
  private waiting = 0;
  private isLent = false;

  constructor(credits?: Credits) {
    this.credits = credits;
  }

  take(): void {
    this.waiting++;
    if (!this.isLent) this.credits?.take();
  }

  giveBack(): void {
    this.waiting--;
    if (!this.isLent) this.credits?.giveBack();
  }

  lend(): void {
    if (this.isLent) return;
    this.isLent = true;
    for (let i = 0; i < this.waiting; i++) this.credits?.giveBack();
  }

  /** Takes them for all that wait. */
  settle(): void {
    if (!this.isLent) return;
    this.isLent = false;
    for (let i = 0; i < this.waiting; i++) this.credits?.take();
  }
}
