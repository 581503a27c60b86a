import { PAGES_MAX } from "../limits.ts";
import type { ModuleShape } from "../wasm/module.ts";
import { ByteWriter } from "../wasm/writer.ts";
import type { Metering, MeteringPlan } from "./call-graph.ts";
import { ChargePlan } from "./charge-plan.ts";
import { BYTES_SHIFT, COST_PER_PAGE, ELEMENT_SHIFT } from "./cost-table.ts";
import { EVENT, type FunctionScanner, type ScannedFunction } from "./function-scan.ts";
import { DEPTH_BITS, FUEL_UNIT } from "./meter.ts";
import { CANON } from "./nan-flow.ts";

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

/** The bits of the meter that are set when fuel or the stack is used up: `i64.const` of bits 63 and 19. */
const OVERDRAWN = Uint8Array.of(0x42, 0x80, 0x80, 0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);

/** `i64.const` of the meter's value where memory could not grow: bit 63. */
const GROWTH_FAILED = Uint8Array.of(0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);

/** `i64.lt_s if unreachable end` */
const TRAP_IF_LESS = Uint8Array.of(0x53, 0x04, 0x40, 0x00, 0x0b);

/** Rewrites the bodies of a module's functions, one after the other. */
export class Rewriter {
  private readonly shape: ModuleShape;
  private readonly scanner: FunctionScanner;
  private readonly functions: readonly ScannedFunction[];
  private readonly plans: readonly Metering[];
  private readonly checkedCalls: ReadonlySet<number>;
  /** Index of the global that holds the meter, or -1 where work is not metered. */
  private readonly meter: number;
  /** Pages that the module's own memory may grow to, or -1 where it has none. */
  private readonly pagesMax: number;
  /** The type of a block without parameters and with those results, by type of function. */
  private readonly blockType: (results: Uint8Array) => number;
  private readonly charge = new ChargePlan();
  private readonly body = new ByteWriter(4096);
  private readonly head = new ByteWriter(64);
  // Of the function under way.
  private own = 0;
  private copied = 0;
  private depth = 0;
  private fuel = 0;
  private keeps = false;
  private frame = 0;
  private readonly extra = { [I64]: -1, [I32]: -1, [F32]: -1, [F64]: -1, [V128]: -1 };

  constructor(
    scanned: { shape: ModuleShape; scanner: FunctionScanner; functions: readonly ScannedFunction[] },
    plan: MeteringPlan,
    options: { meter: number; pagesMax: number; blockType: (results: Uint8Array) => number },
  ) {
    this.shape = scanned.shape;
    this.scanner = scanned.scanner;
    this.functions = scanned.functions;
    this.plans = plan.functions;
    this.checkedCalls = plan.checkedCalls;
    this.meter = options.meter;
    this.pagesMax = options.pagesMax;
    this.blockType = options.blockType;
  }

  /** Appends the new body of one of the module's own functions to a code section, with its length. */
  write(own: number, section: ByteWriter): void {
    const scanned = this.functions[own] as ScannedFunction;
    const plan = this.plans[own] as Metering;
    const { shape, body, head } = this;
    this.own = own;
    body.clear();
    for (const type of [I64, I32, F32, F64, V128] as const) this.extra[type] = -1;
    this.copied = scanned.declarations.to;
    const isMetered = this.meter >= 0 && !plan.isFree;
    if (isMetered) this.metered(scanned, plan);
    else this.plain(scanned);
    head.clear();
    const added = [I64, I32, F32, F64, V128] as const;
    const used = added.filter((type) => this.extra[type] >= 0).sort((a, b) => this.extra[a] - this.extra[b]);
    head.u32(scanned.declarations.groups + used.length);
    head.copy(shape.bytes, scanned.declarations.from, scanned.declarations.to);
    for (const type of used) {
      head.u32(1);
      head.byte(type);
    }
    section.u32(head.size + body.size);
    section.append(head);
    section.append(body);
  }

