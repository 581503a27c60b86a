/** Entries of an operator by a time, the least first, of equal times the one with the lower number. */
export class TimeHeap {
  private times: number[] = [];
  private entries: number[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** The least time; +∞ when it is empty. */
  get time(): number {
    return this.times[0] ?? Number.POSITIVE_INFINITY;
  }

  get entry(): number {
    return this.entries[0] ?? -1;
  }

  push(time: number, entry: number): void {
    let at = this.entries.length;
    this.times.push(time);
    this.entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isLess(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): number {
    const top = this.entry;
    const time = this.times.pop();
    const entry = this.entries.pop();
    if (time === undefined || entry === undefined || this.entries.length === 0) return top;
    this.times[0] = time;
    this.entries[0] = entry;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.entries.length && this.isLess(child, least)) least = child;
      if (least === at) return top;
      this.swap(at, least);
      at = least;
    }
  }

  clear(): void {
    this.times = [];
    this.entries = [];
  }

  private isLess(a: number, b: number): boolean {
    const difference = (this.times[a] as number) - (this.times[b] as number);
    return difference === 0 ? (this.entries[a] as number) < (this.entries[b] as number) : difference < 0;
  }

  private swap(a: number, b: number): void {
    const { times, entries } = this;
    [times[a], times[b]] = [times[b] as number, times[a] as number];
    [entries[a], entries[b]] = [entries[b] as number, entries[a] as number];
  }
}
