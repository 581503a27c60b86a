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

/** What the tables say of an instruction; what is left out is none. */
export interface Entry {
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
export function enter(first: number, last: number, entry: Entry): void {
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
