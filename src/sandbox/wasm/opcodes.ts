/**
 * The instructions that a module may hold, as tables for a single pass over its code: what follows an opcode, what it takes from
 * the stack and puts there, and what it does with the bits of floats (WebAssembly core specification 2.0, chapter 5.4). What is
 * not in the tables is refused by name.
 */

/** Number of an instruction in the tables: its opcode, or 0x100 and 0x200 plus the number behind the prefixes 0xfc and 0xfd. */
export const PREFIX_MISC = 0x100;
export const PREFIX_SIMD = 0x200;
const TABLE_SIZE = 0x300;

/** What stands behind an opcode. */
export const IMMEDIATE = {
  none: 0,
  /** One unsigned number. */
  index: 1,
  /** A signed number of any length: i32.const, i64.const. */
  signed: 2,
  float32: 3,
  float64: 4,
  /** Alignment and offset. */
  memory: 5,
  /** Two unsigned numbers. */
  indices: 6,
  /** 16 bytes. */
  bytes16: 7,
  lane: 8,
  /** Alignment, offset and lane. */
  memoryLane: 9,
  /** Read by the instruction's own case. */
  own: 10,
} as const;

/** Types of values as the tables have them. */
export const TYPE = { none: 0, i32: 1, i64: 2, f32: 3, f64: 4, v128: 5, reference: 6 } as const;

/** What an instruction does with the bits of the floats it takes. */
export const FLOW = {
  /** It takes none. */
  none: 0,
  /** They can be seen afterwards: stored, reinterpreted, combined as integers. */
  escape: 1,
  /** They only decide something that is the same for every NaN. */
  safe: 2,
  /** The result is new: a NaN in it has bits that depend on the machine. */
  arithmetic: 3,
  /** Integers are converted: their bits are seen, and the result is never NaN. */
  number: 4,
  /** The result has the bits of an operand, but for the sign. */
  pass: 5,
  /** As `pass`, and the sign of the second operand can be seen. */
  copysign: 6,
  /** A constant. */
  constant: 7,
} as const;

/** Instructions that the decoder treats one by one. */
export const SPECIAL = {
  none: 0,
  unreachable: 1,
  block: 2,
  loop: 3,
  if: 4,
  else: 5,
  end: 6,
  br: 7,
  brIf: 8,
  brTable: 9,
  return: 10,
  call: 11,
  callIndirect: 12,
  returnCall: 13,
  returnCallIndirect: 14,
  drop: 15,
  select: 16,
  selectTyped: 17,
  localGet: 18,
  localSet: 19,
  localTee: 20,
  globalGet: 21,
  globalSet: 22,
  tableGet: 23,
  memoryGrow: 24,
  tableGrow: 25,
  bulkMemory: 26,
  bulkTable: 27,
  refNull: 28,
  refFunc: 29,
  dropSegment: 30,
  tableSet: 31,
} as const;

const immediates = new Uint8Array(TABLE_SIZE);
const pops = new Uint8Array(TABLE_SIZE);
const pushes = new Uint8Array(TABLE_SIZE);
const flows = new Uint8Array(TABLE_SIZE);
/** Width of the floats that an instruction takes as safe operands, and of those it makes: 32 or 64, else 0. */
const widthsIn = new Uint8Array(TABLE_SIZE);
const widthsOut = new Uint8Array(TABLE_SIZE);
const specials = new Uint8Array(TABLE_SIZE);
const allowed = new Uint8Array(TABLE_SIZE);

/** The tables, by number of the instruction. */
export const OPCODES = { immediates, pops, pushes, flows, widthsIn, widthsOut, specials, allowed } as const;

interface Entry {
  readonly immediate?: number;
  readonly pops?: number;
  readonly push?: number;
  readonly flow?: number;
  /** Width of floats, taken and made. */
  readonly width?: number;
  readonly widthOut?: number;
  readonly special?: number;
}

/** Enters instructions `first` to `last`, both included. */
function enter(first: number, last: number, entry: Entry): void {
  for (let op = first; op <= last; op++) {
    allowed[op] = 1;
    immediates[op] = entry.immediate ?? IMMEDIATE.none;
    pops[op] = entry.pops ?? 0;
    pushes[op] = entry.push ?? TYPE.none;
    flows[op] = entry.flow ?? FLOW.none;
    widthsIn[op] = entry.width ?? 0;
    widthsOut[op] = entry.widthOut ?? entry.width ?? 0;
    specials[op] = entry.special ?? SPECIAL.none;
  }
}

