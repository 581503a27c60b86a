const LIMIT: f64 = 9_007_199_254_740_991;

/** The loop of `fold` for one constant `what`: conditions on it are gone when it is compiled. */
// @ts-ignore: decorator
@inline
export function foldRows(what: i32, slots: usize, count: i32, values: usize, counts: usize, sums: usize, least: usize, most: usize): i32 {
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
