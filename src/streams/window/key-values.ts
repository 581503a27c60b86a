import type { Value } from "../../batch/column.ts";

/**
 * Values of a key column by id: in an array of floats while all of them are safe integers of one kind, number or bigint, and as they come
 * from then on.
 */
export class KeyValues {
  /** NaN where there is none. */
  private numbers: Float64Array | undefined = new Float64Array(16).fill(Number.NaN);
  private values: Value[] = [];
  private isBig: boolean | undefined;

  put(id: number, value: Value): void {
    const kind = typeof value;
    if (this.numbers !== undefined) {
      const isSafe = (kind === "number" || kind === "bigint") && Number.isSafeInteger(Number(value));
      if (isSafe && (this.isBig ?? kind === "bigint") === (kind === "bigint"))
        return this.putNumber(id, Number(value), kind === "bigint");
      this.values = Array.from({ length: this.numbers.length }, (_, each) => this.at(each));
      this.numbers = undefined;
    }
    // Ids come in any order; a hole would make the array a slow one.
    while (this.values.length <= id) this.values.push(null);
    this.values[id] = value;
  }

  /** Puts a safe integer that stands for a number or a bigint. */
  putNumber(id: number, value: number, isBig: boolean): void {
    const { numbers } = this;
    if (numbers === undefined || (this.isBig ?? isBig) !== isBig) return this.put(id, isBig ? BigInt(value) : value);
    this.isBig = isBig;
    if (id >= numbers.length) {
      const larger = new Float64Array(Math.max(id + 1, 2 * numbers.length)).fill(Number.NaN, numbers.length);
      larger.set(numbers);
      this.numbers = larger;
      larger[id] = value;
    } else {
      numbers[id] = value;
    }
  }

  at(id: number): Value {
    const { numbers } = this;
    if (numbers === undefined) return this.values[id] ?? null;
    const value = numbers[id] ?? Number.NaN;
    if (Number.isNaN(value)) return null;
    return this.isBig === true ? BigInt(value) : value;
  }

  /** All of them by id, bigints as numbers where they are kept so. */
  get all(): Float64Array | readonly Value[] {
    return this.numbers ?? this.values;
  }
}