const { i32, i64, f32, f64, v128, reference } = TYPE;
const { index, memory, own } = IMMEDIATE;

function enterControl(): void {
  const at = (op: number, special: number, entry: Entry = {}): void =>
    enter(op, op, { immediate: own, ...entry, special });
  at(0x00, SPECIAL.unreachable, { immediate: IMMEDIATE.none });
  enter(0x01, 0x01, {});
  at(0x02, SPECIAL.block);
  at(0x03, SPECIAL.loop);
  at(0x04, SPECIAL.if);
  at(0x05, SPECIAL.else, { immediate: IMMEDIATE.none });
  at(0x0b, SPECIAL.end, { immediate: IMMEDIATE.none });
  at(0x0c, SPECIAL.br);
  at(0x0d, SPECIAL.brIf);
  at(0x0e, SPECIAL.brTable);
  at(0x0f, SPECIAL.return, { immediate: IMMEDIATE.none });
  at(0x10, SPECIAL.call);
  at(0x11, SPECIAL.callIndirect);
  at(0x12, SPECIAL.returnCall);
  at(0x13, SPECIAL.returnCallIndirect);
  at(0x1a, SPECIAL.drop, { immediate: IMMEDIATE.none });
  at(0x1b, SPECIAL.select, { immediate: IMMEDIATE.none });
  at(0x1c, SPECIAL.selectTyped);
  at(0x20, SPECIAL.localGet);
  at(0x21, SPECIAL.localSet);
  at(0x22, SPECIAL.localTee);
  at(0x23, SPECIAL.globalGet);
  at(0x24, SPECIAL.globalSet);
  enter(0x25, 0x25, { immediate: index, pops: 1, push: reference, special: SPECIAL.tableGet });
  enter(0x26, 0x26, { immediate: index, pops: 2, special: SPECIAL.tableSet });
  at(0xd0, SPECIAL.refNull);
  enter(0xd1, 0xd1, { pops: 1, push: i32 });
  at(0xd2, SPECIAL.refFunc);
}

function enterMemory(): void {
  const load = (first: number, last: number, push: number): void =>
    enter(first, last, { immediate: memory, pops: 1, push });
  load(0x28, 0x28, i32);
  load(0x29, 0x29, i64);
  load(0x2a, 0x2a, f32);
  load(0x2b, 0x2b, f64);
  load(0x2c, 0x2f, i32);
  load(0x30, 0x35, i64);
  enter(0x36, 0x37, { immediate: memory, pops: 2 });
  enter(0x38, 0x39, { immediate: memory, pops: 2, flow: FLOW.escape });
  enter(0x3a, 0x3e, { immediate: memory, pops: 2 });
  enter(0x3f, 0x3f, { immediate: index, push: i32 });
  enter(0x40, 0x40, { immediate: index, pops: 1, push: i32, special: SPECIAL.memoryGrow });
  const misc = (number: number, entry: Entry): void => enter(PREFIX_MISC + number, PREFIX_MISC + number, entry);
  misc(8, { immediate: IMMEDIATE.indices, pops: 3, special: SPECIAL.bulkMemory });
  misc(9, { immediate: index, special: SPECIAL.dropSegment });
  misc(10, { immediate: IMMEDIATE.indices, pops: 3, special: SPECIAL.bulkMemory });
  misc(11, { immediate: index, pops: 3, special: SPECIAL.bulkMemory });
  misc(12, { immediate: IMMEDIATE.indices, pops: 3, special: SPECIAL.bulkTable });
  misc(13, { immediate: index, special: SPECIAL.dropSegment });
  misc(14, { immediate: IMMEDIATE.indices, pops: 3, special: SPECIAL.bulkTable });
  misc(15, { immediate: index, pops: 2, push: i32, special: SPECIAL.tableGrow });
  misc(16, { immediate: index, push: i32 });
  misc(17, { immediate: index, pops: 3, special: SPECIAL.bulkTable });
}

