import { type Entry, enter, FLOW, IMMEDIATE, PREFIX_SIMD, TYPE } from "./opcode-tables.ts";

const { i32, i64, f32, f64, v128 } = TYPE;
const { memory } = IMMEDIATE;

function vectors(first: number, last: number, entry: Entry): void {
  enter(PREFIX_SIMD + first, PREFIX_SIMD + last, entry);
}

/** Vectors are bits to most instructions: what those take is seen. */
function vectorsSeen(first: number, last: number, count: number, push: number, immediate: number = 0): void {
  vectors(first, last, { pops: count, push, flow: FLOW.escape, immediate });
}

/** Enters the instructions on vectors (5.4.9). */
export function enterVectors(): void {
  vectors(0, 10, { immediate: memory, pops: 1, push: v128 });
  vectorsSeen(11, 11, 2, TYPE.none, memory);
  vectors(12, 12, { immediate: IMMEDIATE.bytes16, push: v128, flow: FLOW.constant });
  vectorsSeen(13, 13, 2, v128, IMMEDIATE.bytes16);
  vectorsSeen(14, 14, 2, v128);
  vectors(15, 18, { pops: 1, push: v128 });
  vectors(19, 19, { pops: 1, push: v128, flow: FLOW.pass, width: 32 });
  vectors(20, 20, { pops: 1, push: v128, flow: FLOW.pass, width: 64 });
  for (const [extract, last, push] of [
    [21, 22, i32],
    [24, 25, i32],
    [27, 27, i32],
    [29, 29, i64],
  ] as const) {
    vectorsSeen(extract, last, 1, push, IMMEDIATE.lane);
    vectorsSeen(last + 1, last + 1, 2, v128, IMMEDIATE.lane);
  }
  vectors(31, 31, { immediate: IMMEDIATE.lane, pops: 1, push: f32, flow: FLOW.pass, width: 32 });
  vectors(33, 33, { immediate: IMMEDIATE.lane, pops: 1, push: f64, flow: FLOW.pass, width: 64 });
  vectorsSeen(32, 32, 2, v128, IMMEDIATE.lane);
  vectorsSeen(34, 34, 2, v128, IMMEDIATE.lane);
  vectorsSeen(35, 64, 2, v128);
  vectors(65, 70, { pops: 2, push: v128, flow: FLOW.safe, width: 32 });
  vectors(71, 76, { pops: 2, push: v128, flow: FLOW.safe, width: 64 });
  vectorsSeen(77, 77, 1, v128);
  vectorsSeen(78, 81, 2, v128);
  vectorsSeen(82, 82, 3, v128);
  vectorsSeen(83, 83, 1, i32);
  vectorsSeen(84, 87, 2, v128, IMMEDIATE.memoryLane);
  vectorsSeen(88, 91, 2, TYPE.none, IMMEDIATE.memoryLane);
  vectors(92, 93, { immediate: memory, pops: 1, push: v128 });
  enterVectorIntegers();
  enterVectorFloats();
}

function enterVectorIntegers(): void {
  const unary = [96, 97, 98, 124, 125, 126, 127, 128, 129, 135, 136, 137, 138, 160, 161, 167, 168, 169, 170];
  unary.push(192, 193, 199, 200, 201, 202);
  for (const op of unary) vectorsSeen(op, op, 1, v128);
  for (const op of [99, 100, 131, 132, 163, 164, 195, 196]) vectorsSeen(op, op, 1, i32);
  const binary = [
    [101, 102],
    [107, 115],
    [118, 121],
    [123, 123],
    [130, 130],
    [133, 134],
    [139, 147],
    [149, 153],
    [155, 159],
    [171, 174],
    [177, 177],
    [181, 186],
    [188, 191],
    [203, 206],
    [209, 209],
    [213, 223],
  ] as const;
  for (const [first, last] of binary) vectorsSeen(first, last, 2, v128);
}

function enterVectorFloats(): void {
  const arithmetic = (first: number, last: number, count: number, width: number, widthOut = width): void =>
    vectors(first, last, { pops: count, push: v128, flow: FLOW.arithmetic, width, widthOut });
  arithmetic(94, 94, 1, 64, 32);
  arithmetic(95, 95, 1, 32, 64);
  arithmetic(103, 106, 1, 32);
  arithmetic(116, 117, 1, 64);
  arithmetic(122, 122, 1, 64);
  arithmetic(148, 148, 1, 64);
  for (const [base, width] of [
    [224, 32],
    [236, 64],
  ] as const) {
    vectors(base, base + 1, { pops: 1, push: v128, flow: FLOW.pass, width });
    arithmetic(base + 3, base + 3, 1, width);
    arithmetic(base + 4, base + 9, 2, width);
    vectors(base + 10, base + 11, { pops: 2, push: v128, flow: FLOW.pass, width });
  }
  vectors(248, 249, { pops: 1, push: v128, flow: FLOW.safe, width: 32 });
  vectors(250, 251, { pops: 1, push: v128, flow: FLOW.number, width: 32 });
  vectors(252, 253, { pops: 1, push: v128, flow: FLOW.safe, width: 64 });
  vectors(254, 255, { pops: 1, push: v128, flow: FLOW.number, width: 64 });
}
