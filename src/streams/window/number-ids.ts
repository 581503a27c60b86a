import type { Arena } from "../kernels/arena.ts";

/** Numbers from 0 to below this are looked up by place. */
const PLACED_MAX = 2 ** 20;

/** Ids of safe integers: small ones by place, others in a hash table. */
export class NumberIds {
  /** Id plus 1 by number; 0 where there is none. */
  placed: Int32Array;
  private readonly arena: Arena;
  private keys = new Float64Array(256);
  /** Id plus 1; 0 where the place is free. */
  private hashed = new Int32Array(256);
  private count = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.placed = arena.i32(256);
  }

  /** Makes a place for a number; false where it is none that has places. */
  reserve(value: number): boolean {
    if (!(value >= 0 && value < PLACED_MAX)) return false;
    if (value >= this.placed.length) this.placed = this.arena.grown(this.placed, 2 ** (32 - Math.clz32(value)));
    return true;
  }

  relocate(): void {
    this.placed = this.arena.grown(this.placed, this.placed.length);
  }

  /** The id of a number; -1 where it has none. */
  find(value: number): number {
    if (value >= 0 && value < PLACED_MAX) return value < this.placed.length ? (this.placed[value] as number) - 1 : -1;
    return (this.hashed[this.placeOf(value)] as number) - 1;
  }

  /** Gives a number that has none an id. */
  put(value: number, id: number): void {
    if (this.reserve(value)) {
      this.placed[value] = id + 1;
      return;
    }
    if (2 * this.count + 2 > this.keys.length) this.grow();
    this.count++;
    const place = this.placeOf(value);
    this.keys[place] = value;
    this.hashed[place] = id + 1;
  }

  private placeOf(value: number): number {
    const { keys, hashed } = this;
    const mask = keys.length - 1;
    let hash = Math.imul(value | 0, 0x9e3779b1) ^ Math.imul(Math.floor(value / 4_294_967_296), 0x85ebca6b);
    hash ^= hash >>> 15;
    let place = hash & mask;
    while (hashed[place] !== 0 && keys[place] !== value) place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { keys, hashed } = this;
    this.keys = new Float64Array(2 * keys.length);
    this.hashed = new Int32Array(2 * keys.length);
    for (let at = 0; at < keys.length; at++) {
      if (hashed[at] === 0) continue;
      const place = this.placeOf(keys[at] as number);
      this.keys[place] = keys[at] as number;
      this.hashed[place] = hashed[at] as number;
    }
  }
}
