import type { Dice } from "./dice.ts";
import { F32, F64, FUNCREF, I32, I64, type Instruction, instruction, signed, unsigned, V128 } from "./instruction.ts";
import { LOADS, OPERATORS, type Operator, STORES } from "./operators.ts";

/** A function's type. */
export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** What the bodies of a module may use. Global 0 is the guard: it counts down, and loops and calls end when it is 0. */
export interface Surroundings {
  readonly types: readonly Signature[];
  /** Type of each function, imported ones first. */
  readonly functions: readonly number[];
  /** Functions that nothing refers to: they are called by their numbers alone. */
  readonly hidden: ReadonlySet<number>;
  readonly globals: readonly number[];
  readonly tableSize: number;
  readonly features: Features;
}

export interface Features {
  /** Negation, absolute value and copied signs. */
  readonly signs: boolean;
  readonly traps: boolean;
  readonly tailCalls: boolean;
}

export const NUMBERS = [I32, I64, F32, F64, V128] as const;
const SINGLE_32 = [
  0, 0x8000_0000, 0x3f80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7fa1_2345, 0xffc0_0001, 1, 0x7f7f_ffff,
];

/** Makes the body of one function, typed at every step, so that it is valid. */
export class BodyMaker {
  readonly code: Instruction[] = [];
  /** Types of the locals, parameters first. */
  readonly locals: number[];
  private readonly dice: Dice;
  private readonly around: Surroundings;
  private readonly signature: Signature;
  private readonly isLeaf: boolean;
  private readonly labels: (readonly number[])[] = [];
  private budget: number;

  /** `isLeaf`: without calls and loops, as small functions are. */
  constructor(dice: Dice, around: Surroundings, signature: Signature, size: number, isLeaf: boolean) {
    this.dice = dice;
    this.around = around;
    this.signature = signature;
    this.isLeaf = isLeaf;
    this.budget = isLeaf ? dice.below(12) : size;
    this.locals = [
      ...signature.parameters,
      ...NUMBERS,
      ...Array.from({ length: dice.below(6) }, () => dice.pick(NUMBERS)),
    ];
  }

  make(): void {
    this.labels.push(this.signature.results);
    if (!this.isLeaf) {
      this.emit(0x23, 0);
      this.emit(0x45);
      this.emit(0x04, 0x40);
      for (const type of this.signature.results) this.constant(type);
      this.emit(0x0f);
      this.emit(0x0b);
      this.countDown();
    }
    this.statements(this.isLeaf ? 2 : 14);
    for (const type of this.signature.results) this.value(type, 3);
    this.emit(0x0b);
  }

  // ---- Values.

  /** Instructions that leave a value of a type on the stack. */
  value(type: number, depth: number): void {
    this.budget--;
    if (depth <= 0 || this.budget <= 0) return this.leaf(type);
    const { dice } = this;
    switch (dice.below(14)) {
      case 0:
        return this.leaf(type);
      case 1:
        return this.load(type, depth);
      case 2:
        return this.block(type, depth);
      case 3:
        this.value(I32, depth - 1);
        this.emit(0x04, type);
        this.inside([type], () => this.body([type], depth - 1, true));
        return;
      case 4:
        return this.loop([type], depth);
      case 5:
        return this.callFor(type, depth);
      case 6:
        return this.selected(type, depth);
      case 7: {
        const local = this.localOf(type);
        this.value(type, depth - 1);
        this.emit(0x22, ...unsigned(local));
        return;
      }
      case 8:
        return this.branchWith(type, depth);
      case 9:
        if (dice.oneIn(6)) return this.leaveFor(depth);
        return this.operator(type, depth);
      case 10:
        if (type === I32) return this.sized(depth);
        return this.operator(type, depth);
      default:
        return this.operator(type, depth);
    }
  }

  private leaf(type: number): void {
    const which = this.dice.below(5);
    if (which < 2) this.constant(type);
    else if (which < 4) this.emit(0x20, ...unsigned(this.localOf(type)));
    else this.emit(0x23, ...unsigned(this.globalOf(type)));
  }

  private constant(type: number): void {
    const { dice } = this;
    if (type === I32) this.emit(0x41, ...signed(BigInt(dice.oneIn(3) ? dice.next() | 0 : dice.below(70) - 5)));
    else if (type === I64)
      this.emit(
        0x42,
        ...signed(dice.oneIn(3) ? BigInt.asIntN(64, BigInt(dice.next()) << 31n) : BigInt(dice.below(9) - 2)),
      );
    else if (type === F32) this.emit(0x43, ...this.floatBytes(4));
    else if (type === F64) this.emit(0x44, ...this.floatBytes(8));
    else if (type === V128)
      this.emit(
        0x20c,
        ...this.floatBytes(dice.oneIn(2) ? 4 : 8),
        ...this.floatBytes(8),
        ...this.floatBytes(8).slice(0, 8),
      ).trim();
    else this.emit(0xd0, FUNCREF);
  }

