import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** Built from `src/modules/json-brackets`. This file is `<root>/src/sources/chain/…` as source, `<root>/dist/src/sources/chain/…` as build. */
const FILE = fileURLToPath(
  new URL(`${FROM_SOURCE ? "../../../dist/src" : "../.."}/modules/json-brackets.wasm`, import.meta.url),
);

interface Scanner {
  readonly memory: WebAssembly.Memory;
  place(): number;
  room(): number;
  begin(): void;
  scan(length: number): number;
}

let loaded: { readonly scanner: Scanner; readonly piece: Uint8Array; readonly room: number } | undefined;

/**
 * Where the JSON object or list at `at` ends, found by its brackets and quotes; -1 when the bytes end before it does. In WebAssembly,
 * since it is several times faster there than in JavaScript; the bytes are copied, piece by piece.
 */
export function closingBracket(bytes: Uint8Array, at: number, end: number): number {
  loaded ??= load();
  const { scanner, piece, room } = loaded;
  scanner.begin();
  for (let from = at; from < end; from += room) {
    const to = Math.min(end, from + room);
    piece.set(bytes.subarray(from, to));
    const found = scanner.scan(to - from);
    if (found >= 0) return from + found;
  }
  return -1;
}

function load(): NonNullable<typeof loaded> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(FILE)), {});
  const scanner = exports as unknown as Scanner; // built with this package
  const room = scanner.room();
  return { scanner, room, piece: new Uint8Array(scanner.memory.buffer, scanner.place(), room) };
}
