import { MODULE_LIMITS } from "../../../src/sandbox/wasm/limits.ts";
import { decodeModule } from "../../../src/sandbox/wasm/module.ts";
import { ByteWriter } from "../../../src/sandbox/wasm/writer.ts";
import { F32, F64, unsigned, V128 } from "./instruction.ts";

/** Bits of the NaNs that a machine makes. */
export interface NanBits {
  readonly single: number;
  readonly double: bigint;
}

/** The canonical ones: a machine that makes these shows what eager canonicalisation comes to. */
export const CANONICAL: NanBits = { single: 0x7fc0_0000, double: 0x7ff8_0000_0000_0000n };

/** Ways in which machines may make NaNs: with the sign, with payloads, signalling ones too. */
export const MACHINES: readonly NanBits[] = [
  { single: 0xffc0_0000, double: 0xfff8_0000_0000_0000n },
  { single: 0x7fc0_0123, double: 0x7ff8_0000_0000_0456n },
  { single: 0xffa5_5aa5, double: 0xfff5_5aa5_7fc1_2345n },
];

/**
 * A module as another machine would run it: after each instruction that makes a float by arithmetic, a NaN gets the bits given.
 * It knows the instructions from the specification alone (5.4), not from the tables of the instrumenter.
 */
export function onMachine(bytes: Uint8Array, nan: NanBits): Uint8Array<ArrayBuffer> {
  const shape = decodeModule(bytes, MODULE_LIMITS);
  const module = new ByteWriter(bytes.length * 4);
  module.copy(bytes, 0, 8);
  for (const section of shape.sections) {
    if (section.id !== 10) {
      module.copy(bytes, section.from, section.end);
      continue;
    }
    const code = new ByteWriter(bytes.length * 4);
    code.u32(shape.bodies.length);
    for (const [own, { locals, end }] of shape.bodies.entries()) {
      const type = shape.types[shape.functionTypes[shape.importedFunctions + own] ?? -1];
      const body = rewritten(bytes, locals, end, type?.parameters.length ?? 0, nan);
      code.u32(body.length);
      code.copy(body);
    }
    module.byte(10);
    module.u32(code.size);
    module.append(code);
  }
  return module.take();
}

class Cursor {
  at: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
}

function rewritten(bytes: Uint8Array, from: number, end: number, parameters: number, nan: NanBits): Uint8Array {
  const cursor = new Cursor(bytes, from);
  const body = new ByteWriter((end - from) * 4 + 64);
  const groups = cursor.number();
  const declared = cursor.at;
  let first = parameters;
  for (let i = 0; i < groups; i++) {
    first += cursor.number();
    cursor.at++;
  }
  body.u32(groups + 3);
  body.copy(bytes, declared, cursor.at);
  for (const type of [F32, F64, V128]) body.copy(Uint8Array.of(1, type));
  while (cursor.at < end) {
    const start = cursor.at;
    let op = cursor.byte();
    if (op === 0xfc) op = 0x100 + cursor.number();
    else if (op === 0xfd) op = 0x200 + cursor.number();
    skipImmediates(cursor, op);
    body.copy(bytes, start, cursor.at);
    body.copy(Uint8Array.from(replaceNan(op, first, nan)));
  }
  return body.take();
}

/** What stands behind an opcode; only what valid modules of the random kind and instrumented ones hold. */
function skipImmediates(cursor: Cursor, op: number): void {
  if (op === 0x0e) for (let count = cursor.number(); count >= 0; count--) cursor.number();
  else if (op === 0x1c) cursor.at += cursor.number();
  else if (op === 0x43) cursor.at += 4;
  else if (op === 0x44) cursor.at += 8;
  else if (op === 0x20c || op === 0x20d) cursor.at += 16;
  else if (op >= 0x215 && op <= 0x222) cursor.at += 1;
  else if ((op >= 0x28 && op <= 0x3e) || (op >= 0x200 && op <= 0x20b) || op === 0x25c || op === 0x25d) pair(cursor);
  else if (op >= 0x254 && op <= 0x25b) {
    pair(cursor);
    cursor.at++;
  } else if (op === 0x11 || op === 0x13 || [0x108, 0x10a, 0x10c, 0x10e].includes(op)) pair(cursor);
  else if ((op >= 0x02 && op <= 0x04) || op === 0x41 || op === 0x42 || op === 0xd0) cursor.number();
  else if ([0x0c, 0x0d, 0x10, 0x12, 0x3f, 0x40, 0xd2].includes(op) || (op >= 0x20 && op <= 0x26)) cursor.number();
  else if ([0x109, 0x10b, 0x10d, 0x10f, 0x110, 0x111].includes(op)) cursor.number();
}

function pair(cursor: Cursor): void {
  cursor.number();
  cursor.number();
}

const SINGLES = new Set([94, 103, 104, 105, 106, 227, 228, 229, 230, 231, 232, 233]);
const DOUBLES = new Set([95, 116, 117, 122, 148, 239, 240, 241, 242, 243, 244, 245]);

function replaceNan(op: number, first: number, nan: NanBits): number[] {
  if ((op >= 0x8d && op <= 0x97) || op === 0xb6) return scalar(first, [0x43, ...little(BigInt(nan.single), 4)], 0x5b);
  if ((op >= 0x9b && op <= 0xa5) || op === 0xbb) return scalar(first + 1, [0x44, ...little(nan.double, 8)], 0x61);
  if (SINGLES.has(op - 0x200)) return vector(first + 2, repeated(little(BigInt(nan.single), 4), 4), 65);
  if (DOUBLES.has(op - 0x200)) return vector(first + 2, repeated(little(nan.double, 8), 2), 71);
  return [];
}

/** `x = value; x == x ? x : nan` */
function scalar(local: number, nan: readonly number[], equal: number): number[] {
  const get = [0x20, ...unsigned(local)];
  return [0x21, ...unsigned(local), ...get, ...nan, ...get, ...get, equal, 0x1b];
}

function vector(local: number, nan: readonly number[], equal: number): number[] {
  const get = [0x20, ...unsigned(local)];
  return [0x21, ...unsigned(local), ...get, 0xfd, 12, ...nan, ...get, ...get, 0xfd, equal, 0xfd, 82];
}

function little(value: bigint, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function repeated(bytes: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => bytes).flat();
}
