import { BinaryError } from "../wasm/binary.ts";
import { IMMEDIATE, OPCODES, PREFIX_MISC, PREFIX_SIMD } from "../wasm/opcodes.ts";

/** Reads the instructions of a function, never beyond its end. */
export class CodeReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private end = 0;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes to a function that ends before `end`. */
  seek(at: number, end: number): void {
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw tooEarly(this.at);
    return this.bytes[this.at++] as number;
  }

  peek(): number {
    if (this.at >= this.end) throw tooEarly(this.at);
    return this.bytes[this.at] as number;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new BinaryError(`has a number beyond 32 bits at byte ${this.at}`);
  }

  /** The number in the tables of the instruction that is here; what stands behind its opcode is not read. */
  opcode(): number {
    const op = this.byte();
    if (op < 0xfb) return op;
    return (op === 0xfd ? PREFIX_SIMD : PREFIX_MISC) + this.u32();
  }

  /** Passes over what stands behind the opcode of any allowed instruction. */
  skipOperands(op: number): void {
    const immediate = OPCODES.immediates[op] as number;
    if (immediate !== IMMEDIATE.own) return this.skip(immediate);
    // block, loop, if: a value type is a negative number, the number of a type is not.
    if (op >= 0x02 && op <= 0x04) return this.skip(IMMEDIATE.signed);
    if (op === 0x0e) for (let left = this.u32(); left > 0; left--) this.u32();
    if (op === 0x1c) {
      for (let left = this.u32(); left > 0; left--) this.byte();
      return;
    }
    if (op === 0x11 || op === 0x13) this.u32();
    this.u32();
  }

  /** Passes over immediates of one kind. */
  skip(immediate: number): void {
    switch (immediate) {
      case IMMEDIATE.index:
        this.u32();
        return;
      case IMMEDIATE.signed:
        for (let length = 1; this.byte() >= 0x80; length++)
          if (length === 10) throw new BinaryError(`has a number beyond 64 bits at byte ${this.at}`);
        return;
      case IMMEDIATE.float32:
        this.advance(4);
        return;
      case IMMEDIATE.float64:
        this.advance(8);
        return;
      case IMMEDIATE.memory:
      case IMMEDIATE.indices:
        this.memory();
        return;
      case IMMEDIATE.bytes16:
        this.advance(16);
        return;
      case IMMEDIATE.lane:
        this.advance(1);
        return;
      case IMMEDIATE.memoryLane:
        this.memory();
        this.advance(1);
        return;
      default:
    }
  }

  /** Passes over a constant. True when it is no NaN, a vector in no lane of 32 bits and none of 64. */
  constantIsNumber(immediate: number): boolean {
    const { at } = this;
    this.skip(immediate);
    switch (immediate) {
      case IMMEDIATE.float32:
        return !Number.isNaN(this.view.getFloat32(at, true));
      case IMMEDIATE.float64:
        return !Number.isNaN(this.view.getFloat64(at, true));
      default: {
        for (let i = 0; i < 16; i += 4) if (Number.isNaN(this.view.getFloat32(at + i, true))) return false;
        return !Number.isNaN(this.view.getFloat64(at, true)) && !Number.isNaN(this.view.getFloat64(at + 8, true));
      }
    }
  }

  private memory(): void {
    const alignment = this.u32();
    // Bit 6 says that the number of a memory follows.
    if (alignment >= 0x40) throw new BinaryError("uses several memories");
    this.u32();
  }

  private advance(count: number): void {
    this.at += count;
    if (this.at > this.end) throw tooEarly(this.at);
  }
}

function tooEarly(at: number): BinaryError {
  return new BinaryError(`ends too early at byte ${at}`);
}
