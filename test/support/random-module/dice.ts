/** Random numbers by counter: the n-th of a seed is a hash of both, so a module depends on its seed alone. */
export class Dice {
  private readonly seed: number;
  private counter = 0;

  constructor(seed: number) {
    this.seed = Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995;
  }

  /** A number of 32 bits. */
  next(): number {
    let h = this.seed ^ Math.imul(++this.counter, 0x85eb_ca6b);
    h = Math.imul(h ^ (h >>> 16), 0x7feb_352d);
    h = Math.imul(h ^ (h >>> 15), 0x846c_a68b);
    return (h ^ (h >>> 16)) >>> 0;
  }

  /** A number below `count`. */
  below(count: number): number {
    return this.next() % count;
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }
}