function enterNumbers(): void {
  enter(0x41, 0x41, { immediate: IMMEDIATE.signed, push: i32 });
  enter(0x42, 0x42, { immediate: IMMEDIATE.signed, push: i64 });
  enter(0x43, 0x43, { immediate: IMMEDIATE.float32, push: f32, flow: FLOW.constant, width: 32 });
  enter(0x44, 0x44, { immediate: IMMEDIATE.float64, push: f64, flow: FLOW.constant, width: 64 });
  enter(0x45, 0x45, { pops: 1, push: i32 });
  enter(0x46, 0x4f, { pops: 2, push: i32 });
  enter(0x50, 0x50, { pops: 1, push: i32 });
  enter(0x51, 0x5a, { pops: 2, push: i32 });
  enter(0x5b, 0x60, { pops: 2, push: i32, flow: FLOW.safe, width: 32 });
  enter(0x61, 0x66, { pops: 2, push: i32, flow: FLOW.safe, width: 64 });
  enter(0x67, 0x69, { pops: 1, push: i32 });
  enter(0x6a, 0x78, { pops: 2, push: i32 });
  enter(0x79, 0x7b, { pops: 1, push: i64 });
  enter(0x7c, 0x8a, { pops: 2, push: i64 });
  for (const [base, push, width] of [
    [0x8b, f32, 32],
    [0x99, f64, 64],
  ] as const) {
    enter(base, base + 1, { pops: 1, push, flow: FLOW.pass, width });
    enter(base + 2, base + 6, { pops: 1, push, flow: FLOW.arithmetic, width });
    enter(base + 7, base + 12, { pops: 2, push, flow: FLOW.arithmetic, width });
    enter(base + 13, base + 13, { pops: 2, push, flow: FLOW.copysign, width });
  }
  enterConversions();
}

function enterConversions(): void {
  const safe = FLOW.safe;
  enter(0xa7, 0xa7, { pops: 1, push: i32 });
  enter(0xa8, 0xa9, { pops: 1, push: i32, flow: safe, width: 32 });
  enter(0xaa, 0xab, { pops: 1, push: i32, flow: safe, width: 64 });
  enter(0xac, 0xad, { pops: 1, push: i64 });
  enter(0xae, 0xaf, { pops: 1, push: i64, flow: safe, width: 32 });
  enter(0xb0, 0xb1, { pops: 1, push: i64, flow: safe, width: 64 });
  enter(0xb2, 0xb5, { pops: 1, push: f32, flow: FLOW.number, width: 32 });
  enter(0xb6, 0xb6, { pops: 1, push: f32, flow: FLOW.arithmetic, width: 64, widthOut: 32 });
  enter(0xb7, 0xba, { pops: 1, push: f64, flow: FLOW.number, width: 64 });
  enter(0xbb, 0xbb, { pops: 1, push: f64, flow: FLOW.arithmetic, width: 32, widthOut: 64 });
  enter(0xbc, 0xbc, { pops: 1, push: i32, flow: FLOW.escape });
  enter(0xbd, 0xbd, { pops: 1, push: i64, flow: FLOW.escape });
  enter(0xbe, 0xbe, { pops: 1, push: f32 });
  enter(0xbf, 0xbf, { pops: 1, push: f64 });
  enter(0xc0, 0xc1, { pops: 1, push: i32 });
  enter(0xc2, 0xc4, { pops: 1, push: i64 });
  enter(PREFIX_MISC, PREFIX_MISC + 1, { pops: 1, push: i32, flow: safe, width: 32 });
  enter(PREFIX_MISC + 2, PREFIX_MISC + 3, { pops: 1, push: i32, flow: safe, width: 64 });
  enter(PREFIX_MISC + 4, PREFIX_MISC + 5, { pops: 1, push: i64, flow: safe, width: 32 });
  enter(PREFIX_MISC + 6, PREFIX_MISC + 7, { pops: 1, push: i64, flow: safe, width: 64 });
}

function vectors(first: number, last: number, entry: Entry): void {
  enter(PREFIX_SIMD + first, PREFIX_SIMD + last, entry);
}

/** Vectors are bits to most instructions: what those take is seen. */
function vectorsSeen(first: number, last: number, count: number, push: number, immediate: number = 0): void {
  vectors(first, last, { pops: count, push, flow: FLOW.escape, immediate });
}

function enterVectors(): void {
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

enterControl();
enterMemory();
enterNumbers();
enterVectors();

/** What an instruction that is refused belongs to. */
export function refusedFeature(prefix: number, number: number): string {
  if (prefix === 0xfe) return "threads and atomics";
  if (prefix === 0xfb) return "garbage collection";
  if (prefix === 0xfd && number >= 0x100) return "relaxed SIMD";
  if ((number >= 0x06 && number <= 0x0a) || (number >= 0x18 && number <= 0x19) || number === 0x1f) return "exceptions";
  if (prefix === 0 && number >= 0x14 && number <= 0x15) return "typed function references";
  if (prefix === 0 && number >= 0xd3 && number <= 0xd6) return "typed function references";
  if (prefix === 0xfc && number >= 19 && number <= 22) return "wide arithmetic";
  return "an unknown extension";
}
