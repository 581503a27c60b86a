import type { GlobalShape } from "../wasm/shape.ts";
import { GLOBAL_EXPORT, GLOBAL_SETTER_EXPORT } from "./meter.ts";

/** Value types as bytes of the format. */
const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

/** A function that the instrumenter adds: it reads or writes the bits of one global. */
export interface AddedFunction {
  readonly name: string;
  readonly parameters: Uint8Array;
  readonly results: Uint8Array;
  /** The body as it stands in the code section, without its length. */
  readonly body: Uint8Array;
}

/** Numbers of 64 bits that a global's value is saved as; 0 where it cannot be saved. */
export function lanesOf({ type }: GlobalShape): number {
  if (type === V128) return 2;
  return type === I32 || type === I64 || type === F32 || type === F64 ? 1 : 0;
}

/** True for a global that is exported as it is. JavaScript's own numbers would lose bits of the others. */
export function isExact({ type }: GlobalShape): boolean {
  return CODE[type] === undefined;
}

/** True when a value has 32 bits, so that the upper half of its lane is zero. */
export function isNarrow({ type }: GlobalShape): boolean {
  return type === I32 || type === F32;
}

/** Functions through which the bits of a float or vector global are read and written, as 64-bit integers; none for a global that is exact. */
export function accessorsOf(index: number, shape: GlobalShape): AddedFunction[] {
  if (isExact(shape)) return [];
  const lanes = new Uint8Array(lanesOf(shape)).fill(I64);
  const none = new Uint8Array(0);
  const get = [0x23, ...unsigned(index)];
  const set = [0x24, ...unsigned(index)];
  const [read, write] = CODE[shape.type]?.(get, set) ?? [[], []];
  return [
    { name: GLOBAL_EXPORT + index, parameters: none, results: lanes, body: bodyOf(read) },
    { name: GLOBAL_SETTER_EXPORT + index, parameters: lanes, results: none, body: bodyOf(write) },
  ];
}

type Code = readonly number[];

const CODE: Readonly<Record<number, (get: Code, set: Code) => readonly [read: Code, write: Code]>> = {
  // i64.extend_i32_u(i32.reinterpret_f32(x)), f32.reinterpret_i32(i32.wrap_i64(bits))
  [F32]: (get, set) => [
    [...get, 0xbc, 0xad],
    [0x20, 0, 0xa7, 0xbe, ...set],
  ],
  // i64.reinterpret_f64(x), f64.reinterpret_i64(bits)
  [F64]: (get, set) => [
    [...get, 0xbd],
    [0x20, 0, 0xbf, ...set],
  ],
  // i64x2.extract_lane 0 and 1, i64x2.splat and i64x2.replace_lane 1
  [V128]: (get, set) => [
    [...get, 0xfd, 0x1d, 0, ...get, 0xfd, 0x1d, 1],
    [0x20, 0, 0xfd, 0x12, 0x20, 1, 0xfd, 0x1e, 1, ...set],
  ],
};

/** No locals, the code, `end`. */
function bodyOf(code: Code): Uint8Array {
  return Uint8Array.of(0, ...code, 0x0b);
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
