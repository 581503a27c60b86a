import { hash } from "node:crypto";
import type { Exports } from "../abi/port.ts";
import { PAGE_BYTES } from "../limits.ts";
import { isExact, isNarrow, lanesOf } from "../metering/global-access.ts";
import { GLOBAL_EXPORT, GLOBAL_SETTER_EXPORT } from "../metering/meter.ts";
import type { ModuleShape } from "../wasm/module.ts";
import type { GlobalShape } from "../wasm/shape.ts";

/** A global that belongs to a module's state, by its number. */
export interface StateGlobal extends GlobalShape {
  readonly index: number;
}

/** The content of a page, never changed once it is made; null for one of zeros. Threads share it. */
export type Page = Uint8Array<SharedArrayBuffer> | null;

/** What a stateful module keeps between two calls. */
export interface Image {
  /** Every page of the memory, in order. */
  readonly pages: readonly Page[];
  /** The mutable globals in order, each as one or two 64-bit little-endian integers: see {@link globalBytes}. */
  readonly globals: Uint8Array;
}

/** A page that differs from the image before, and the SHA-256 of its content (null for one of zeros). */
export interface DirtyPage {
  readonly index: number;
  readonly page: Page;
  readonly digest: Uint8Array | null;
}

/** What an image has that the one before had not. */
export interface ImageChange {
  /** Pages of the whole memory. */
  readonly size: number;
  readonly dirty: readonly DirtyPage[];
  readonly globals: Uint8Array;
}

const LANE_BYTES = 8;
const ZEROS = new Uint8Array(PAGE_BYTES);

/** The globals of those numbers. */
export function stateGlobals(numbers: readonly number[], shape: ModuleShape): StateGlobal[] {
  return numbers.map((index) => ({ ...(shape.globals[index] as GlobalShape), index }));
}

/** Bytes of the saved globals: 8 for a number, 16 for a vector. A number of 32 bits is followed by four zero bytes. */
export function globalBytes(globals: readonly StateGlobal[]): number {
  return globals.reduce((sum, global) => sum + LANE_BYTES * lanesOf(global), 0);
}

/** True when bytes are values that the globals can have: as many of them, and nothing in the upper half of a narrow one. */
export function fitsGlobals(bytes: Uint8Array, globals: readonly StateGlobal[]): boolean {
  if (bytes.length !== globalBytes(globals)) return false;
  const view = viewOf(bytes);
  let at = 0;
  for (const global of globals) {
    if (isNarrow(global) && view.getUint32(at + 4, true) !== 0) return false;
    at += LANE_BYTES * lanesOf(global);
  }
  return true;
}

/** True when a page holds nothing but zeros. */
export function isZeroPage(page: Uint8Array): boolean {
  return Buffer.compare(page, ZEROS) === 0;
}

/** The image of a memory and globals as a change of the image before it, or of none. Only pages that differ are copied and hashed. */
export function changeOf(
  before: Image | null,
  memory: WebAssembly.Memory,
  exports: Exports,
  globals: readonly StateGlobal[],
): ImageChange {
  const bytes = Buffer.from(memory.buffer);
  const size = bytes.length / PAGE_BYTES;
  const dirty: DirtyPage[] = [];
  for (let index = 0, from = 0; index < size; index++, from += PAGE_BYTES) {
    const known = before?.pages[index] ?? null;
    if (bytes.compare(known ?? ZEROS, 0, PAGE_BYTES, from, from + PAGE_BYTES) === 0) continue;
    const content = bytes.subarray(from, from + PAGE_BYTES);
    dirty.push(known !== null && isZeroPage(content) ? { index, page: null, digest: null } : copied(index, content));
  }
  return { size, dirty, globals: readGlobals(exports, globals) };
}

/** The image that a change makes of the one before it. */
export function changed(before: Image | null, { size, dirty, globals }: ImageChange): Image {
  const pages = Array.from({ length: size }, (_, index) => before?.pages[index] ?? null);
  for (const { index, page } of dirty) pages[index] = page;
  return { pages, globals };
}

/**
 * Makes a fresh instance's memory and globals those of an image. Throws a `RangeError` where this node cannot grow the memory so
 * far; the image was checked to fit the module.
 */
export function restoreImage(
  image: Image,
  memory: WebAssembly.Memory,
  exports: Exports,
  globals: readonly StateGlobal[],
): void {
  const initial = memory.buffer.byteLength / PAGE_BYTES;
  if (image.pages.length > initial) memory.grow(image.pages.length - initial);
  const bytes = new Uint8Array(memory.buffer);
  for (const [index, page] of image.pages.entries()) {
    const from = index * PAGE_BYTES;
    if (page !== null) bytes.set(page, from);
    // What was grown is zero; what the module began with may hold its data segments.
    else if (index < initial) bytes.fill(0, from, from + PAGE_BYTES);
  }
  writeGlobals(exports, globals, image.globals);
}

function copied(index: number, content: Uint8Array): DirtyPage {
  const page = new Uint8Array(new SharedArrayBuffer(PAGE_BYTES));
  page.set(content);
  return { index, page, digest: new Uint8Array(hash("sha256", content, "buffer")) };
}

/** The bits of globals that are numbers or vectors, as an image holds them. */
export function readGlobals(exports: Exports, globals: readonly StateGlobal[]): Uint8Array {
  const bytes = new Uint8Array(globalBytes(globals));
  const view = viewOf(bytes);
  let at = 0;
  for (const global of globals) {
    for (const lane of lanesIn(exports, global)) {
      view.setBigUint64(at, BigInt.asUintN(64, lane), true);
      at += LANE_BYTES;
    }
  }
  return bytes;
}

function lanesIn(exports: Exports, global: StateGlobal): readonly bigint[] {
  const entry = exports[GLOBAL_EXPORT + global.index];
  if (isExact(global)) {
    const { value } = entry as { readonly value: number | bigint };
    return [typeof value === "number" ? BigInt(value >>> 0) : value];
  }
  const lanes = (entry as () => bigint | readonly bigint[])();
  return typeof lanes === "bigint" ? [lanes] : lanes;
}

/** Gives globals the bits that {@link readGlobals} read. */
export function writeGlobals(exports: Exports, globals: readonly StateGlobal[], bytes: Uint8Array): void {
  const view = viewOf(bytes);
  let at = 0;
  for (const global of globals) {
    const lanes = Array.from({ length: lanesOf(global) }, (_, i) => view.getBigUint64(at + LANE_BYTES * i, true));
    at += LANE_BYTES * lanes.length;
    if (isExact(global)) {
      const entry = exports[GLOBAL_EXPORT + global.index] as { value: number | bigint };
      entry.value = isNarrow(global) ? Number(lanes[0]) | 0 : BigInt.asIntN(64, lanes[0] ?? 0n);
    } else {
      (exports[GLOBAL_SETTER_EXPORT + global.index] as (...bits: bigint[]) => void)(...lanes);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
