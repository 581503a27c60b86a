import type { Value } from "../../batch/column.ts";
import { toHex } from "../../core/bytes.ts";
import { instantText } from "../instant.ts";

/** A window for people, by its start in microseconds and its key: `window 2001-01-01 of ATL`. */
export function windowText(start: number | bigint, keys: readonly Value[]): string {
  const of = keys.map((value) => (value instanceof Uint8Array ? `0x${toHex(value)}` : String(value))).join(", ");
  return `window ${instantText(Number(start))}${keys.length === 0 ? "" : ` of ${of}`}`;
}
