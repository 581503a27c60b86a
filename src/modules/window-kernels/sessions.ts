// Offsets into the control block, as src/streams/window/session-rows.ts writes it.
const NEWEST: usize = 0;
const GAP: usize = 8;
const CLOSES: usize = 16;
const LEAST: usize = 24;
const MOST: usize = 32;
const HEADS: usize = 40;
const HEADS_SIZE: usize = 44;
const NEXTS: usize = 48;
const FIRSTS: usize = 52;
const LASTS: usize = 56;
const TOUCHED: usize = 60;

// Behind the event times of a chunk, as for `assign`.
const IDS: usize = 32_768;
const SLOTS: usize = 49_152;

/**
 * Gives rows from `from` on the slots of the sessions that they lie in, which grow by them, as far as each has just one open session in
 * reach. Returns the first row that has not, `to` where all have.
 */
export function sessions(control: usize, times: usize, marks: usize, from: i32, to: i32): i32 {
  const gap = load<f64>(control, GAP);
  const closes = load<f64>(control, CLOSES);
  const heads = <usize>load<u32>(control, HEADS);
  const headsSize = load<u32>(control, HEADS_SIZE);
  const nexts = <usize>load<u32>(control, NEXTS);
  const firsts = <usize>load<u32>(control, FIRSTS);
  const lasts = <usize>load<u32>(control, LASTS);
  const touched = <usize>load<u32>(control, TOUCHED);
  let newest = load<f64>(control, NEWEST);
  let at = (<usize>from) << 2;
  const end = (<usize>to) << 2;
  for (; at < end; at += 4) {
    const time = load<f64>(times + (at << 1));
    if (!(time <= load<f64>(control, MOST) && time >= load<f64>(control, LEAST))) break;
    const id = load<u32>(times + at, IDS);
    let each: usize = id < headsSize ? <usize>load<u32>(heads + ((<usize>id) << 2)) : 0;
    // Which of a key's sessions is in reach, and whether it has one or two, cannot be foreseen: no branch asks.
    let near = nearOf(each, time, newest, firsts, lasts, gap, closes);
    let found = near;
    let slot = each * <usize>near;
    each = <usize>load<u32>(nexts + (each << 2));
    do {
      near = nearOf(each, time, newest, firsts, lasts, gap, closes);
      found += near;
      slot += each * <usize>near;
      each = <usize>load<u32>(nexts + (each << 2));
    } while (each != 0);
    if (found != 1) break;
    const mine = v128.splat<f64>(time);
    const first = firsts + (slot << 3);
    const last = lasts + (slot << 3);
    v128.store_lane<f64>(first, f64x2.pmin(v128.load_splat<f64>(first), mine), 0);
    v128.store_lane<f64>(last, f64x2.pmax(v128.load_splat<f64>(last), mine), 0);
    store<i32>(times + at, <i32>slot, SLOTS);
    store<u8>(touched + slot, 1);
    let mark = time;
    if (marks != times) mark = load<f64>(marks + (at << 1));
    if (mark > newest) newest = mark;
  }
  store<f64>(control, newest, NEWEST);
  return <i32>(at >> 2);
}

/** 1 for an open session in reach, 0 for others and for the end of a list, behind which the end stands again. */
// @ts-ignore: decorator
@inline
function nearOf(each: usize, time: f64, newest: f64, firsts: usize, lasts: usize, gap: f64, closes: f64): i32 {
  const last = load<f64>(lasts + (each << 3));
  const isNear = <i32>(time >= load<f64>(firsts + (each << 3)) - gap) & <i32>(time <= last + gap);
  return isNear & <i32>(last + closes > newest) & <i32>(each != 0);
}
