const SAFE: i64 = 9_007_199_254_740_991;
/** Whole numbers at most so far from 0 become floats by their bits: 2^51. */
const NEAR: i64 = 1 << 51;
/** The bits of 1.5 · 2^52, whose lowest bit counts 1. */
const ONES: i64 = 0x4338_0000_0000_0000;

/**
 * Turns 64-bit integers into the nearest floats, in place; 1 when all of them are safe integers. `values` has room for an even number of
 * them.
 */
export function widen(values: usize, count: i32, unsigned: i32): i32 {
  if (count & 1) store<i64>(values + ((<usize>count) << 3), 0);
  const end = values + ((<usize>((count + 1) & ~1)) << 3);
  // Nothing is near that has, above the least of its kind, a bit beyond the span.
  const least = i64x2.splat(unsigned != 0 ? 0 : NEAR);
  const span = unsigned != 0 ? 51 : 52;
  let bits = i64x2.splat(0);
  for (let at = values; at < end; at += 16) bits = v128.or(bits, i64x2.add(v128.load(at), least));
  if (v128.any_true(i64x2.shr_u(bits, span))) return widenFar(values, count, unsigned);
  const ones = f64x2.splat(reinterpret<f64>(ONES));
  for (let at = values; at < end; at += 16) v128.store(at, f64x2.sub(i64x2.add(v128.load(at), i64x2.splat(ONES)), ones));
  return 1;
}

function widenFar(values: usize, count: i32, unsigned: i32): i32 {
  let exact = 1;
  for (let i = 0; i < count; i++) {
    const at = values + ((<usize>i) << 3);
    const value = load<i64>(at);
    if (unsigned != 0 ? <u64>value > <u64>SAFE : value > SAFE || value < -SAFE) exact = 0;
    store<f64>(at, unsigned != 0 ? <f64>(<u64>value) : <f64>value);
  }
  return exact;
}
