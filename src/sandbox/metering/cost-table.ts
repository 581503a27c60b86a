import { PREFIX_MISC, PREFIX_SIMD } from "../wasm/opcodes.ts";

/**
 * Name of the prices below. A statement names it, since fuel means nothing without it: any change of a price, or of how charges
 * are placed and checked, needs a new number.
 */
export const COST_TABLE = "ipdm-cost/2";

/**
 * Fuel by instruction, in units of about one simple arithmetic instruction of compiled code. Prices follow the time that V8's code
 * takes, not the number of instructions: a flat price lets the work behind a unit differ eightfold. What compiles to nothing by
 * itself (constants, reading a local) is free, and is paid for by what takes its value from the stack.
 */
export const COSTS = new Uint16Array(0x300);

/** Fuel for memory.grow, for each page of 64 KiB, which the host clears. */
export const COST_PER_PAGE = 8192;
/** Fuel for bulk instructions on memory: one unit for 2^3 bytes. */
export const BYTES_SHIFT = 3;
/** Fuel for bulk instructions on tables: 2^1 units for an element. */
export const ELEMENT_SHIFT = 1;
/** Fuel for entering a function, besides its instructions. */
export const COST_ENTRY = 2;

function price(first: number, last: number, cost: number): void {
  COSTS.fill(cost, first, last + 1);
}

price(0x00, 0x02, 0);
price(0x03, 0x03, 1); // loop: entering it; a turn pays for the branch back
price(0x04, 0x04, 2);
price(0x0c, 0x0c, 1);
price(0x0d, 0x0d, 2);
price(0x0e, 0x0e, 4);
price(0x0f, 0x0f, 1);
price(0x10, 0x10, 6);
price(0x11, 0x11, 10);
price(0x12, 0x12, 6);
price(0x13, 0x13, 10);
price(0x1a, 0x1a, 1); // drop
price(0x1b, 0x1c, 2);
price(0x21, 0x21, 1); // local.set
price(0x23, 0x24, 2);
price(0x25, 0x26, 4);
price(0x28, 0x3e, 2); // loads and stores
price(0x3f, 0x3f, 2);
price(0x40, 0x40, 1024);
price(0x45, 0x66, 1); // comparisons
price(0x5b, 0x66, 2);
price(0x67, 0x69, 2); // clz, ctz, popcnt
price(0x6a, 0x6b, 1);
price(0x6c, 0x6c, 3);
price(0x6d, 0x70, 16);
price(0x71, 0x78, 1);
price(0x79, 0x7b, 2);
price(0x7c, 0x7d, 1);
price(0x7e, 0x7e, 3);
price(0x7f, 0x82, 20);
price(0x83, 0x8a, 1);
for (const base of [0x8b, 0x99]) {
  price(base, base + 1, 1);
  price(base + 2, base + 5, 4); // rounding
  price(base + 6, base + 6, 14); // square root
  price(base + 7, base + 9, 2);
  price(base + 10, base + 10, 10); // division
  price(base + 11, base + 12, 6);
  price(base + 13, base + 13, 2);
}
price(0xa7, 0xa7, 1);
price(0xa8, 0xab, 4);
price(0xac, 0xad, 1);
price(0xae, 0xb1, 6);
price(0xb2, 0xbb, 3);
price(0xbc, 0xc4, 1);
price(0xd1, 0xd2, 2);

price(PREFIX_MISC, PREFIX_MISC + 7, 6);
price(PREFIX_MISC + 8, PREFIX_MISC + 14, 32);
price(PREFIX_MISC + 15, PREFIX_MISC + 15, 128);
price(PREFIX_MISC + 16, PREFIX_MISC + 16, 2);
price(PREFIX_MISC + 17, PREFIX_MISC + 17, 32);

price(PREFIX_SIMD, PREFIX_SIMD + 0xff, 2);
price(PREFIX_SIMD + 12, PREFIX_SIMD + 12, 0);
price(PREFIX_SIMD + 84, PREFIX_SIMD + 93, 3);
for (const op of [94, 95, 130, 149, 181, 186, 248, 249, 250, 251, 252, 253, 254, 255]) COSTS[PREFIX_SIMD + op] = 4;
for (const op of [103, 104, 105, 106, 116, 117, 122, 148]) COSTS[PREFIX_SIMD + op] = 4;
price(PREFIX_SIMD + 156, PREFIX_SIMD + 159, 4);
price(PREFIX_SIMD + 188, PREFIX_SIMD + 191, 4);
price(PREFIX_SIMD + 220, PREFIX_SIMD + 223, 4);
COSTS[PREFIX_SIMD + 213] = 8; // i64x2.mul
for (const base of [227, 239]) {
  price(PREFIX_SIMD + base, PREFIX_SIMD + base, 20);
  price(PREFIX_SIMD + base + 1, PREFIX_SIMD + base + 3, 3);
  price(PREFIX_SIMD + base + 4, PREFIX_SIMD + base + 4, 16);
  price(PREFIX_SIMD + base + 5, PREFIX_SIMD + base + 8, 6);
}