  /** A local of a type of our own, behind those of the function. */
  private local(type: 0x7b | 0x7c | 0x7d | 0x7e | 0x7f): number {
    const known = this.extra[type];
    if (known >= 0) return known;
    const taken = Object.values(this.extra).filter((index) => index >= 0).length;
    const index = (this.functions[this.own] as ScannedFunction).locals + taken;
    this.extra[type] = index;
    return index;
  }

  // ---- Bodies.

  private plain(scanned: ScannedFunction): void {
    let canon = scanned.canon.from;
    while (canon < scanned.canon.to) this.canonical(canon++);
    this.copy(scanned.end);
  }

  private metered(scanned: ScannedFunction, plan: Metering): void {
    const { events } = this.scanner;
    const paid = (index: number): number => this.plans[index - this.shape.importedFunctions]?.cost ?? 0;
    this.charge.place(this.scanner, scanned, paid);
    const isBusy = this.callsMetered(scanned);
    this.keeps = scanned.hasLoop || (this.charge.count > 0 && !isBusy);
    this.frame = plan.frame;
    if (this.keeps) this.fuel = this.local(I64);
    this.enter(this.charge.charges.at(0), plan);
    const isWrapped = this.keeps || this.frame > 0;
    if (isWrapped) this.wrap();
    this.depth = 0;
    let canon = scanned.canon.from;
    for (let i = scanned.events.from; i < scanned.events.to - 1; i++) {
      while (canon < scanned.canon.to && this.scanner.canonAt.at(canon) <= events.from.at(i)) this.canonical(canon++);
      this.event(i, isWrapped);
      const fuel = this.charge.charges.at(i - scanned.events.from + 1);
      const isLoop = events.kind.at(i) === EVENT.loop;
      // A value that a block ends with is made canonical first, so that the order of bytes is the order of places.
      while (canon < scanned.canon.to && this.scanner.canonAt.at(canon) === events.to.at(i)) this.canonical(canon++);
      if (fuel > 0) this.take(fuel, isLoop);
    }
    while (canon < scanned.canon.to) this.canonical(canon++);
    // The last event is the function's end.
    this.copy(events.from.at(scanned.events.to - 1));
    if (isWrapped) {
      this.body.byte(0x0b);
      this.settle();
    }
    this.copy(scanned.end);
  }

  private callsMetered({ events: range }: ScannedFunction): boolean {
    const { kind, argument } = this.scanner.events;
    for (let i = range.from; i < range.to; i++) if (this.savesAt(kind.at(i), argument.at(i))) return true;
    return false;
  }

  /** True for a call whose callee takes fuel itself. */
  private savesAt(kind: number, argument: number): boolean {
    if (kind === EVENT.call) return this.plans[argument - this.shape.importedFunctions]?.isFree !== true;
    return kind === EVENT.callIndirect;
  }

  private wrap(): void {
    const type = this.shape.types[this.shape.functionTypes[this.shape.importedFunctions + this.own] ?? -1];
    const results = type?.results ?? new Uint8Array(0);
    this.body.byte(0x02);
    if (results.length === 0) this.body.byte(0x40);
    else if (results.length === 1) this.body.byte(results[0] as number);
    else this.body.signed(this.blockType(results));
  }

  /** What an event asks for; the instruction itself is copied with what follows, unless it is replaced. */
  private event(i: number, isWrapped: boolean): void {
    const { events } = this.scanner;
    const from = events.from.at(i);
    const to = events.to.at(i);
    const kind = events.kind.at(i);
    switch (kind) {
      case EVENT.block:
      case EVENT.loop:
      case EVENT.if:
        this.depth++;
        break;
      case EVENT.end:
        this.depth--;
        break;
      case EVENT.return:
        if (!isWrapped) break;
        this.copy(from);
        this.body.byte(0x0c);
        this.body.u32(this.depth);
        this.copied = to;
        return;
      case EVENT.returnCall:
      case EVENT.returnCallIndirect:
        this.copy(from);
        this.settle();
        break;
      case EVENT.memoryGrow:
      case EVENT.tableGrow:
      case EVENT.bulkMemory:
      case EVENT.bulkTable:
        this.copy(from);
        this.takeByLength(kind);
        if (kind === EVENT.memoryGrow && this.pagesMax >= 0) this.expectGrowth();
        break;
      default:
    }
    const isCall = this.keeps && this.savesAt(kind, events.argument.at(i));
    if (isCall) {
      this.copy(from);
      this.save();
    }
    this.copy(to);
    if (kind === EVENT.memoryGrow && this.pagesMax >= 0) this.insistOnGrowth();
    if (isCall) {
      this.readMeter();
      this.set(this.fuel);
    }
    if (this.checkedCalls.has(i)) this.checkAfterCall();
  }

