import { BinaryError } from "../wasm/binary.ts";
import { VALUE_TYPES } from "../wasm/module.ts";
import { TYPE } from "../wasm/opcodes.ts";
import { CANON } from "./nan-flow.ts";

/** A type's number in the tables, by its byte. Throws {@link BinaryError} for types that are not allowed. */
export function tableType(code: number): number {
  const found = VALUE_TYPES.get(code);
  if (found === undefined) throw new BinaryError(`uses the value type 0x${code.toString(16)}`);
  return found.type;
}

/** True for types whose values may be NaNs. */
export function isFloat(type: number): boolean {
  return type === TYPE.f32 || type === TYPE.f64 || type === TYPE.v128;
}

/** How a NaN of a type is made canonical; `width`: of the lanes of a vector. */
export function kindOf(type: number, width: number): number {
  if (type === TYPE.f32) return CANON.f32;
  if (type === TYPE.f64) return CANON.f64;
  return width === 64 ? CANON.f64x2 : CANON.f32x4;
}
