/**
 * Ids of small numbers: `placed` holds by number its id plus 1, 0 where it has none yet and gets the next, which is counted at `next`.
 * Returns the row of the first number outside of `placed`, `count` where there is none.
 */
export function identify(values: usize, from: i32, count: i32, placed: usize, length: u32, next: usize, ids: usize): i32 {
  for (let i = from; i < count; i++) {
    const value = load<u32>(values + ((<usize>i) << 2));
    if (value >= length) return i;
    const place = placed + ((<usize>value) << 2);
    let id = load<i32>(place);
    if (id == 0) {
      id = load<i32>(next) + 1;
      store<i32>(next, id);
      store<i32>(place, id);
    }
    store<i32>(ids + ((<usize>i) << 2), id - 1);
  }
  return count;
}