  // ---- The meter. It holds fuel and stack in one number, so that one subtraction takes both.

  private enter(fuel: number, { isChecked, frame }: Metering): void {
    const { body } = this;
    const taken = fuel * FUEL_UNIT + frame;
    if (this.keeps && taken === 0) {
      this.readMeter();
      this.set(this.fuel);
      return;
    }
    if (taken === 0) return;
    this.readMeter();
    this.constant(taken);
    body.byte(0x7d);
    if (this.keeps) {
      this.set(this.fuel);
      if (isChecked) this.check(this.fuel, frame > 0);
    } else if (isChecked) {
      const fuelNow = this.local(I64);
      this.tee(fuelNow);
      this.writeMeter();
      this.check(fuelNow, frame > 0);
    } else this.writeMeter();
  }

  /** Takes fuel at a point; at the beginning of a loop it is checked too. */
  private take(fuel: number, isChecked: boolean): void {
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
    this.constant(fuel * FUEL_UNIT);
    this.body.byte(0x7d);
    if (!this.keeps) this.writeMeter();
    else {
      this.set(this.fuel);
      if (isChecked) this.check(this.fuel, false);
    }
  }

  /** Traps when the number in a local is overdrawn. */
  private check(local: number, withStack: boolean): void {
    const { body } = this;
    this.get(local);
    if (withStack) {
      body.copy(OVERDRAWN);
      body.byte(0x83);
      body.byte(0x50);
      body.byte(0x45);
    } else {
      this.constant(0);
      body.byte(0x53);
    }
    body.byte(0x04);
    body.byte(0x40);
    if (this.keeps) this.save();
    body.byte(0x00);
    body.byte(0x0b);
  }

  private checkAfterCall(): void {
    if (this.keeps) return this.check(this.fuel, false);
    this.readMeter();
    this.constant(0);
    this.body.copy(TRAP_IF_LESS);
  }

  /** Takes fuel for work whose length is on top of the stack. */
  private takeByLength(kind: number): void {
    const { body } = this;
    const length = this.local(I32);
    this.tee(length);
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
    this.get(length);
    if (kind === EVENT.memoryGrow) this.clamp(length, PAGES_MAX);
    body.byte(0xad);
    if (kind === EVENT.bulkMemory) this.binary(BYTES_SHIFT, 0x88);
    else if (kind === EVENT.memoryGrow) this.binary(COST_PER_PAGE, 0x7e);
    else this.binary(ELEMENT_SHIFT, 0x86);
    this.binary(DEPTH_BITS, 0x86);
    body.byte(0x7d);
    const fuel = this.local(I64);
    if (this.keeps) this.set(fuel);
    else {
      this.tee(fuel);
      this.writeMeter();
    }
    this.check(fuel, false);
  }

  /** Puts below the number of pages on the stack, which is also in a local, whether the memory may grow by so many. */
  private expectGrowth(): void {
    const { body } = this;
    const length = this.local(I32);
    body.byte(0x1a);
    this.get(length);
    body.byte(0xad);
    body.copy(MEMORY_SIZE);
    body.byte(0xad);
    body.byte(0x7c);
    this.binary(this.pagesMax, 0x58);
    this.get(length);
  }

