import type { CID } from "multiformats/cid";
import type { Batch } from "../../src/batch/batch.ts";
import { SLOT_BYTES_TARGET } from "../../src/consensus/slot.ts";

/**
 * Batches of slots that were pulled and not executed yet, so that what was just read need not be read again. It makes those who pull wait:
 * one slot of usual size may be at work and one ready for it, however fast a source is read.
 */
export class PulledSlots {
  private readonly slots = new Map<string, readonly Batch[]>();
  private bytes = 0;
  private waiting: (() => void)[] = [];

  /** Waits until there is room for another slot. Rejects with the signal's reason. */
  async room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.bytes > SLOT_BYTES_TARGET && this.slots.size > 1) {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal.reason as Error);
        signal.addEventListener("abort", abort, { once: true });
        this.waiting.push(() => {
          signal.removeEventListener("abort", abort);
          resolve();
        });
      });
    }
  }

  keep(slot: CID, batches: readonly Batch[]): void {
    this.slots.set(slot.toString(), batches);
    this.bytes += bytesOf(batches);
  }

  get(slot: CID): readonly Batch[] | undefined {
    return this.slots.get(slot.toString());
  }

  /** The slot was executed. */
  drop(slot: CID): void {
    const batches = this.get(slot);
    if (batches === undefined) return;
    this.slots.delete(slot.toString());
    this.bytes -= bytesOf(batches);
    for (const wake of this.waiting.splice(0)) wake();
  }
}

function bytesOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
