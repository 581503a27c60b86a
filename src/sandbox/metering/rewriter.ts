import { PAGES_MAX } from "../limits.ts";
import type { FunctionType } from "../wasm/shape.ts";
import { ByteWriter } from "../wasm/writer.ts";
import { BodyWriter, F32, F64, I32, I64, type Scanned, V128 } from "./body-writer.ts";
import type { Metering, MeteringPlan } from "./metering-plan.ts";
import { ChargePlan } from "./charge-plan.ts";
import { BYTES_SHIFT, COST_PER_PAGE, ELEMENT_SHIFT } from "./cost-table.ts";
import { EVENT, type ScannedFunction } from "./events.ts";
import { DEPTH_BITS, FUEL_UNIT } from "./meter.ts";

/** The bits of the meter that are set when fuel or the stack is used up: `i64.const` of bits 63 and 19. */
const OVERDRAWN = Uint8Array.of(0x42, 0x80, 0x80, 0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);

/** `i64.lt_s if unreachable end` */
const TRAP_IF_LESS = Uint8Array.of(0x53, 0x04, 0x40, 0x00, 0x0b);

/** Rewrites the bodies of a module's functions, one after the other. */
export class Rewriter extends BodyWriter {
  private readonly plans: readonly Metering[];
  private readonly checkedCalls: ReadonlySet<number>;
  /** What calls of a carrier name, by number of the module's own functions; -1 for those that are none. */
  private readonly carriers: Int32Array;
  /** Pages that the module's own memory may grow to, or -1 where it has none. */
  private readonly pagesMax: number;
  /** The type of a block without parameters and with those results, by type of function. */
  private readonly blockType: (results: Uint8Array) => number;
  private readonly charge = new ChargePlan();
  private readonly head = new ByteWriter(64);
  // Of the function under way.
  private depth = 0;
  private fuel = 0;
  private keeps = false;
  private frame = 0;

  constructor(
    scanned: Scanned,
    plan: MeteringPlan,
    options: {
      meter: number;
      carriers: Int32Array;
      pagesMax: number;
      blockType: (results: Uint8Array) => number;
    },
  ) {
    super(scanned, options.meter);
    this.plans = plan.functions;
    this.checkedCalls = plan.checkedCalls;
    this.carriers = options.carriers;
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
    this.parameter = (this.carriers[own] as number) < 0 ? -1 : this.typeOf(own).parameters.length;
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
    this.keeps = this.parameter >= 0 || scanned.hasLoop || (this.charge.count > 0 && !isBusy);
    this.frame = plan.frame;
    if (this.keeps) this.fuel = this.parameter >= 0 ? this.parameter : this.local(I64);
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
    if (kind !== EVENT.call) return kind === EVENT.callIndirect;
    return this.carrierOf(argument) < 0 && this.plans[argument - this.shape.importedFunctions]?.isFree !== true;
  }

  /** What a call of a function that is a carrier names; -1 for another. */
  private carrierOf(index: number): number {
    return this.carriers[index - this.shape.importedFunctions] ?? -1;
  }

  private typeOf(own: number): FunctionType {
    const { types, functionTypes, importedFunctions } = this.shape;
    return types[functionTypes[importedFunctions + own] as number] as FunctionType;
  }

  private wrap(): void {
    const { results } = this.typeOf(this.own);
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
        if (kind === EVENT.memoryGrow && this.pagesMax >= 0) this.expectGrowth(this.pagesMax);
        break;
      default:
    }
    const carrier = kind === EVENT.call ? this.carrierOf(events.argument.at(i)) : -1;
    if (carrier >= 0) {
      this.copy(from);
      this.callCarrier(carrier);
      this.copied = to;
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
    const isCarrier = this.parameter >= 0;
    if (taken === 0) {
      if (!this.keeps || isCarrier) return;
      this.readMeter();
      this.set(this.fuel);
      return;
    }
    if (isCarrier) this.get(this.fuel);
    else this.readMeter();
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

  /** A carrier takes the meter from the stack and leaves it there. */
  private callCarrier(index: number): void {
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
    this.body.byte(0x10);
    this.body.u32(index);
    if (this.keeps) this.set(this.fuel);
    else this.writeMeter();
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

  /** What the function took from the meter goes back, but for the fuel. */
  private settle(): void {
    if (!this.keeps && this.frame === 0) return;
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
    if (this.frame > 0) this.binary(this.frame, 0x7c);
    // A carrier gives it back as its last result.
    if (this.parameter < 0) this.writeMeter();
  }

  private save(): void {
    this.get(this.fuel);
    this.writeMeter();
  }
}
