import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** Built from `src/modules/window-kernels`. This file is `<root>/src/streams/…` as source, `<root>/dist/src/streams/…` as build. */
const FILE = fileURLToPath(
  new URL(`${FROM_SOURCE ? "../../../dist/src" : "../.."}/modules/window-kernels.wasm`, import.meta.url),
);

/** The functions of `src/modules/window-kernels`, which say what they do; arrays are given by their addresses in `memory`. */
export interface Kernels {
  readonly memory: { readonly buffer: SharedArrayBuffer; grow(pages: number): number };
  widen(values: number, count: number, unsigned: number): number;
  fold(
    what: number,
    slots: number,
    count: number,
    values: number,
    counts: number,
    sums: number,
    least: number,
    most: number,
  ): number;
  foldJoined(
    what: number,
    slots: number,
    count: number,
    values: number,
    counts: number,
    sums: number,
    least: number,
    most: number,
    rows: number,
    into: number,
    from: number,
    joins: number,
    progress: number,
  ): void;
  merge(
    what: number,
    into: number,
    from: number,
    count: number,
    counts: number,
    sums: number,
    least: number,
    most: number,
  ): number;
  identify(
    values: number,
    from: number,
    count: number,
    placed: number,
    length: number,
    next: number,
    ids: number,
  ): number;
  sessions(control: number, times: number, marks: number, from: number, to: number): number;
  assign(control: number, ring: number, times: number, marks: number, from: number, to: number): number;
}

let compiled: WebAssembly.Module | null | undefined;

/** Kernels with a memory of their own; undefined where the module was not built, or there is no room for another memory. */
export function loadKernels(): Kernels | undefined {
  compiled ??= compile();
  if (compiled === null) return undefined;
  try {
    return new WebAssembly.Instance(compiled, {}).exports as unknown as Kernels; // built with this package
  } catch (error) {
    // Each memory takes address space for its greatest size; thousands of operators may use that up.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function compile(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(readFileSync(FILE));
  } catch {
    return null;
  }
}
