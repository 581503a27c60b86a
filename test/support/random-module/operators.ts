import { F32, F64, I32, I64, V128 } from "./instruction.ts";

/** An instruction on numbers: what it takes, and how many lanes its immediate may name. */
export interface Operator {
  readonly op: number;
  readonly takes: readonly number[];
  readonly lanes?: number;
  /** It can trap. */
  readonly traps?: boolean;
  /** It changes or copies signs: the sign of a NaN may differ from what an eager machine has. */
  readonly signs?: boolean;
}

function range(first: number, last: number, takes: readonly number[], more: Partial<Operator> = {}): Operator[] {
  return Array.from({ length: last - first + 1 }, (_, i) => ({ op: first + i, takes, ...more }));
}

const lane = (op: number, lanes: number, ...takes: number[]): Operator => ({ op: 0x200 + op, takes, lanes });
const vectors = (first: number, last: number, takes: readonly number[], more: Partial<Operator> = {}): Operator[] =>
  range(0x200 + first, 0x200 + last, takes, more);
const V1 = [V128];
const V2 = [V128, V128];
const traps = { traps: true };
const signs = { signs: true };

/** Operators by the type of their result. */
export const OPERATORS: Readonly<Record<number, readonly Operator[]>> = {
  [I32]: [
    ...range(0x45, 0x45, [I32]),
    ...range(0x46, 0x4f, [I32, I32]),
    ...range(0x50, 0x50, [I64]),
    ...range(0x51, 0x5a, [I64, I64]),
    ...range(0x5b, 0x60, [F32, F32]),
    ...range(0x61, 0x66, [F64, F64]),
    ...range(0x67, 0x69, [I32]),
    ...range(0x6a, 0x6c, [I32, I32]),
    ...range(0x6d, 0x70, [I32, I32], traps),
    ...range(0x71, 0x78, [I32, I32]),
    ...range(0xa7, 0xa7, [I64]),
    ...range(0xa8, 0xa9, [F32], traps),
    ...range(0xaa, 0xab, [F64], traps),
    ...range(0xbc, 0xbc, [F32]),
    ...range(0xc0, 0xc1, [I32]),
    ...range(0x100, 0x101, [F32]),
    ...range(0x102, 0x103, [F64]),
    ...[83, 99, 100, 131, 132, 163, 164, 195, 196].map((op) => ({ op: 0x200 + op, takes: V1 })),
    lane(21, 16, V128),
    lane(22, 16, V128),
    lane(24, 8, V128),
    lane(25, 8, V128),
    lane(27, 4, V128),
  ],
  [I64]: [
    ...range(0x79, 0x7b, [I64]),
    ...range(0x7c, 0x7e, [I64, I64]),
    ...range(0x7f, 0x82, [I64, I64], traps),
    ...range(0x83, 0x8a, [I64, I64]),
    ...range(0xac, 0xad, [I32]),
    ...range(0xae, 0xaf, [F32], traps),
    ...range(0xb0, 0xb1, [F64], traps),
    ...range(0xbd, 0xbd, [F64]),
    ...range(0xc2, 0xc4, [I64]),
    ...range(0x104, 0x105, [F32]),
    ...range(0x106, 0x107, [F64]),
    lane(29, 2, V128),
  ],
  [F32]: [
    ...range(0x8b, 0x8c, [F32], signs),
    ...range(0x8d, 0x91, [F32]),
    ...range(0x92, 0x97, [F32, F32]),
    ...range(0x98, 0x98, [F32, F32], signs),
    ...range(0xb2, 0xb3, [I32]),
    ...range(0xb4, 0xb5, [I64]),
    ...range(0xb6, 0xb6, [F64]),
    ...range(0xbe, 0xbe, [I32]),
    lane(31, 4, V128),
  ],
  [F64]: [
    ...range(0x99, 0x9a, [F64], signs),
    ...range(0x9b, 0x9f, [F64]),
    ...range(0xa0, 0xa5, [F64, F64]),
    ...range(0xa6, 0xa6, [F64, F64], signs),
    ...range(0xb7, 0xb8, [I32]),
    ...range(0xb9, 0xba, [I64]),
    ...range(0xbb, 0xbb, [F32]),
    ...range(0xbf, 0xbf, [I64]),
    lane(33, 2, V128),
  ],
  [V128]: [
    ...vectors(14, 14, V2),
    ...vectors(15, 17, [I32]),
    ...vectors(18, 18, [I64]),
    ...vectors(19, 19, [F32]),
    ...vectors(20, 20, [F64]),
    lane(23, 16, V128, I32),
    lane(26, 8, V128, I32),
    lane(28, 4, V128, I32),
    lane(30, 2, V128, I64),
    lane(32, 4, V128, F32),
    lane(34, 2, V128, F64),
    ...vectors(35, 76, V2),
    ...vectors(77, 77, V1),
    ...vectors(78, 81, V2),
    ...vectors(82, 82, [V128, V128, V128]),
    ...[
      94, 95, 96, 97, 98, 103, 104, 105, 106, 116, 117, 122, 124, 128, 129, 135, 138, 148, 160, 161, 170, 192, 193, 202,
    ]
      .concat([227, 239, 248, 249, 250, 251, 252, 253, 254, 255])
      .map((op) => ({ op: 0x200 + op, takes: V1 })),
    ...vectors(224, 225, V1, signs),
    ...vectors(236, 237, V1, signs),
    ...vectors(107, 109, [V128, I32]),
    ...vectors(110, 115, V2),
    ...vectors(130, 130, V2),
    ...vectors(139, 141, [V128, I32]),
    ...vectors(149, 153, V2),
    ...vectors(186, 186, V2),
    ...vectors(203, 205, [V128, I32]),
    ...vectors(213, 223, V2),
    // Float arithmetic more often than its share.
    ...Array.from({ length: 3 }, () => [...vectors(228, 235, V2), ...vectors(240, 247, V2)]).flat(),
  ],
};

/** Loads and stores by the type of the value: opcode, largest alignment, and lanes where there are any. */
export const LOADS: Readonly<Record<number, readonly (readonly [op: number, align: number])[]>> = {
  [I32]: [
    [0x28, 2],
    [0x2c, 0],
    [0x2f, 1],
  ],
  [I64]: [
    [0x29, 3],
    [0x30, 0],
    [0x35, 2],
  ],
  [F32]: [[0x2a, 2]],
  [F64]: [[0x2b, 3]],
  [V128]: [
    [0x200, 4],
    [0x201, 3],
    [0x207, 0],
    [0x209, 2],
    [0x25c, 2],
    [0x25d, 3],
  ],
};
export const STORES: Readonly<Record<number, readonly (readonly [op: number, align: number])[]>> = {
  [I32]: [
    [0x36, 2],
    [0x3a, 0],
  ],
  [I64]: [
    [0x37, 3],
    [0x3e, 2],
  ],
  [F32]: [[0x38, 2]],
  [F64]: [[0x39, 3]],
  [V128]: [[0x20b, 4]],
};