  /** Stops where memory did not grow although it may. Modules are told that it did not at their own limits alone. */
  private insistOnGrowth(): void {
    const { body } = this;
    const grown = this.local(I32);
    this.tee(grown);
    body.copy(IS_MINUS_ONE);
    body.byte(0x71);
    body.byte(0x04);
    body.byte(0x40);
    body.copy(GROWTH_FAILED);
    this.writeMeter();
    body.byte(0x00);
    body.byte(0x0b);
    this.get(grown);
  }

  /** The number on the stack, which is also in a local, or the largest that counts: the price of more would wrap round. */
  private clamp(local: number, most: number): void {
    const { body } = this;
    const constant = (): void => {
      body.byte(0x41);
      body.signed(most);
    };
    constant();
    this.get(local);
    constant();
    body.byte(0x49);
    body.byte(0x1b);
  }

  private binary(constant: number, op: number): void {
    this.constant(constant);
    this.body.byte(op);
  }

  /** What the function took from the meter goes back, but for the fuel. */
  private settle(): void {
    if (!this.keeps && this.frame === 0) return;
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
    if (this.frame > 0) this.binary(this.frame, 0x7c);
    this.writeMeter();
  }

  private save(): void {
    this.get(this.fuel);
    this.writeMeter();
  }

  // ---- NaNs.

  private canonical(index: number): void {
    const { body, scanner } = this;
    this.copy(scanner.canonAt.at(index));
    const kind = scanner.canonKind.at(index);
    if (kind === CANON.f32) this.unlessOrdered(F32, 0x43, 0x60, NAN_32);
    else if (kind === CANON.f64) this.unlessOrdered(F64, 0x44, 0x66, NAN_64);
    else if (kind !== CANON.none) {
      const lanes32 = kind === CANON.f32x4;
      const value = this.local(V128);
      this.tee(value);
      this.vector(12);
      for (let i = 0; i < (lanes32 ? 4 : 2); i++) body.copy(lanes32 ? NAN_32 : NAN_64);
      this.get(value);
      this.get(value);
      this.vector(lanes32 ? 0x41 : 0x47);
      this.vector(82);
    }
  }

  /** The value on the stack when it is ordered, else the canonical NaN; a branch, since it is hardly ever taken. */
  private unlessOrdered(type: 0x7c | 0x7d, constant: number, ordered: number, nan: Uint8Array): void {
    const value = this.local(type);
    this.tee(value);
    this.get(value);
    this.body.byte(ordered);
    this.body.byte(0x45);
    this.body.byte(0x04);
    this.body.byte(0x40);
    this.body.byte(constant);
    this.body.copy(nan);
    this.set(value);
    this.body.byte(0x0b);
    this.get(value);
  }

  private vector(op: number): void {
    this.body.byte(0xfd);
    this.body.u32(op);
  }

  // ---- Instructions.

  /** Copies the original up to a byte. */
  private copy(to: number): void {
    if (to <= this.copied) return;
    this.body.copy(this.shape.bytes, this.copied, to);
    this.copied = to;
  }

  private get(local: number): void {
    this.body.byte(0x20);
    this.body.u32(local);
  }

  private set(local: number): void {
    this.body.byte(0x21);
    this.body.u32(local);
  }

  private tee(local: number): void {
    this.body.byte(0x22);
    this.body.u32(local);
  }

  private readMeter(): void {
    this.body.byte(0x23);
    this.body.u32(this.meter);
  }

  private writeMeter(): void {
    this.body.byte(0x24);
    this.body.u32(this.meter);
  }

  private constant(value: number): void {
    this.body.byte(0x42);
    this.body.signed(value);
  }
}

const MEMORY_SIZE = Uint8Array.of(0x3f, 0x00);
/** `i32.const -1 i32.eq` */
const IS_MINUS_ONE = Uint8Array.of(0x41, 0x7f, 0x46);
const NAN_32 = Uint8Array.of(0, 0, 0xc0, 0x7f);
const NAN_64 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);