  private emit(op: number, ...rest: number[]): { trim(): void } {
    const code = instruction(op, ...rest);
    this.code.push(code);
    return {
      // A vector's constant has 16 bytes, whatever lanes it was made of.
      trim: () => {
        this.code[this.code.length - 1] = { op, bytes: code.bytes.slice(0, 18) };
      },
    };
  }

  private floatBytes(width: number): number[] {
    const view = new DataView(new ArrayBuffer(8));
    const { dice } = this;
    if (width === 4) view.setUint32(0, dice.oneIn(5) ? dice.next() : dice.pick(SINGLE_32), true);
    else if (dice.oneIn(3))
      view.setFloat64(
        0,
        dice.pick([0, -0, 1, -1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 5e-324, 2 ** 40 + 0.5]),
        true,
      );
    else
      view.setBigUint64(
        0,
        dice.pick([0x7ff4_1234_5678_9abcn, 0xfff8_0000_0000_0001n, 0x7fc1_2345_0000_0000n, 0x3ff0_0000_7fa0_0001n]),
        true,
      );
    return [...new Uint8Array(view.buffer).subarray(0, width)];
  }

  private localOf(type: number): number {
    const found = [...this.locals.keys()].filter((i) => this.locals[i] === type);
    return this.dice.pick(found);
  }

  private globalOf(type: number): number {
    // Not the guard.
    const found = [...this.around.globals.keys()].filter((i) => i > 0 && this.around.globals[i] === type);
    return this.dice.pick(found);
  }

  private operator(type: number, depth: number): void {
    const { traps, signs } = this.around.features;
    let chosen: Operator;
    do chosen = this.dice.pick(OPERATORS[type] ?? []);
    while ((chosen.traps === true && !(traps && this.dice.oneIn(8))) || (chosen.signs === true && !signs));
    for (const taken of chosen.takes) this.value(taken, depth - 1);
    this.emit(chosen.op, ...(chosen.lanes === undefined ? [] : [this.dice.below(chosen.lanes)]));
  }

  /** An address that is mostly inside the first page, and often where the data are. */
  private address(depth: number): void {
    this.value(I32, depth - 1);
    if (this.around.features.traps && this.dice.oneIn(40)) return;
    this.emit(0x41, ...signed(this.dice.oneIn(2) ? 0x1f8n : 0x7ff0n));
    this.emit(0x71);
  }

  private load(type: number, depth: number): void {
    this.address(depth);
    const [op, align] = this.dice.pick(LOADS[type] ?? []);
    this.emit(op, this.dice.below(align + 1), ...unsigned(this.dice.below(16)));
  }

  private selected(type: number, depth: number): void {
    this.value(type, depth - 1);
    this.value(type, depth - 1);
    this.value(I32, depth - 1);
    if (this.dice.oneIn(2)) this.emit(0x1b);
    else this.emit(0x1c, 1, type);
  }

  private sized(depth: number): void {
    const { dice } = this;
    const which = dice.below(4);
    if (which === 0) this.emit(0x3f, 0);
    else if (which === 1) this.emit(0x110, 0);
    else if (which === 2) {
      this.emit(0x23, ...unsigned(this.globalOf(FUNCREF)));
      this.emit(0xd1);
    } else {
      this.value(I32, depth - 1);
      this.emit(0x41, 1);
      this.emit(0x71);
      this.code.push({ ...instruction(0x40, 0), length: "pages" });
    }
  }

  // ---- Control.

  private inside(label: readonly number[], make: () => void): void {
    this.labels.push(label);
    make();
    this.labels.pop();
    this.emit(0x0b);
  }

  private body(results: readonly number[], depth: number, withElse: boolean): void {
    this.statements(2, depth);
    for (const type of results) this.value(type, depth);
    if (!withElse) return;
    this.emit(0x05);
    for (const type of results) this.value(type, depth);
  }

  private block(type: number, depth: number): void {
    this.emit(0x02, type);
    this.inside([type], () => this.body([type], depth - 1, false));
  }

  /** A loop inside a block, which it leaves when the guard is used up. */
  private loop(results: readonly number[], depth: number): void {
    if (this.isLeaf) {
      for (const type of results) this.leaf(type);
      return;
    }
    const type = results[0] ?? 0x40;
    this.emit(0x02, type);
    this.inside(results, () => {
      this.emit(0x03, type);
      this.inside([], () => {
        this.emit(0x23, 0);
        this.emit(0x45);
        this.emit(0x04, 0x40);
        for (const result of results) this.constant(result);
        this.emit(0x0c, 2);
        this.emit(0x0b);
        this.countDown();
        this.statements(3, depth - 1);
        this.value(I32, depth - 1);
        this.emit(0x0d, 0);
        for (const result of results) this.value(result, depth - 1);
      });
    });
  }

