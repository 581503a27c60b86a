/**
 * Slots by the time at which they are to be looked at. Times are kept in buckets of a width, so a slot may come up too early, never too
 * late; a slot that is put again for later comes up at the time it had.
 */
export class LookQueue {
  /** No slot comes up before this time. */
  next = Number.POSITIVE_INFINITY;
  private readonly width: number;
  private readonly buckets = new Map<number, number[]>();
  /** The bucket in which a slot counts; entries elsewhere are out of date. */
  private queued = new Float64Array(16).fill(Number.NaN);

  constructor(width: number) {
    this.width = width;
  }

  put(slot: number, time: number): void {
    const bucket = Math.floor(time / this.width);
    if (slot >= this.queued.length) {
      const larger = new Float64Array(2 * slot).fill(Number.NaN);
      larger.set(this.queued);
      this.queued = larger;
    }
    if ((this.queued[slot] as number) <= bucket) return;
    this.queued[slot] = bucket;
    const entries = this.buckets.get(bucket);
    if (entries === undefined) this.buckets.set(bucket, [slot]);
    else entries.push(slot);
    this.next = Math.min(this.next, bucket * this.width);
  }

  /** A slot that is free, or begins anew. */
  forget(slot: number): void {
    if (slot < this.queued.length) this.queued[slot] = Number.NaN;
  }

  /** Takes the slots that come up at a time. */
  take(time: number): number[] {
    const taken: number[] = [];
    this.next = Number.POSITIVE_INFINITY;
    for (const [bucket, entries] of [...this.buckets]) {
      if (bucket * this.width > time) {
        this.next = Math.min(this.next, bucket * this.width);
        continue;
      }
      this.buckets.delete(bucket);
      for (const slot of entries) {
        if (this.queued[slot] !== bucket) continue;
        this.queued[slot] = Number.NaN;
        taken.push(slot);
      }
    }
    return taken;
  }
}
