import {
  BYTES_SHIFT,
  COST_ENTRY,
  COST_PER_PAGE,
  COSTS,
  ELEMENT_SHIFT,
} from "../../../src/sandbox/metering/cost-table.ts";
import { ByteWriter } from "../../../src/sandbox/wasm/writer.ts";

/** Value types by their byte. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;

/** One instruction: its number in the price list, its bytes, and what its price depends on besides. */
export interface Instruction {
  readonly op: number;
  readonly bytes: readonly number[];
  readonly length?: "pages" | "bytes" | "elements";
}

export function unsigned(value: number): number[] {
  const writer = new ByteWriter(8);
  writer.u32(value);
  return [...writer.take()];
}

/** A signed LEB128 of 32 or 64 bits. */
export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** An instruction of one byte, or with the prefixes 0xfc (from 0x100) and 0xfd (from 0x200), and what follows it. */
export function instruction(op: number, ...rest: number[]): Instruction {
  return { op, bytes: [...opcode(op), ...rest] };
}

function opcode(op: number): number[] {
  if (op >= 0x200) return [0xfd, ...unsigned(op - 0x200)];
  return op >= 0x100 ? [0xfc, ...unsigned(op - 0x100)] : [op];
}

/** Globals and the local that {@link counted} works with. */
export interface Counters {
  /** An i64 global: exact fuel of what is executed. */
  readonly fuel: number;
  /** An i64 global: how often execution passed a place where metering may charge in advance. */
  readonly places: number;
  /** A local of type i32. */
  readonly length: number;
}

/** A body as it is. */
export function plain(body: readonly Instruction[]): number[] {
  return body.flatMap(({ bytes }) => bytes);
}

/** A body that counts its own work instruction by instruction, before each: the plainest way to meter. */
export function counted(body: readonly Instruction[], counters: Counters): number[] {
  const bytes: number[] = [...add(counters.fuel, COST_ENTRY), ...add(counters.places, 1)];
  for (const [i, { op, bytes: own, length }] of body.entries()) {
    const cost = COSTS[op] ?? 0;
    if (cost > 0) bytes.push(...add(counters.fuel, cost));
    if (length !== undefined) bytes.push(...addByLength(length, counters));
    bytes.push(...own);
    if (PLACES.has(op) && i < body.length - 1) bytes.push(...add(counters.places, 1));
  }
  return bytes;
}

/** loop, if, else, end, br_if, and calls, whose callees may be charged in advance. */
const PLACES = new Set([0x03, 0x04, 0x05, 0x0b, 0x0d, 0x10, 0x11]);

function add(global: number, value: number): number[] {
  return [0x23, ...unsigned(global), 0x42, ...signed(BigInt(value)), 0x7c, 0x24, ...unsigned(global)];
}

function addByLength(length: "pages" | "bytes" | "elements", { fuel, length: local }: Counters): number[] {
  const price = {
    pages: [0x42, ...signed(BigInt(COST_PER_PAGE)), 0x7e],
    bytes: [0x42, BYTES_SHIFT, 0x88],
    elements: [0x42, ELEMENT_SHIFT, 0x86],
  }[length];
  return [
    0x22,
    ...unsigned(local),
    0x23,
    ...unsigned(fuel),
    0x20,
    ...unsigned(local),
    0xad,
    ...price,
    0x7c,
    0x24,
    ...unsigned(fuel),
  ];
}
