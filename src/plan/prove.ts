import { fieldOf } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import type { WindowTaskConfig } from "../config/config.ts";
import { VOTE_PROOFS_MAX } from "../consensus/vote.ts";
import { IpdmError } from "../core/errors.ts";
import type { ProveWindows } from "../runtime/plan.ts";
import { isInteger } from "../streams/window/plan.ts";

/** Which windows a task asks to be proved, or null. */
export function proveOf({ prove }: WindowTaskConfig): ProveWindows | null {
  if (prove.kind === "none") return null;
  if (prove.kind === "drawn") return prove;
  return {
    kind: "named",
    ...(prove.bits === undefined ? {} : { bits: prove.bits }),
    windows: prove.windows.map(({ startUs, key }) => ({
      startUs: BigInt(startUs),
      key: key.map((value) => (value === null ? null : String(value))),
    })),
  };
}

/** Refuses what no proof can be made of: `PROVE_COLUMN`, `PROVE_LIMIT`, of kind `config`. */
export function checkProvable(task: WindowTaskConfig, schema: Schema): void {
  const columns = [...new Set(task.aggregates.flatMap(({ column }) => (column === undefined ? [] : [column])))];
  const unfit = columns.find((column) => !isInteger(fieldOf(schema, column)));
  if (columns.length > 0 && unfit === undefined) return checkProofCount(task, columns.length);
  const what =
    unfit === undefined ? "none of its aggregates has a column" : `column ${unfit} is ${fieldOf(schema, unfit).type}`;
  throw new IpdmError("PROVE_COLUMN", `${task.name} cannot be proved: ${what}; proofs are over integer columns`, {
    kind: "config",
    hint: "aggregate integer columns only, or leave out `prove`",
  });
}

/** A vote names every proof; more than it may hold would be found only when all are made. */
function checkProofCount({ name, prove }: WindowTaskConfig, columns: number): void {
  const windows = prove.kind === "drawn" ? prove.windows : prove.kind === "named" ? prove.windows.length : 0;
  if (windows * columns <= VOTE_PROOFS_MAX) return;
  throw new IpdmError(
    "PROVE_LIMIT",
    `${name} asks for ${windows} windows of ${columns} columns; a vote covers ${VOTE_PROOFS_MAX} proofs`,
    {
      kind: "config",
      hint: "prove fewer windows, or fewer columns",
    },
  );
}
