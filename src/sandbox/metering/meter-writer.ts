import { PAGES_MAX } from "../limits.ts";
import { BodyWriter, I32, I64 } from "./body-writer.ts";
import { BYTES_SHIFT, COST_PER_PAGE, ELEMENT_SHIFT } from "./cost-table.ts";
import { EVENT } from "./events.ts";
import { DEPTH_BITS, FUEL_UNIT } from "./meter.ts";
import type { Metering } from "./metering-plan.ts";

/** The bits of the meter that are set when fuel or the stack is used up: `i64.const` of bits 63 and 19. */
const OVERDRAWN = Uint8Array.of(0x42, 0x80, 0x80, 0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);

/** `i64.lt_s if unreachable end` */
const TRAP_IF_LESS = Uint8Array.of(0x53, 0x04, 0x40, 0x00, 0x0b);

/**
 * Writes what takes fuel and stack from the meter, which holds both in one number, so that one subtraction takes both. A function
 * that keeps the meter has it in a local, a carrier in its last parameter; others work on the global.
 */
export abstract class MeterWriter extends BodyWriter {
  // Of the function under way.
  protected keeps = false;
  /** The local that holds the meter of a function that keeps it. */
  protected fuel = 0;
  protected frame = 0;

  /** Begins a function: takes fuel and stack, and checks them where that is asked for. */
  protected enter(fuel: number, { isChecked, frame }: Metering): void {
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
  protected take(fuel: number, isChecked: boolean): void {
    this.push();
    this.constant(fuel * FUEL_UNIT);
    this.body.byte(0x7d);
    if (!this.keeps) this.writeMeter();
    else {
      this.set(this.fuel);
      if (isChecked) this.check(this.fuel, false);
    }
  }

  /** Traps when the number in a local is overdrawn. */
  protected check(local: number, withStack: boolean): void {
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
  protected callCarrier(index: number): void {
    this.push();
    this.body.byte(0x10);
    this.body.u32(index);
    if (this.keeps) this.set(this.fuel);
    else this.writeMeter();
  }

  /** Checks what a callee has spent without a check. */
  protected checkAfterCall(): void {
    if (this.keeps) return this.check(this.fuel, false);
    this.readMeter();
    this.constant(0);
    this.body.copy(TRAP_IF_LESS);
  }

  /** Takes fuel for work whose length is on top of the stack. */
  protected takeByLength(kind: number): void {
    const { body } = this;
    const length = this.local(I32);
    this.tee(length);
    this.push();
    this.get(length);
    if (kind === EVENT.memoryGrow) this.clamp(length, PAGES_MAX);
    body.byte(0xad);
    if (kind === EVENT.bulkMemory) this.binary(BYTES_SHIFT, 0x88);
    else if (kind === EVENT.memoryGrow) this.binary(COST_PER_PAGE, 0x7e);
    else this.binary(ELEMENT_SHIFT, 0x86);
    this.binary(DEPTH_BITS, 0x86);
    body.byte(0x7d);
    const fuel = this.keeps ? this.fuel : this.local(I64);
    if (this.keeps) this.set(fuel);
    else {
      this.tee(fuel);
      this.writeMeter();
    }
    this.check(fuel, false);
  }

  /** What the function took from the meter goes back, but for the fuel. */
  protected settle(): void {
    if (!this.keeps && this.frame === 0) return;
    this.push();
    if (this.frame > 0) this.binary(this.frame, 0x7c);
    // A carrier gives it back as its last result.
    if (this.parameter < 0) this.writeMeter();
  }

  /** The meter, wherever the function has it. */
  private push(): void {
    if (this.keeps) this.get(this.fuel);
    else this.readMeter();
  }

  /** A function that keeps the meter writes it to the global. */
  protected save(): void {
    this.get(this.fuel);
    this.writeMeter();
  }
}
