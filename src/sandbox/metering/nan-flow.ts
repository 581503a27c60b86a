import { IntList } from "./int-list.ts";

/** Values on the stack: one whose bits are the same on every machine, one that is never NaN; from 2 on the number of a place. */
export const EXACT = 0;
export const NUMBER = 1;

/** How a NaN is made canonical at a place, by the type of the value on top of the stack. */
export const CANON = { none: 0, f32: 1, f64: 2, f32x4: 3, f64x2: 4 } as const;

/**
 * Where the bits of a NaN that depend on the machine can be seen, and where they are made canonical so that they cannot.
 *
 * The bits of a NaN that arithmetic makes are not specified (core specification, 4.3.3). Nothing sees them while the value is
 * only calculated with, compared or converted to an integer. They are seen when the value is stored, reinterpreted, returned or
 * passed on; a *place* is where a value comes into being on top of the stack, by arithmetic or by being read from a *holder* (a
 * local, or a value that several operands can become, as with `select`), and the places whose values are seen get a few
 * instructions that make a NaN canonical. Values that come from memory, parameters, calls and constants keep their bits: a holder that can
 * have such a value is *exact*, and what arithmetic puts there is made canonical before. All this is decided from the code alone,
 * once, so it is the same everywhere.
 */
export class NanFlow {
  // By place. `holder` is -1 for arithmetic; `uses` has bit 0 for a use as lanes of 32 bits, bit 1 for 64.
  private readonly positions = new IntList();
  private readonly holders = new IntList();
  private readonly kinds = new IntList();
  private readonly depths = new IntList();
  private readonly seen = new IntList();
  private readonly uses = new IntList();
  // By holder.
  private readonly exact = new IntList();
  private readonly tainted = new IntList();
  private readonly shapes = new IntList();
  private readonly filledDepth = new IntList();
  private readonly seenDepth = new IntList();
  // Pairs of holder and place: the value of the place goes into the holder.
  private readonly targets = new IntList();
  private readonly values = new IntList();

  /** Begins a function with so many locals, the first of which are parameters: their values come from outside. */
  begin(locals: number, parameters: number): void {
    for (const list of [this.positions, this.holders, this.kinds, this.depths, this.seen, this.uses]) list.clear();
    for (const list of [this.exact, this.tainted, this.shapes, this.filledDepth, this.seenDepth]) list.clear();
    this.targets.clear();
    this.values.clear();
    for (let i = 0; i < locals; i++) this.addHolder();
    for (let i = 0; i < parameters; i++) this.exact.data[i] = 1;
  }

  /**
   * Another holder, for a value that is one of several. `width`: that of the floats its reader takes it for, where the
   * instruction says it; what was made in another width is exact then, since only its own width tells a NaN from a number.
   */
  addHolder(width = 0): number {
    const holder = this.exact.length;
    this.exact.push(0);
    this.tainted.push(0);
    this.shapes.push(width);
    this.filledDepth.push(-1);
    this.seenDepth.push(-1);
    return holder;
  }

  /** A place where arithmetic makes a value. `position` is the byte after the instruction, `loops` how many loops are around it. */
  arithmetic(position: number, kind: number, loops: number): number {
    return this.place(position, -1, kind, loops);
  }

  /** A place where a holder's value is read. Its kind is told when the holder's contents are known. */
  read(position: number, holder: number, kind: number, loops: number): number {
    return this.place(position, holder, kind, loops);
  }

  private place(position: number, holder: number, kind: number, loops: number): number {
    this.positions.push(position);
    this.holders.push(holder);
    this.kinds.push(kind);
    this.depths.push(loops);
    this.seen.push(0);
    this.uses.push(0);
    return this.positions.length + 1;
  }

  /** The bits of a value can be seen. */
  escape(value: number): void {
    if (value > NUMBER) this.seen.data[value - 2] = 1;
  }

  /** A value is calculated with as floats of a width. As another width than it was made in, its bits are seen. */
  use(value: number, width: number): void {
    if (value > NUMBER) this.uses.data[value - 2] = this.uses.at(value - 2) | (width === 32 ? 1 : 2);
  }

