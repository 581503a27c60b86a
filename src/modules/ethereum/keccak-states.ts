// The permutation Keccak-f[1600] (FIPS 202, section 3.3) on three states at a time: two whose lanes stand side by side in vectors, and one in
// integers. A processor has units for either, and they work at the same time.

/** Bytes of a block of Keccak-256. */
export const RATE: usize = 136;
/** Lanes of states 0 and 1 in pairs, behind them those of state 2. */
const PAIRS = memory.data(600, 16);
const SINGLE: usize = 400;
const LANES: usize = 25;
const ROUND_CONSTANTS = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
  0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
  0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
  0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
]);

/** Where the first lane of a state is, and how far the next. */
@inline
function firstLane(state: usize): usize {
  return PAIRS + (state < 2 ? state << 3 : SINGLE);
}

@inline
function laneStep(state: usize): usize {
  return state < 2 ? 16 : 8;
}

/** Sets a state to zeros. */
@inline
export function clearState(state: usize): void {
  const at = firstLane(state);
  for (let i: usize = 0; i < LANES; i++) store<u64>(at + i * laneStep(state), 0);
}

/** Writes the first 32 bytes of a state. */
@inline
export function writeHash(state: usize, target: usize): void {
  const at = firstLane(state);
  for (let i: usize = 0; i < 4; i++) store<u64>(target + (i << 3), load<u64>(at + i * laneStep(state)));
}

@inline
function pair(lane: usize, block0: usize, block1: usize): v128 {
  const state = v128.load(PAIRS + (lane << 4));
  if (lane >= RATE >> 3) return state;
  return v128.xor(state, v128.load64_lane(block1 + (lane << 3), v128.load64_zero(block0 + (lane << 3)), 1));
}

@inline
function single(lane: usize, block: usize): u64 {
  const state = load<u64>(PAIRS + SINGLE + (lane << 3));
  return lane >= RATE >> 3 ? state : state ^ load<u64>(block + (lane << 3));
}

@inline
function rotated(lanes: v128, bits: i32): v128 {
  return v128.or(i64x2.shl(lanes, bits), i64x2.shr_u(lanes, 64 - bits));
}

@inline
function sum(a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
  return v128.xor(v128.xor(v128.xor(a, b), v128.xor(c, d)), e);
}

@inline
function chi(a: v128, b: v128, c: v128): v128 {
  return v128.xor(a, v128.andnot(c, b));
}

