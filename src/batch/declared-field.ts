import { IpdmError } from "../core/errors.ts";
import type { ColumnType, Field } from "./schema.ts";
import { COLUMN_TYPES } from "./schema.ts";

/** The nullable field that a user's `name: type` declares; `fixed` takes its width as `fixed(32)`. Throws `COLUMN_TYPE_UNKNOWN`. */
export function declaredField(name: string, type: string): Field {
  const fixed = /^fixed\((\d{1,5})\)$/.exec(type);
  if (fixed !== null) return { name, type: "fixed", nullable: true, width: Number(fixed[1]) };
  if (type !== "fixed" && (COLUMN_TYPES as readonly string[]).includes(type))
    return { name, type: type as ColumnType, nullable: true };
  const known = COLUMN_TYPES.map((known) => (known === "fixed" ? "fixed(<bytes>)" : known)).join(", ");
  throw new IpdmError("COLUMN_TYPE_UNKNOWN", `column ${name} is declared as ${type}, which is no column type`, {
    kind: "config",
    hint: `column types: ${known}`,
    facts: { column: name },
  });
}
