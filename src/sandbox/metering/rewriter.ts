import type { FunctionType } from "../wasm/shape.ts";
import { ByteWriter } from "../wasm/writer.ts";
import { F32, F64, I32, I64, type Scanned, V128 } from "./body-writer.ts";
import { ChargePlan } from "./charge-plan.ts";
import { EVENT, type ScannedFunction } from "./events.ts";
import { MeterWriter } from "./meter-writer.ts";
import type { Metering, MeteringPlan } from "./metering-plan.ts";

/** Rewrites the bodies of a module's functions, one after the other. */
export class Rewriter extends MeterWriter {
  private readonly plans: readonly Metering[];
  private readonly checkedCalls: ReadonlySet<number>;
  /** What calls of a carrier name, by number of the module's own functions; -1 for one that is none. */
  private readonly carriers: Int32Array;
  /** Pages that the module's own memory may grow to, or -1 where it has none. */
  private readonly pagesMax: number;
  /** The type of a block without parameters and with those results, by type of function. */
  private readonly blockType: (results: Uint8Array) => number;
  private readonly charge = new ChargePlan();
  private readonly head = new ByteWriter(64);
  // Of the function under way.
  private depth = 0;

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
      // A value that a block ends with is made canonical first, so that the order of bytes is the order of places.
      while (canon < scanned.canon.to && this.scanner.canonAt.at(canon) === events.to.at(i)) this.canonical(canon++);
      if (fuel > 0) this.take(fuel, events.kind.at(i) === EVENT.loop && !this.isCheckedBehind(i, scanned));
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

  /** True where every turn of a loop comes to another check of fuel, before anything that branches. */
  private isCheckedBehind(loop: number, { events: range }: ScannedFunction): boolean {
    const { kind, argument } = this.scanner.events;
    for (let i = loop + 1; ; i++) {
      switch (kind.at(i)) {
        case EVENT.block:
        case EVENT.callIndirect:
          break;
        case EVENT.call:
          if (this.plans[argument.at(i) - this.shape.importedFunctions]?.isChecked === true) return true;
          break;
        case EVENT.loop:
          // One that takes nothing does not check: it never turns.
          if (this.charge.charges.at(i - range.from + 1) > 0) return true;
          break;
        case EVENT.memoryGrow:
        case EVENT.tableGrow:
        case EVENT.bulkMemory:
        case EVENT.bulkTable:
          return true;
        default:
          return false;
      }
    }
  }

  private callsMetered({ events: range }: ScannedFunction): boolean {
    const { kind, argument } = this.scanner.events;
    for (let i = range.from; i < range.to; i++) if (this.savesAt(kind.at(i), argument.at(i))) return true;
    return false;
  }

  /** True for a call whose callee takes fuel from the global. */
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
    if (kind === EVENT.call || kind === EVENT.callIndirect) this.call(i);
    else this.copy(to);
    if (kind === EVENT.memoryGrow && this.pagesMax >= 0) this.insistOnGrowth();
  }

  /** A call, with the meter where the callee takes it from. */
  private call(i: number): void {
    const { events } = this.scanner;
    const kind = events.kind.at(i);
    const argument = events.argument.at(i);
    const carrier = kind === EVENT.call ? this.carrierOf(argument) : -1;
    const isSaved = this.keeps && this.savesAt(kind, argument);
    this.copy(events.from.at(i));
    if (carrier >= 0) {
      this.callCarrier(carrier);
      this.copied = events.to.at(i);
    } else {
      if (isSaved) this.save();
      this.copy(events.to.at(i));
    }
    if (isSaved) {
      this.readMeter();
      this.set(this.fuel);
    }
    if (this.checkedCalls.has(i)) this.checkAfterCall();
  }
}
