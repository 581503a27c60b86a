import type { ModuleShape } from "../wasm/module.ts";
import { ByteWriter } from "../wasm/writer.ts";
import { CodeReader } from "./code-reader.ts";
import type { ScannedFunction } from "./events.ts";
import type { FunctionScanner } from "./function-scan.ts";
import { CANON } from "./nan-flow.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** A module, and what was found in its functions. */
export interface Scanned {
  readonly shape: ModuleShape;
  readonly scanner: FunctionScanner;
  readonly functions: readonly ScannedFunction[];
}

/** Writes one body after the other: pieces of the original, and instructions and locals of our own between them. */
export abstract class BodyWriter {
  protected readonly shape: ModuleShape;
  protected readonly scanner: FunctionScanner;
  protected readonly functions: readonly ScannedFunction[];
  /** Index of the global that holds the meter, or -1 where work is not metered. */
  protected readonly meter: number;
  protected readonly body = new ByteWriter(4096);
  private readonly code: CodeReader;
  // Of the function under way.
  protected own = 0;
  protected copied = 0;
  /** Number of the parameter that is added, behind those of the function: its locals have the next numbers. -1: none is. */
  protected parameter = -1;
  protected readonly extra = { [I64]: -1, [I32]: -1, [F32]: -1, [F64]: -1, [V128]: -1 };

  protected constructor({ shape, scanner, functions }: Scanned, meter: number) {
    this.shape = shape;
    this.code = new CodeReader(shape.bytes);
    this.scanner = scanner;
    this.functions = functions;
    this.meter = meter;
  }

  /** A local of a type of our own, behind those of the function. */
  protected local(type: 0x7b | 0x7c | 0x7d | 0x7e | 0x7f): number {
    const known = this.extra[type];
    if (known >= 0) return known;
    const taken = Object.values(this.extra).filter((index) => index >= 0).length;
    const index = (this.functions[this.own] as ScannedFunction).locals + (this.parameter < 0 ? 0 : 1) + taken;
    this.extra[type] = index;
    return index;
  }

  // ---- NaNs.

  protected canonical(index: number): void {
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
  protected unlessOrdered(type: 0x7c | 0x7d, constant: number, ordered: number, nan: Uint8Array): void {
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

  protected vector(op: number): void {
    this.body.byte(0xfd);
    this.body.u32(op);
  }

  // ---- Instructions.

  /** Copies the original up to a byte. */
  protected copy(to: number): void {
    if (to <= this.copied) return;
    if (this.parameter < 0) this.body.copy(this.shape.bytes, this.copied, to);
    else this.copyRenumbered(to);
    this.copied = to;
  }

  /** Copies instructions with the numbers that locals have behind the parameter that is added. */
  private copyRenumbered(to: number): void {
    const { body, code, parameter } = this;
    const { bytes } = this.shape;
    let from = this.copied;
    code.seek(from, to);
    while (code.at < to) {
      const op = code.opcode();
      if (op < LOCAL_GET || op > LOCAL_TEE) {
        code.skipOperands(op);
        continue;
      }
      const at = code.at;
      const local = code.u32();
      if (local < parameter) continue;
      body.copy(bytes, from, at);
      body.u32(local + 1);
      from = code.at;
    }
    body.copy(bytes, from, to);
  }

  protected get(local: number): void {
    this.body.byte(0x20);
    this.body.u32(local);
  }

  protected set(local: number): void {
    this.body.byte(0x21);
    this.body.u32(local);
  }

  protected tee(local: number): void {
    this.body.byte(0x22);
    this.body.u32(local);
  }

  protected readMeter(): void {
    this.body.byte(0x23);
    this.body.u32(this.meter);
  }

  protected writeMeter(): void {
    this.body.byte(0x24);
    this.body.u32(this.meter);
  }

  protected constant(value: number): void {
    this.body.byte(0x42);
    this.body.signed(value);
  }

  protected binary(constant: number, op: number): void {
    this.constant(constant);
    this.body.byte(op);
  }

  // ---- Memory that grows.

  /** Puts below the number of pages on the stack, which is also in a local, whether the memory may grow by so many. */
  protected expectGrowth(pagesMax: number): void {
    const { body } = this;
    const length = this.local(I32);
    body.byte(0x1a);
    this.get(length);
    body.byte(0xad);
    body.copy(MEMORY_SIZE);
    body.byte(0xad);
    body.byte(0x7c);
    this.binary(pagesMax, 0x58);
    this.get(length);
  }

  /** Stops where memory did not grow although it may. Modules are told that it did not at their own limits alone. */
  protected insistOnGrowth(): void {
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
  protected clamp(local: number, most: number): void {
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
}

/** `i64.const` of the meter's value where memory could not grow: bit 63. */
const GROWTH_FAILED = Uint8Array.of(0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);

const LOCAL_GET = 0x20;
const LOCAL_TEE = 0x22;
const MEMORY_SIZE = Uint8Array.of(0x3f, 0x00);
/** `i32.const -1 i32.eq` */
const IS_MINUS_ONE = Uint8Array.of(0x41, 0x7f, 0x46);
const NAN_32 = Uint8Array.of(0, 0, 0xc0, 0x7f);
const NAN_64 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);
