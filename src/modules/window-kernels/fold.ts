const LIMIT: f64 = 9_007_199_254_740_991;

/** The loop of `fold` for one constant `what`: conditions on it are gone when it is compiled. */
// @ts-ignore: decorator
@inline
function foldRows(what: i32, slots: usize, count: i32, values: usize, counts: usize, sums: usize, least: usize, most: usize): i32 {
  for (let i = 0; i < count; i++) {
    const at = (<usize>load<u32>(slots + ((<usize>i) << 2))) << 3;
    const value = load<f64>(values + ((<usize>i) << 3));
    if ((what & 2) != 0) {
      const sum = load<f64>(sums + at) + value;
      if ((what & 16) != 0 && !(sum >= -LIMIT && sum <= LIMIT)) return i;
      store<f64>(sums + at, sum);
    }
    if ((what & 1) != 0) store<f64>(counts + at, load<f64>(counts + at) + 1.0);
    if ((what & 4) != 0) {
      const best = load<f64>(least + at);
      if (!(value >= best) && value == value) store<f64>(least + at, value);
    }
    if ((what & 8) != 0) {
      const best = load<f64>(most + at);
      if (!(value <= best) && best == best) store<f64>(most + at, value);
    }
  }
  return count;
}

/**
 * Folds values into the slots beside them: bit 0 of `what` counts, bit 1 sums, bit 2 keeps the least, bit 3 the greatest; bit 4 says
 * that sums are exact. Returns how many rows are done: fewer than given where the next sum is no safe integer.
 */
export function fold(what: i32, slots: usize, count: i32, values: usize, counts: usize, sums: usize, least: usize, most: usize): i32 {
  switch (what) {
    case 1: return foldRows(1, slots, count, values, counts, sums, least, most);
    case 2: return foldRows(2, slots, count, values, counts, sums, least, most);
    case 3: return foldRows(3, slots, count, values, counts, sums, least, most);
    case 4: return foldRows(4, slots, count, values, counts, sums, least, most);
    case 5: return foldRows(5, slots, count, values, counts, sums, least, most);
    case 6: return foldRows(6, slots, count, values, counts, sums, least, most);
    case 7: return foldRows(7, slots, count, values, counts, sums, least, most);
    case 8: return foldRows(8, slots, count, values, counts, sums, least, most);
    case 9: return foldRows(9, slots, count, values, counts, sums, least, most);
    case 10: return foldRows(10, slots, count, values, counts, sums, least, most);
    case 11: return foldRows(11, slots, count, values, counts, sums, least, most);
    case 12: return foldRows(12, slots, count, values, counts, sums, least, most);
    case 13: return foldRows(13, slots, count, values, counts, sums, least, most);
    case 14: return foldRows(14, slots, count, values, counts, sums, least, most);
    case 15: return foldRows(15, slots, count, values, counts, sums, least, most);
    case 18: return foldRows(18, slots, count, values, counts, sums, least, most);
    case 19: return foldRows(19, slots, count, values, counts, sums, least, most);
    case 22: return foldRows(22, slots, count, values, counts, sums, least, most);
    case 23: return foldRows(23, slots, count, values, counts, sums, least, most);
    case 26: return foldRows(26, slots, count, values, counts, sums, least, most);
    case 27: return foldRows(27, slots, count, values, counts, sums, least, most);
    case 30: return foldRows(30, slots, count, values, counts, sums, least, most);
    case 31: return foldRows(31, slots, count, values, counts, sums, least, most);
    default: return 0;
  }
}