/** Adds a block of {@link RATE} bytes to each state, and permutes all three. */
// Written out, two rounds a turn, so that the states lie in locals: pairs are called a and e, the lanes beside them s and t. Of these six are
// held inverted, which leaves 8 of the 25 inversions of a round (Keccak implementation overview, section 2.2); vectors invert for nothing.
export function absorb(block0: usize, block1: usize, block2: usize): void {
  let a0 = pair(0, block0, block1), s0 = single(0, block2);
  let a1 = pair(1, block0, block1), s1 = ~single(1, block2);
  let a2 = pair(2, block0, block1), s2 = ~single(2, block2);
  let a3 = pair(3, block0, block1), s3 = single(3, block2);
  let a4 = pair(4, block0, block1), s4 = single(4, block2);
  let a5 = pair(5, block0, block1), s5 = single(5, block2);
  let a6 = pair(6, block0, block1), s6 = single(6, block2);
  let a7 = pair(7, block0, block1), s7 = single(7, block2);
  let a8 = pair(8, block0, block1), s8 = ~single(8, block2);
  let a9 = pair(9, block0, block1), s9 = single(9, block2);
  let a10 = pair(10, block0, block1), s10 = single(10, block2);
  let a11 = pair(11, block0, block1), s11 = single(11, block2);
  let a12 = pair(12, block0, block1), s12 = ~single(12, block2);
  let a13 = pair(13, block0, block1), s13 = single(13, block2);
  let a14 = pair(14, block0, block1), s14 = single(14, block2);
  let a15 = pair(15, block0, block1), s15 = single(15, block2);
  let a16 = pair(16, block0, block1), s16 = single(16, block2);
  let a17 = pair(17, block0, block1), s17 = ~single(17, block2);
  let a18 = pair(18, block0, block1), s18 = single(18, block2);
  let a19 = pair(19, block0, block1), s19 = single(19, block2);
  let a20 = pair(20, block0, block1), s20 = ~single(20, block2);
  let a21 = pair(21, block0, block1), s21 = single(21, block2);
  let a22 = pair(22, block0, block1), s22 = single(22, block2);
  let a23 = pair(23, block0, block1), s23 = single(23, block2);
  let a24 = pair(24, block0, block1), s24 = single(24, block2);
  for (let round: usize = 0; round < 192; round += 16) {
    const c0 = sum(a0, a5, a10, a15, a20), cs0 = s0 ^ s5 ^ s10 ^ s15 ^ s20;
    const c1 = sum(a1, a6, a11, a16, a21), cs1 = s1 ^ s6 ^ s11 ^ s16 ^ s21;
    const c2 = sum(a2, a7, a12, a17, a22), cs2 = s2 ^ s7 ^ s12 ^ s17 ^ s22;
    const c3 = sum(a3, a8, a13, a18, a23), cs3 = s3 ^ s8 ^ s13 ^ s18 ^ s23;
    const c4 = sum(a4, a9, a14, a19, a24), cs4 = s4 ^ s9 ^ s14 ^ s19 ^ s24;
    const d0 = v128.xor(c4, rotated(c1, 1)), ds0 = cs4 ^ rotl<u64>(cs1, 1);
    const d1 = v128.xor(c0, rotated(c2, 1)), ds1 = cs0 ^ rotl<u64>(cs2, 1);
    const d2 = v128.xor(c1, rotated(c3, 1)), ds2 = cs1 ^ rotl<u64>(cs3, 1);
    const d3 = v128.xor(c2, rotated(c4, 1)), ds3 = cs2 ^ rotl<u64>(cs4, 1);
    const d4 = v128.xor(c3, rotated(c0, 1)), ds4 = cs3 ^ rotl<u64>(cs0, 1);
    const b0 = v128.xor(a0, d0), bs0 = s0 ^ ds0;
    const b1 = rotated(v128.xor(a6, d1), 44), bs1 = rotl<u64>(s6 ^ ds1, 44);
    const b2 = rotated(v128.xor(a12, d2), 43), bs2 = rotl<u64>(s12 ^ ds2, 43);
    const b3 = rotated(v128.xor(a18, d3), 21), bs3 = rotl<u64>(s18 ^ ds3, 21);
    const b4 = rotated(v128.xor(a24, d4), 14), bs4 = rotl<u64>(s24 ^ ds4, 14);
    const e0 = v128.xor(chi(b0, b1, b2), v128.load64_splat(ROUND_CONSTANTS + round)), t0 = bs0 ^ (bs1 | bs2) ^ load<u64>(ROUND_CONSTANTS + round);
    const e1 = chi(b1, b2, b3), t1 = bs1 ^ (~bs2 | bs3);
    const e2 = chi(b2, b3, b4), t2 = bs2 ^ (bs3 & bs4);
    const e3 = chi(b3, b4, b0), t3 = bs3 ^ (bs4 | bs0);
    const e4 = chi(b4, b0, b1), t4 = bs4 ^ (bs0 & bs1);
    const b5 = rotated(v128.xor(a3, d3), 28), bs5 = rotl<u64>(s3 ^ ds3, 28);
    const b6 = rotated(v128.xor(a9, d4), 20), bs6 = rotl<u64>(s9 ^ ds4, 20);
    const b7 = rotated(v128.xor(a10, d0), 3), bs7 = rotl<u64>(s10 ^ ds0, 3);
    const b8 = rotated(v128.xor(a16, d1), 45), bs8 = rotl<u64>(s16 ^ ds1, 45);
    const b9 = rotated(v128.xor(a22, d2), 61), bs9 = rotl<u64>(s22 ^ ds2, 61);
    const e5 = chi(b5, b6, b7), t5 = bs5 ^ (bs6 | bs7);
    const e6 = chi(b6, b7, b8), t6 = bs6 ^ (bs7 & bs8);
    const e7 = chi(b7, b8, b9), t7 = bs7 ^ (bs8 | ~bs9);
    const e8 = chi(b8, b9, b5), t8 = bs8 ^ (bs9 | bs5);
    const e9 = chi(b9, b5, b6), t9 = bs9 ^ (bs5 & bs6);
    const b10 = rotated(v128.xor(a1, d1), 1), bs10 = rotl<u64>(s1 ^ ds1, 1);
    const b11 = rotated(v128.xor(a7, d2), 6), bs11 = rotl<u64>(s7 ^ ds2, 6);
    const b12 = rotated(v128.xor(a13, d3), 25), bs12 = rotl<u64>(s13 ^ ds3, 25);
    const b13 = rotated(v128.xor(a19, d4), 8), bs13 = rotl<u64>(s19 ^ ds4, 8);
    const b14 = rotated(v128.xor(a20, d0), 18), bs14 = rotl<u64>(s20 ^ ds0, 18);
    const e10 = chi(b10, b11, b12), t10 = bs10 ^ (bs11 | bs12);
    const e11 = chi(b11, b12, b13), t11 = bs11 ^ (bs12 & bs13);
    const e12 = chi(b12, b13, b14), t12 = bs12 ^ (~bs13 & bs14);
    const e13 = chi(b13, b14, b10), t13 = ~bs13 ^ (bs14 | bs10);
    const e14 = chi(b14, b10, b11), t14 = bs14 ^ (bs10 & bs11);
    const b15 = rotated(v128.xor(a4, d4), 27), bs15 = rotl<u64>(s4 ^ ds4, 27);
    const b16 = rotated(v128.xor(a5, d0), 36), bs16 = rotl<u64>(s5 ^ ds0, 36);
    const b17 = rotated(v128.xor(a11, d1), 10), bs17 = rotl<u64>(s11 ^ ds1, 10);
    const b18 = rotated(v128.xor(a17, d2), 15), bs18 = rotl<u64>(s17 ^ ds2, 15);
    const b19 = rotated(v128.xor(a23, d3), 56), bs19 = rotl<u64>(s23 ^ ds3, 56);
    const e15 = chi(b15, b16, b17), t15 = bs15 ^ (bs16 & bs17);
    const e16 = chi(b16, b17, b18), t16 = bs16 ^ (bs17 | bs18);
    const e17 = chi(b17, b18, b19), t17 = bs17 ^ (~bs18 | bs19);
    const e18 = chi(b18, b19, b15), t18 = ~bs18 ^ (bs19 & bs15);
    const e19 = chi(b19, b15, b16), t19 = bs19 ^ (bs15 | bs16);
    const b20 = rotated(v128.xor(a2, d2), 62), bs20 = rotl<u64>(s2 ^ ds2, 62);
    const b21 = rotated(v128.xor(a8, d3), 55), bs21 = rotl<u64>(s8 ^ ds3, 55);
    const b22 = rotated(v128.xor(a14, d4), 39), bs22 = rotl<u64>(s14 ^ ds4, 39);
    const b23 = rotated(v128.xor(a15, d0), 41), bs23 = rotl<u64>(s15 ^ ds0, 41);
    const b24 = rotated(v128.xor(a21, d1), 2), bs24 = rotl<u64>(s21 ^ ds1, 2);
    const e20 = chi(b20, b21, b22), t20 = bs20 ^ (~bs21 & bs22);
    const e21 = chi(b21, b22, b23), t21 = ~bs21 ^ (bs22 | bs23);
    const e22 = chi(b22, b23, b24), t22 = bs22 ^ (bs23 & bs24);
    const e23 = chi(b23, b24, b20), t23 = bs23 ^ (bs24 | bs20);
    const e24 = chi(b24, b20, b21), t24 = bs24 ^ (bs20 & bs21);
    const g0 = sum(e0, e5, e10, e15, e20), gs0 = t0 ^ t5 ^ t10 ^ t15 ^ t20;
    const g1 = sum(e1, e6, e11, e16, e21), gs1 = t1 ^ t6 ^ t11 ^ t16 ^ t21;
    const g2 = sum(e2, e7, e12, e17, e22), gs2 = t2 ^ t7 ^ t12 ^ t17 ^ t22;
    const g3 = sum(e3, e8, e13, e18, e23), gs3 = t3 ^ t8 ^ t13 ^ t18 ^ t23;
    const g4 = sum(e4, e9, e14, e19, e24), gs4 = t4 ^ t9 ^ t14 ^ t19 ^ t24;
    const h0 = v128.xor(g4, rotated(g1, 1)), hs0 = gs4 ^ rotl<u64>(gs1, 1);
    const h1 = v128.xor(g0, rotated(g2, 1)), hs1 = gs0 ^ rotl<u64>(gs2, 1);
    const h2 = v128.xor(g1, rotated(g3, 1)), hs2 = gs1 ^ rotl<u64>(gs3, 1);
    const h3 = v128.xor(g2, rotated(g4, 1)), hs3 = gs2 ^ rotl<u64>(gs4, 1);
    const h4 = v128.xor(g3, rotated(g0, 1)), hs4 = gs3 ^ rotl<u64>(gs0, 1);
    const k0 = v128.xor(e0, h0), ks0 = t0 ^ hs0;
    const k1 = rotated(v128.xor(e6, h1), 44), ks1 = rotl<u64>(t6 ^ hs1, 44);
    const k2 = rotated(v128.xor(e12, h2), 43), ks2 = rotl<u64>(t12 ^ hs2, 43);
    const k3 = rotated(v128.xor(e18, h3), 21), ks3 = rotl<u64>(t18 ^ hs3, 21);
    const k4 = rotated(v128.xor(e24, h4), 14), ks4 = rotl<u64>(t24 ^ hs4, 14);
    a0 = v128.xor(chi(k0, k1, k2), v128.load64_splat(ROUND_CONSTANTS + round, 8));
    s0 = ks0 ^ (ks1 | ks2) ^ load<u64>(ROUND_CONSTANTS + round, 8);
    a1 = chi(k1, k2, k3);
    s1 = ks1 ^ (~ks2 | ks3);
    a2 = chi(k2, k3, k4);
    s2 = ks2 ^ (ks3 & ks4);
    a3 = chi(k3, k4, k0);
    s3 = ks3 ^ (ks4 | ks0);
    a4 = chi(k4, k0, k1);
    s4 = ks4 ^ (ks0 & ks1);
    const k5 = rotated(v128.xor(e3, h3), 28), ks5 = rotl<u64>(t3 ^ hs3, 28);
    const k6 = rotated(v128.xor(e9, h4), 20), ks6 = rotl<u64>(t9 ^ hs4, 20);
    const k7 = rotated(v128.xor(e10, h0), 3), ks7 = rotl<u64>(t10 ^ hs0, 3);
    const k8 = rotated(v128.xor(e16, h1), 45), ks8 = rotl<u64>(t16 ^ hs1, 45);
    const k9 = rotated(v128.xor(e22, h2), 61), ks9 = rotl<u64>(t22 ^ hs2, 61);
    a5 = chi(k5, k6, k7);
    s5 = ks5 ^ (ks6 | ks7);
    a6 = chi(k6, k7, k8);
    s6 = ks6 ^ (ks7 & ks8);
    a7 = chi(k7, k8, k9);
    s7 = ks7 ^ (ks8 | ~ks9);
    a8 = chi(k8, k9, k5);
    s8 = ks8 ^ (ks9 | ks5);
    a9 = chi(k9, k5, k6);
    s9 = ks9 ^ (ks5 & ks6);
    const k10 = rotated(v128.xor(e1, h1), 1), ks10 = rotl<u64>(t1 ^ hs1, 1);
    const k11 = rotated(v128.xor(e7, h2), 6), ks11 = rotl<u64>(t7 ^ hs2, 6);
    const k12 = rotated(v128.xor(e13, h3), 25), ks12 = rotl<u64>(t13 ^ hs3, 25);
    const k13 = rotated(v128.xor(e19, h4), 8), ks13 = rotl<u64>(t19 ^ hs4, 8);
    const k14 = rotated(v128.xor(e20, h0), 18), ks14 = rotl<u64>(t20 ^ hs0, 18);
    a10 = chi(k10, k11, k12);
    s10 = ks10 ^ (ks11 | ks12);
    a11 = chi(k11, k12, k13);
    s11 = ks11 ^ (ks12 & ks13);
    a12 = chi(k12, k13, k14);
    s12 = ks12 ^ (~ks13 & ks14);
    a13 = chi(k13, k14, k10);
    s13 = ~ks13 ^ (ks14 | ks10);
    a14 = chi(k14, k10, k11);
    s14 = ks14 ^ (ks10 & ks11);
    const k15 = rotated(v128.xor(e4, h4), 27), ks15 = rotl<u64>(t4 ^ hs4, 27);
    const k16 = rotated(v128.xor(e5, h0), 36), ks16 = rotl<u64>(t5 ^ hs0, 36);
    const k17 = rotated(v128.xor(e11, h1), 10), ks17 = rotl<u64>(t11 ^ hs1, 10);
    const k18 = rotated(v128.xor(e17, h2), 15), ks18 = rotl<u64>(t17 ^ hs2, 15);
    const k19 = rotated(v128.xor(e23, h3), 56), ks19 = rotl<u64>(t23 ^ hs3, 56);
    a15 = chi(k15, k16, k17);
    s15 = ks15 ^ (ks16 & ks17);
    a16 = chi(k16, k17, k18);
    s16 = ks16 ^ (ks17 | ks18);
    a17 = chi(k17, k18, k19);
    s17 = ks17 ^ (~ks18 | ks19);
    a18 = chi(k18, k19, k15);
    s18 = ~ks18 ^ (ks19 & ks15);
    a19 = chi(k19, k15, k16);
    s19 = ks19 ^ (ks15 | ks16);
    const k20 = rotated(v128.xor(e2, h2), 62), ks20 = rotl<u64>(t2 ^ hs2, 62);
    const k21 = rotated(v128.xor(e8, h3), 55), ks21 = rotl<u64>(t8 ^ hs3, 55);
    const k22 = rotated(v128.xor(e14, h4), 39), ks22 = rotl<u64>(t14 ^ hs4, 39);
    const k23 = rotated(v128.xor(e15, h0), 41), ks23 = rotl<u64>(t15 ^ hs0, 41);
    const k24 = rotated(v128.xor(e21, h1), 2), ks24 = rotl<u64>(t21 ^ hs1, 2);
    a20 = chi(k20, k21, k22);
    s20 = ks20 ^ (~ks21 & ks22);
    a21 = chi(k21, k22, k23);
    s21 = ~ks21 ^ (ks22 | ks23);
    a22 = chi(k22, k23, k24);
    s22 = ks22 ^ (ks23 & ks24);
    a23 = chi(k23, k24, k20);
    s23 = ks23 ^ (ks24 | ks20);
    a24 = chi(k24, k20, k21);
    s24 = ks24 ^ (ks20 & ks21);
  }
  v128.store(PAIRS, a0, 0);
  store<u64>(PAIRS, s0, SINGLE + 0);
  v128.store(PAIRS, a1, 16);
  store<u64>(PAIRS, ~s1, SINGLE + 8);
  v128.store(PAIRS, a2, 32);
  store<u64>(PAIRS, ~s2, SINGLE + 16);
  v128.store(PAIRS, a3, 48);
  store<u64>(PAIRS, s3, SINGLE + 24);
  v128.store(PAIRS, a4, 64);
  store<u64>(PAIRS, s4, SINGLE + 32);
  v128.store(PAIRS, a5, 80);
  store<u64>(PAIRS, s5, SINGLE + 40);
  v128.store(PAIRS, a6, 96);
  store<u64>(PAIRS, s6, SINGLE + 48);
  v128.store(PAIRS, a7, 112);
  store<u64>(PAIRS, s7, SINGLE + 56);
  v128.store(PAIRS, a8, 128);
  store<u64>(PAIRS, ~s8, SINGLE + 64);
  v128.store(PAIRS, a9, 144);
  store<u64>(PAIRS, s9, SINGLE + 72);
  v128.store(PAIRS, a10, 160);
  store<u64>(PAIRS, s10, SINGLE + 80);
  v128.store(PAIRS, a11, 176);
  store<u64>(PAIRS, s11, SINGLE + 88);
  v128.store(PAIRS, a12, 192);
  store<u64>(PAIRS, ~s12, SINGLE + 96);
  v128.store(PAIRS, a13, 208);
  store<u64>(PAIRS, s13, SINGLE + 104);
  v128.store(PAIRS, a14, 224);
  store<u64>(PAIRS, s14, SINGLE + 112);
  v128.store(PAIRS, a15, 240);
  store<u64>(PAIRS, s15, SINGLE + 120);
  v128.store(PAIRS, a16, 256);
  store<u64>(PAIRS, s16, SINGLE + 128);
  v128.store(PAIRS, a17, 272);
  store<u64>(PAIRS, ~s17, SINGLE + 136);
  v128.store(PAIRS, a18, 288);
  store<u64>(PAIRS, s18, SINGLE + 144);
  v128.store(PAIRS, a19, 304);
  store<u64>(PAIRS, s19, SINGLE + 152);
  v128.store(PAIRS, a20, 320);
  store<u64>(PAIRS, ~s20, SINGLE + 160);
  v128.store(PAIRS, a21, 336);
  store<u64>(PAIRS, s21, SINGLE + 168);
  v128.store(PAIRS, a22, 352);
  store<u64>(PAIRS, s22, SINGLE + 176);
  v128.store(PAIRS, a23, 368);
  store<u64>(PAIRS, s23, SINGLE + 184);
  v128.store(PAIRS, a24, 384);
  store<u64>(PAIRS, s24, SINGLE + 192);
}