  /** A value goes into a holder. */
  fill(holder: number, value: number): void {
    if (value === EXACT) this.exact.data[holder] = 1;
    if (value <= NUMBER) return;
    this.targets.push(holder);
    this.values.push(value - 2);
  }

  /** Ends the function: appends the places that need canonical NaNs to two lists, in the order of the code. */
  end(positions: IntList, kinds: IntList): void {
    this.spread();
    for (let i = 0; i < this.targets.length; i++) {
      const place = this.values.at(i);
      if (this.exact.at(this.targets.at(i)) === 1 && this.isTainted(place)) this.seen.data[place] = 1;
    }
    for (let place = 0; place < this.positions.length; place++) {
      const kind = this.kindOf(place);
      const isMisread = (this.uses.at(place) & (kind === CANON.f32x4 || kind === CANON.f32 ? 2 : 1)) !== 0;
      if ((this.seen.at(place) === 0 && !isMisread) || !this.isTainted(place)) continue;
      positions.push(this.positions.at(place));
      kinds.push(kind);
    }
  }

  /** True where the value at a place may have bits of the machine's own. */
  private isTainted(place: number): boolean {
    const holder = this.holders.at(place);
    return holder < 0 || (this.tainted.at(holder) === 1 && this.exact.at(holder) === 0);
  }

  private kindOf(place: number): number {
    const kind = this.kinds.at(place);
    const holder = this.holders.at(place);
    if (holder < 0 || kind < CANON.f32x4) return kind;
    return this.shapes.at(holder) === 64 ? CANON.f64x2 : CANON.f32x4;
  }

  /** Follows values from holder to holder until nothing changes: each holder changes at most three times. */
  private spread(): void {
    const next = new Int32Array(this.targets.length);
    const first = new Int32Array(this.exact.length).fill(-1);
    const changed: number[] = [];
    for (let i = 0; i < this.targets.length; i++) {
      const place = this.values.at(i);
      const target = this.targets.at(i);
      this.filledDepth.data[target] = Math.max(this.filledDepth.at(target), this.depths.at(place));
      const from = this.holders.at(place);
      if (from < 0) {
        if (this.taint(target, widthOf(this.kinds.at(place)))) changed.push(target);
        continue;
      }
      next[i] = first[from] as number;
      first[from] = i;
    }
    this.preferOutside();
    for (let holder = 0; holder < this.exact.length; holder++) if (this.exact.at(holder) === 1) changed.push(holder);
    for (let holder = changed.pop(); holder !== undefined; holder = changed.pop()) {
      for (let i = first[holder] as number; i >= 0; i = next[i] as number) {
        const target = this.targets.at(i);
        let isNew = this.tainted.at(holder) === 1 && this.taint(target, this.shapes.at(holder));
        if (this.exact.at(holder) === 1 && this.exact.at(target) === 0) {
          this.exact.data[target] = 1;
          isNew = true;
        }
        if (isNew) changed.push(target);
      }
    }
  }

  /** A holder that is filled outside of the loop in which its value is seen takes canonical values: fewer are made so. */
  private preferOutside(): void {
    for (let place = 0; place < this.positions.length; place++) {
      const holder = this.holders.at(place);
      if (holder >= 0 && this.seen.at(place) === 1)
        this.seenDepth.data[holder] = Math.max(this.seenDepth.at(holder), this.depths.at(place));
    }
    for (let holder = 0; holder < this.exact.length; holder++)
      if (this.seenDepth.at(holder) > this.filledDepth.at(holder)) this.exact.data[holder] = 1;
  }

  /** Marks a holder; lanes of two widths in one holder make it exact. True when that is new. */
  private taint(holder: number, width: number): boolean {
    const shape = this.shapes.at(holder);
    const isNew = this.tainted.at(holder) === 0;
    this.tainted.data[holder] = 1;
    if (shape === 0) this.shapes.data[holder] = width;
    else if (shape !== width && width !== 0 && this.exact.at(holder) === 0) {
      this.exact.data[holder] = 1;
      return true;
    }
    return isNew;
  }
}

function widthOf(kind: number): number {
  return kind === CANON.f64x2 || kind === CANON.f64 ? 64 : 32;
}
