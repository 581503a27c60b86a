/** Groups that become one while rows of a part are assigned: before the row, `from` is added to `into` and begins anew. */
export class Joins {
  rows = new Int32Array(64);
  into = new Int32Array(64);
  from = new Int32Array(64);
  count = 0;

  /** `row` counts from the beginning of the part; rows never go back. */
  push(row: number, into: number, from: number): void {
    if (this.count === this.rows.length) {
      for (const name of ["rows", "into", "from"] as const) {
        const larger = new Int32Array(2 * this.count);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.rows[this.count] = row;
    this.into[this.count] = into;
    this.from[this.count++] = from;
  }
}
