import { declaredField } from "../../batch/declared-field.ts";
import { schemaOf } from "../../batch/schema.ts";
import { EXIT_CODES } from "../../core/errors.ts";
import { sha256 } from "../../node.ts";
import { type GivenModule, readGivenModule } from "../../registry/given-module.ts";
import { firstBatches } from "../../registry/rows.ts";
import { type CheckReport, checkModule } from "../../sandbox/check/check-module.ts";
import { HOST_TABLE } from "../../sandbox/host/table.ts";
import type { ColumnTypeName, SourceSpec } from "../../sources/port.ts";
import type { Terminal } from "../terminal.ts";
import { type HowFlags, namingColumns, overridesOf, readColumns } from "./flags.ts";
import { reportLines } from "./report.ts";

/** Rows of `--input` that a check runs: what one slot of a run holds at most is four times as many. */
const CHECK_ROWS_MAX = 65_536;

/** Flags of `module check`, as the command line gives them. */
export interface CheckFlags extends HowFlags {
  readonly input?: string;
  readonly inputColumns?: string;
}

/** `ipdm-runtime module check <module>`: what a module is, and whether it is the same everywhere. Returns the exit code. */
export async function checkCommand(
  path: string,
  flags: CheckFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const given = await readGivenModule(path, overridesOf(flags));
  const report = await checkGiven(given, flags, signal);
  if (terminal.options.json) terminal.json({ event: "checked", ...checkedFields(report) });
  else for (const line of reportLines(path, given, report)) terminal.print(line);
  return report.ok ? 0 : EXIT_CODES.verification;
}

/** Checks a module over the rows of `--input`, or over made-up ones. */
export async function checkGiven(given: GivenModule, flags: CheckFlags, signal: AbortSignal): Promise<CheckReport> {
  const { unit } = given.operator;
  const rows = { rowsMax: CHECK_ROWS_MAX, unit };
  const { input } = flags;
  const batches =
    input === undefined
      ? undefined
      : await namingColumns(() => firstBatches(inputOf(input, flags, given), rows, signal));
  const declared = inputOf("", flags, given).columns;
  const schema =
    declared === undefined
      ? undefined
      : schemaOf(Object.entries(declared).map(([name, type]) => declaredField(name, type)));
  return checkModule(given.spec, { hash: sha256, batches, schema, unit, signal });
}

/** A file of rows: with the columns that the command line declares, or the module's manifest, or guessed ones. */
export function inputOf(
  file: string,
  { inputColumns }: { readonly inputColumns?: string },
  given: Pick<GivenModule, "described"> | undefined,
): SourceSpec {
  const columns =
    inputColumns === undefined
      ? given?.described.input
      : (readColumns("--input-columns", inputColumns) as Record<string, ColumnTypeName>); // openSource reads every type
  return columns === undefined ? { file } : { file, columns };
}

/** A report as fields of a JSON line. */
export function checkedFields({ ok, faults, facts, calls }: CheckReport): object {
  const [first] = faults;
  return {
    ok,
    ...(first === undefined ? {} : { code: first.code, message: first.message, faults }),
    hostTable: HOST_TABLE,
    facts: facts ?? null,
    calls: calls ?? null,
  };
}
