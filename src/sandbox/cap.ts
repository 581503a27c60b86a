import { concat } from "../core/bytes.ts";
import type { Section } from "./binary.ts";
import { encodeU32, SECTION } from "./binary.ts";
import { TABLE_ELEMENTS_MAX } from "./limits.ts";
import type { Limits, ModuleShape } from "./module-shape.ts";

/**
 * The module with the maximum of its memory lowered to `pages` and that of its tables to their limit, so that growth beyond
 * them fails inside the module, by the rules of WebAssembly, and equally on every node. Nothing else changes; no index moves.
 * The initial sizes must fit already.
 */
export function capModule(
  bytes: Uint8Array,
  sections: readonly Section[],
  shape: ModuleShape,
  pages: number,
): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const section of sections) {
    if (section.id === SECTION.memory) {
      parts.push(
        encodeSection(
          section.id,
          shape.memories.map((memory) => encodeLimits(memory, pages)),
        ),
      );
    } else if (section.id === SECTION.table) {
      parts.push(
        encodeSection(
          section.id,
          shape.tables.map((table) => [table.reference, ...encodeLimits(table, TABLE_ELEMENTS_MAX)]),
        ),
      );
    } else {
      parts.push(bytes.subarray(section.from, section.end));
    }
  }
  return concat(...parts);
}

function encodeLimits(limits: Limits, cap: number): number[] {
  return [1, ...encodeU32(limits.initial), ...encodeU32(Math.min(limits.max ?? cap, cap))];
}

function encodeSection(id: number, entries: readonly number[][]): Uint8Array {
  const payload = [...encodeU32(entries.length), ...entries.flat()];
  return Uint8Array.from([id, ...encodeU32(payload.length), ...payload]);
}
