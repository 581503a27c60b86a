import { BATCH_ROWS_MAX } from "../batch/limits.ts";
import {
  FUEL_CALL_MAX,
  FUEL_ROW_MAX,
  MODULE_MEMORY_BYTES_MAX,
  MODULE_MEMORY_BYTES_MIN,
  MODULE_OUTPUT_BYTES_MAX,
} from "../config/limits.ts";
import { type ModuleEntry, operatorOfEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { moduleSpec } from "../runtime/stage/module-spec.ts";
import { STACK_MAX } from "../sandbox/metering/meter.ts";
import type { ModuleSpec } from "../sandbox/port.ts";
import { validateModule } from "../sandbox/validate.ts";

/** Longest time of a call where nobody says otherwise, in milliseconds: the way out when a node is at fault. */
export const CALL_TIMEOUT_MS = 10_000;

/**
 * The static check of an entry from anyone: what it declares lies within what a configuration may say, and the module under its
 * CID is one that can be run as declared. Throws `MODULE_ENTRY_INVALID`, `MODULE_ABI_UNKNOWN` (kind `verification`),
 * `COLUMN_TYPE_UNKNOWN`, and what `validateModule` throws (kind `config`).
 */
export function checkEntry(entry: ModuleEntry, bytes: Uint8Array): ModuleSpec {
  const { limits, unit } = entry;
  const ranges: readonly (readonly [what: string, value: number, least: number, most: number])[] = [
    ["bytes", entry.bytes, bytes.length, bytes.length],
    ["unit", unit ?? 1, 1, BATCH_ROWS_MAX],
    ["fuelPerCall", limits.fuelPerCall, 0, FUEL_CALL_MAX],
    ["fuelPerRow", limits.fuelPerRow, 0, FUEL_ROW_MAX],
    ["memoryBytesMax", limits.memoryBytesMax, MODULE_MEMORY_BYTES_MIN, MODULE_MEMORY_BYTES_MAX],
    ["stackValuesMax", limits.stackValuesMax, 1000, STACK_MAX],
    ["outputBytesMax", limits.outputBytesMax, 1, MODULE_OUTPUT_BYTES_MAX],
  ];
  const wrong = ranges.find(([, value, least, most]) => value < least || value > most);
  if (wrong !== undefined) {
    const [what, value, least, most] = wrong;
    throw new IpdmError(
      "MODULE_ENTRY_INVALID",
      `${entry.name}@${entry.version} declares ${what} ${value}; it must be ${least === most ? least : `${least} to ${most}`}`,
      { kind: "verification", where: `${entry.name}@${entry.version}`, facts: { what, value, least, most } },
    );
  }
  const spec = moduleSpec(operatorOfEntry(entry), bytes, CALL_TIMEOUT_MS);
  validateModule(spec);
  return spec;
}
