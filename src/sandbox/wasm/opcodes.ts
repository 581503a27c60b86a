import { type Entry, enter, FLOW, IMMEDIATE, PREFIX_MISC, SPECIAL, TYPE } from "./opcode-tables.ts";
import { enterVectors } from "./vector-opcodes.ts";

export { FLOW, IMMEDIATE, OPCODES, PREFIX_MISC, PREFIX_SIMD, SPECIAL, TYPE } from "./opcode-tables.ts";

const { i32, i64, f32, f64, reference } = TYPE;
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
