const LIMIT: f64 = 9_007_199_254_740_991;

/** Adds what the slots of `from` hold to those of `into` beside them, in their order. Returns how many are done: see `fold`. */
export function merge(what: i32, into: usize, from: usize, count: i32, counts: usize, sums: usize, least: usize, most: usize): i32 {
  for (let i = 0; i < count; i++) {
    const at = (<usize>load<u32>(into + ((<usize>i) << 2))) << 3;
    const other = (<usize>load<u32>(from + ((<usize>i) << 2))) << 3;
    if ((what & 2) != 0) {
      const sum = load<f64>(sums + at) + load<f64>(sums + other);
      if ((what & 16) != 0 && !(sum >= -LIMIT && sum <= LIMIT)) return i;
      store<f64>(sums + at, sum);
    }
    if ((what & 1) != 0) store<f64>(counts + at, load<f64>(counts + at) + load<f64>(counts + other));
    if ((what & 4) != 0) {
      const value = load<f64>(least + other);
      const best = load<f64>(least + at);
      if (!(value >= best) && value == value) store<f64>(least + at, value);
    }
    if ((what & 8) != 0) {
      const value = load<f64>(most + other);
      const best = load<f64>(most + at);
      if (!(value <= best) && best == best) store<f64>(most + at, value);
    }
  }
  return count;
}
