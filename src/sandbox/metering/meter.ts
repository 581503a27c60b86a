/**
 * The meter of an instance: one global that holds the fuel that is left above {@link DEPTH_BITS} bits, and the stack that is left in
 * them, so that entering a function takes both with one subtraction. The highest bit of either part is set when it is overdrawn.
 */
export const DEPTH_BITS = 20;
/** What one unit of fuel is in the meter. */
export const FUEL_UNIT = 2 ** DEPTH_BITS;
/** Most fuel that an instance can be given. */
export const FUEL_MAX = 2 ** 42;
/** Most stack, in values. */
export const STACK_MAX = 2 ** (DEPTH_BITS - 1) - 1;
/** Largest frame of a function, in values: an overdrawn meter must not wrap round. */
export const FRAME_MAX = 2 ** (DEPTH_BITS - 2);

/** Names of exports that begin so are the instrumenter's own. */
export const RESERVED_PREFIX = "__ipdm_";
/**
 * The export that is the meter. Functions keep it in locals and hand it to each other. They write it here before anyone else runs (host
 * functions, functions called through tables), at the end, and where they run out of it. After another trap it says what was left at
 * the last of these times: the same on every machine, and never less than there is.
 */
export const METER_EXPORT = "__ipdm_meter";
/** The export that is the module's start function, which the host calls when the meter is filled. */
export const START_EXPORT = "__ipdm_start";
/**
 * Exports that are the module's mutable globals, by number, are named so: an integer as the global itself; a float or vector as a
 * function that gives its bits in 64-bit integers, beside one that takes them.
 */
export const GLOBAL_EXPORT = "__ipdm_global_";
export const GLOBAL_SETTER_EXPORT = "__ipdm_set_global_";

/** A global of an instance, as JavaScript sees it. */
export interface MeterGlobal {
  value: bigint;
}

/** The meter's value for so much fuel and stack. */
export function filled(fuel: number, stack: number): bigint {
  return (BigInt(fuel) << BigInt(DEPTH_BITS)) + BigInt(stack);
}

/** Fuel that is left; negative when a module was stopped, by what the last charge went beyond it. */
export function fuelLeft(meter: bigint): number {
  return Number(meter >> BigInt(DEPTH_BITS));
}

/** What the meter is when a memory could not grow although it may: this machine has no more, so what follows would be its own. */
const GROWTH_FAILED = -(2n ** 63n);

/** True when a module was stopped because this machine could not give it memory that it may have. No result, but a fault of the node. */
export function growthFailed(meter: bigint): boolean {
  return meter === GROWTH_FAILED;
}

/** Which part of the meter is used up. */
export function overdrawn(meter: bigint): "fuel" | "stack" | undefined {
  // A stack that is overdrawn borrows from the fuel, so it is asked for first.
  if (((meter >> BigInt(DEPTH_BITS - 1)) & 1n) === 1n) return "stack";
  return meter < 0n ? "fuel" : undefined;
}

/** Takes fuel for work that the host does for a module. False when there is not enough. */
export function charge(meter: MeterGlobal, fuel: number): boolean {
  meter.value -= BigInt(fuel) << BigInt(DEPTH_BITS);
  return meter.value >= 0n;
}
