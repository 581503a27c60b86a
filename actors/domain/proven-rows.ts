import { inclusionProofs } from "../../proofs/merkle/tree.ts";
import { isNamedWindow } from "../../proofs/window/row-proof.ts";
import { decodeBatch } from "../../src/batch/batch.ts";
import type { Value } from "../../src/batch/column.ts";
import { RowEncoder, rowValues } from "../../src/batch/rows.ts";
import type { Committed } from "../../src/consensus/coverage.ts";
import { drawRows } from "../../src/consensus/draw.ts";
import type { Operator } from "../../src/consensus/result.ts";
import type { Table } from "../../src/consensus/statement.ts";
import type { WindowsAsked } from "../../src/consensus/work-key.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import type { Hash } from "../../src/core/ports.ts";
import { MAIN, type TaskPlan, windowsAsked } from "../../src/runtime/plan.ts";
import type { ReadBlock } from "../../src/runtime/stage/runner.ts";
import type { WantedWindow } from "../../src/runtime/stage/window-values.ts";
import { windowText } from "../../src/streams/window/window-text.ts";
import type { Ledger } from "../node/ledger.ts";

/** Missing windows that an error lists. */
const MISSING_SHOWN = 8;

/** A window operator in normal form. */
export type WindowForm = Extract<Operator, { kind: "window" }>;

/** A finished table of windows. */
export interface WindowTable {
  readonly form: WindowForm;
  readonly table: Table;
}

/** A row of such a table, with its path to the table's root. */
export interface TableRow {
  readonly row: number;
  readonly bytes: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly values: readonly Value[];
}

/** The table that a task's last statement closed. */
export function windowTable(task: TaskPlan, last: Committed): WindowTable {
  const table = last.statement.tables?.[MAIN];
  assert(task.operator.kind === "window" && table !== undefined, `task ${task.name} finished a window table`);
  return { form: task.operator, table };
}

/** The window that a row of the table is about. */
export function windowOf(form: WindowForm, values: readonly Value[]): WantedWindow {
  return { start: values[0] as bigint, keys: values.slice(2, 2 + form.keys.length) };
}

/** Rows of the finished table that get proofs: drawn by the seed, or those the user named. Rows without a value are left out. */
export async function provenRows(
  ports: { readonly hash: Hash; readonly ledger: Ledger; readonly read: ReadBlock },
  task: TaskPlan,
  { form, table }: WindowTable,
  seed: Uint8Array,
): Promise<TableRow[]> {
  assert(task.prove !== null, `task ${task.name} asks for proofs`);
  const asked = windowsAsked(task.prove);
  const drawn = typeof asked === "number" ? new Set(drawRows(ports.hash, seed, table.rows, asked)) : undefined;
  const named = typeof asked === "number" ? [] : asked;
  const encoder = new RowEncoder();
  const leaves: Uint8Array[] = [];
  const chosen: { row: number; bytes: Uint8Array; values: Value[] }[] = [];
  for (const cid of ports.ledger.batches(task.name, MAIN)) {
    const batch = decodeBatch(await ports.read(cid));
    for (let i = 0; i < batch.rows; i++) {
      const preimage = encoder.encode(batch, i, 0x00);
      const row = leaves.length;
      leaves.push(ports.hash(preimage));
      if (drawn?.has(row) === false) continue;
      const values = rowValues(batch, i);
      if (drawn !== undefined || isNamedWindow(named, windowOf(form, values)))
        chosen.push({ row, bytes: preimage.slice(1), values });
    }
  }
  const missing = named.filter(
    (window) => !chosen.some(({ values }) => isNamedWindow([window], windowOf(form, values))),
  );
  if (missing.length > 0) throw windowsMissing(task, missing);
  const paths = inclusionProofs(
    ports.hash,
    leaves,
    chosen.map(({ row }) => row),
  );
  return chosen.map((row, i) => ({ ...row, path: paths[i] as Uint8Array[] }));
}

function windowsMissing(task: TaskPlan, missing: Exclude<WindowsAsked, number>): IpdmError {
  const [shown, rest] = [missing.slice(0, MISSING_SHOWN), missing.length - MISSING_SHOWN];
  const list = shown.map(({ start, key }) => windowText(start, key)).join(", ");
  const more = rest > 0 ? ` and ${rest} more` : "";
  return new IpdmError(
    "PROVE_WINDOW_MISSING",
    `tasks.${task.name}: to be proved, but not in the table: ${list}${more}`,
    {
      kind: "config",
      where: `tasks.${task.name}.prove`,
      hint: "name windows that have rows (null names those without a key), or let some be drawn with `prove: { windows: 1 }`",
      facts: { task: task.name, missing: missing.length, windows: shown },
    },
  );
}