  private countDown(): void {
    this.emit(0x23, 0);
    this.emit(0x41, 1);
    this.emit(0x6b);
    this.emit(0x24, 0);
  }

  private labelsWith(fits: (types: readonly number[]) => boolean): number[] {
    const found: number[] = [];
    for (const [i, types] of this.labels.entries()) if (fits(types)) found.push(this.labels.length - 1 - i);
    return found;
  }

  /** A value that a branch may take along. */
  private branchWith(type: number, depth: number): void {
    const labels = this.labelsWith((types) => types.length === 1 && types[0] === type);
    if (labels.length === 0) return this.operator(type, depth);
    this.value(type, depth - 1);
    this.value(I32, depth - 1);
    this.emit(0x0d, ...unsigned(this.dice.pick(labels)));
  }

  /** A jump: what follows is dead, and takes any value for granted. */
  private leaveFor(depth: number): void {
    const { dice } = this;
    const label = dice.below(this.labels.length);
    const types = this.labels[this.labels.length - 1 - label] ?? [];
    switch (dice.below(this.around.features.traps ? 8 : 7)) {
      case 0:
      case 1:
        for (const type of this.signature.results) this.value(type, depth - 1);
        this.emit(0x0f);
        return;
      case 2:
      case 3: {
        const same = this.labelsWith((other) => other.join() === types.join());
        for (const type of types) this.value(type, depth - 1);
        this.value(I32, depth - 1);
        const targets = Array.from({ length: dice.below(4) }, () => dice.pick(same));
        this.emit(0x0e, ...unsigned(targets.length), ...targets.flatMap(unsigned), ...unsigned(label));
        return;
      }
      case 4:
        if (this.tailCall(depth)) return;
        break;
      case 7:
        this.emit(0x00);
        return;
      default:
    }
    for (const type of types) this.value(type, depth - 1);
    this.emit(0x0c, ...unsigned(label));
  }

  // ---- Calls.

  private tailCall(depth: number): boolean {
    const { functions, types, features } = this.around;
    if (!features.tailCalls || this.isLeaf) return false;
    const wanted = this.signature.results.join();
    const found = [...functions.keys()].filter((i) => types[functions[i] ?? 0]?.results.join() === wanted);
    if (found.length === 0) return false;
    this.call(this.dice.pick(found), depth, 0x12);
    return true;
  }

  private callFor(type: number, depth: number): void {
    const { functions, types } = this.around;
    const found = [...functions.keys()].filter((i) => types[functions[i] ?? 0]?.results.join() === String(type));
    if (this.isLeaf || found.length === 0) return this.operator(type, depth);
    this.call(this.dice.pick(found), depth, 0x10);
  }

  private call(index: number, depth: number, op: 0x10 | 0x12): void {
    const { functions, hidden, types, tableSize } = this.around;
    const type = functions[index] ?? 0;
    for (const parameter of types[type]?.parameters ?? []) this.value(parameter, depth - 2);
    if (index >= tableSize || hidden.has(index) || this.dice.oneIn(2)) return void this.emit(op, ...unsigned(index));
    // The table begins with the functions in their order; another number may be of another type, and trap.
    if (this.around.features.traps && this.dice.oneIn(10)) this.value(I32, 1);
    else this.emit(0x41, ...signed(BigInt(index % tableSize)));
    this.emit(op + 1, ...unsigned(type), 0);
  }

  // ---- Statements.

  statements(most: number, depth = 4): void {
    for (let i = this.dice.below(most + 1); i > 0 && this.budget > 0; i--) this.statement(depth);
  }

  private statement(depth: number): void {
    this.budget--;
    const { dice } = this;
    const type = dice.pick(NUMBERS);
    switch (dice.below(15)) {
      case 0:
      case 1:
        this.value(type, depth);
        return void this.emit(0x21, ...unsigned(this.localOf(type)));
      case 2:
        this.value(type, depth);
        return void this.emit(0x24, ...unsigned(this.globalOf(type)));
      case 3:
      case 4: {
        this.address(depth);
        this.value(type, depth);
        const [op, align] = dice.pick(STORES[type] ?? []);
        return void this.emit(op, dice.below(align + 1), ...unsigned(dice.below(16)));
      }
      case 5:
        this.value(type, depth);
        return void this.emit(0x1a);
      case 6:
        this.value(I32, depth);
        this.emit(0x04, 0x40);
        return this.inside([], () => this.body([], depth - 1, dice.oneIn(2)));
      case 7:
        this.emit(0x02, 0x40);
        return this.inside([], () => this.body([], depth - 1, false));
      case 8:
        return this.loop([], depth);
      case 9:
        return this.branchIf(depth);
      case 10:
        return this.bulk(depth);
      case 11:
        return this.several(depth);
      case 12:
        return this.lane(depth);
      case 13:
        if (!dice.oneIn(5)) return this.several(depth);
        this.leaveFor(depth);
        return this.deadEnds();
      default:
        return void this.emit(0x01);
    }
  }

