import { type ModuleEntry, operatorOfEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { CALL_TIMEOUT_MS, moduleSpec } from "../runtime/stage/module-spec.ts";
import { policyFault } from "../sandbox/policy.ts";
import type { ModuleSpec } from "../sandbox/port.ts";
import { validateModule } from "../sandbox/validate.ts";

/**
 * The static check of an entry from anyone: what it declares lies within what a configuration may say, and the module under its
 * CID is one that can be run as declared. Throws `MODULE_ENTRY_INVALID`, `MODULE_ABI_UNKNOWN` (kind `verification`),
 * `COLUMN_TYPE_UNKNOWN`, and what `validateModule` throws (kind `config`).
 */
export function checkEntry(entry: ModuleEntry, bytes: Uint8Array): ModuleSpec {
  const size = { what: "bytes", value: entry.bytes, least: bytes.length, most: bytes.length };
  const wrong = entry.bytes === bytes.length ? policyFault(entry.limits, entry.unit) : size;
  if (wrong !== undefined) {
    const { what, value, least, most } = wrong;
    throw new IpdmError(
      "MODULE_ENTRY_INVALID",
      `${entry.name}@${entry.version} declares ${what} ${value}; it must be ${least === most ? least : `${least} to ${most}`}`,
      { kind: "verification", where: `${entry.name}@${entry.version}`, facts: { ...wrong } },
    );
  }
  const spec = moduleSpec(operatorOfEntry(entry), bytes, CALL_TIMEOUT_MS);
  validateModule(spec);
  return spec;
}