  private branchIf(depth: number): void {
    const labels = this.labelsWith((types) => types.length === 0);
    if (labels.length === 0) return;
    this.value(I32, depth);
    this.emit(0x0d, ...unsigned(this.dice.pick(labels)));
  }

  /** Code that only dead code can be: it takes what is not there. */
  private deadEnds(): void {
    if (this.dice.oneIn(2)) return;
    for (const op of this.dice.pick([
      [0x6a, 0x1a],
      [0x1b, 0x1a],
      [0x92, 0x1a],
      [0x2e4, 0x1a],
      [0x45, 0x04, 0x00, 0x0b],
    ])) {
      this.emit(op, ...(op === 0x04 ? [0x40] : []));
    }
  }

  /** A block, or a call, with parameters and several results, which go to locals. */
  private several(depth: number): void {
    const { types, functions } = this.around;
    const index = this.dice.below(types.length);
    const type = types[index] as Signature;
    const called = [...functions.keys()].filter((i) => functions[i] === index);
    if (!this.isLeaf && called.length > 0 && this.dice.oneIn(2)) this.call(this.dice.pick(called), depth, 0x10);
    else {
      for (const parameter of type.parameters) this.value(parameter, depth - 1);
      const isThrough = type.parameters.join() === type.results.join();
      if (isThrough && this.dice.oneIn(2)) {
        this.value(I32, depth - 1);
        this.emit(0x04, ...signed(BigInt(index)));
        this.inside(type.results, () => this.replaced(type, depth));
      } else {
        this.emit(0x02, ...signed(BigInt(index)));
        this.inside(type.results, () => this.replaced(type, depth));
      }
    }
    for (const result of type.results.toReversed())
      if (this.dice.oneIn(4)) this.emit(0x1a);
      else this.emit(0x21, ...unsigned(this.localOf(result)));
  }

  private replaced({ parameters, results }: Signature, depth: number): void {
    for (const parameter of parameters.toReversed()) this.emit(0x21, ...unsigned(this.localOf(parameter)));
    this.statements(2, depth - 1);
    for (const result of results) this.value(result, depth - 1);
  }

  /** One lane from memory, or to it. */
  private lane(depth: number): void {
    const { dice } = this;
    const size = dice.below(4);
    const isStore = dice.oneIn(2);
    this.address(depth);
    this.value(V128, depth - 1);
    this.emit(0x200 + (isStore ? 88 : 84) + size, dice.below(size + 1), dice.below(9), dice.below(16 >> size));
    if (!isStore) this.emit(0x21, ...unsigned(this.localOf(V128)));
  }

  private bulk(depth: number): void {
    const { dice } = this;
    /** A number below a power of two, for each mask. */
    const small = (...masks: bigint[]): void => {
      for (const mask of masks) {
        this.value(I32, depth - 2);
        this.emit(0x41, ...signed(mask));
        this.emit(0x71);
      }
    };
    const op = (number: number, length: "bytes" | "elements", ...rest: number[]): void => {
      this.code.push({ ...instruction(0x100 + number, ...rest), length });
    };
    switch (dice.below(9)) {
      case 0:
        small(0x7f0n, 0xffn, 0x7fn);
        return op(11, "bytes", 0);
      case 1:
        small(0x7f0n, 0x7f0n, 0xffn);
        return op(10, "bytes", 0, 0);
      case 2:
        // Nothing from a segment that may have been dropped, unless traps are welcome.
        small(0x7f0n, 7n, this.around.features.traps ? 7n : 0n);
        return op(8, "bytes", 1, 0);
      case 3:
        if (this.around.features.traps && dice.oneIn(3)) this.emit(0x109, 1);
        return;
      case 4:
        this.emit(
          0xd2,
          ...unsigned(dice.pick([...this.around.functions.keys()].filter((i) => !this.around.hidden.has(i)))),
        );
        this.emit(0x24, ...unsigned(this.globalOf(FUNCREF)));
        return;
      case 5:
        small(3n, 3n, 1n);
        return op(14, "elements", 0, 0);
      case 6:
        small(3n, 1n, 0n);
        return op(12, "elements", 1, 0);
      case 7:
        this.emit(0x23, ...unsigned(this.globalOf(FUNCREF)));
        small(1n);
        op(15, "elements", 0);
        this.emit(0x1a);
        return;
      default:
        this.emit(0x10d, 1);
    }
  }
}
