import type { Cause } from "../audit/diff/causes.ts";
import type { DiffReport, FirstDifference } from "../audit/diff/diff.ts";
import { diffReceiptFiles } from "../audit/diff/diff-file.ts";
import type { PlacedRow } from "../audit/diff/first-row.ts";
import { EXIT_CODES } from "../core/errors.ts";
import { counted, number } from "./counted.ts";
import { pair } from "./pair.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `diff`, as the command line gives them. */
export interface DiffFlags {
  readonly data?: string;
  readonly dataB?: string;
  readonly input: readonly string[];
}

/** Most characters of a row that are printed; `--json` has all of them. */
const ROW_SHOWN_MAX = 2000;

/** `ipdm-runtime diff <a> <b>`: where two runs differ. Returns the exit code: 0 for the same result, else that of a failed verification. */
export async function diffCommand(
  a: string,
  b: string,
  flags: DiffFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const inputs = flags.input.map((flag) => pair("--input", flag));
  const found = await diffReceiptFiles(a, b, { data: flags.data, dataB: flags.dataB, inputs, signal });
  if (found.fault !== undefined) {
    const { code, where, message } = found.fault;
    const path = found.which === "a" ? a : b;
    if (terminal.options.json)
      terminal.json({ event: "compared", ok: false, code, where: `${path}: ${where}`, message });
    else terminal.print(`NOT COMPARED: ${path} does not verify: ${code} at ${where}: ${message}`);
    return EXIT_CODES.verification;
  }
  const { report } = found;
  const results = { a: found.a.root.result.toString(), b: found.b.root.result.toString() };
  if (terminal.options.json) terminal.json(comparedLine(report, results));
  else for (const line of reportLines(report, results)) terminal.print(line);
  return report.same ? 0 : EXIT_CODES.verification;
}

function comparedLine({ same, causes, first, reads }: DiffReport, results: object): object {
  const [cause] = causes;
  const said = same
    ? {}
    : cause === undefined
      ? { code: "OUTPUT_DIFFERS", where: first?.stage, message: "the same work came out differently" }
      : { code: cause.code, where: cause.where, message: cause.message };
  return {
    event: "compared",
    ok: same,
    results,
    ...said,
    causes,
    first: first === undefined ? null : firstLine(first),
    reads,
  };
}

function firstLine({ stage, from, port, row, a, b }: FirstDifference): object {
  return { stage, from, port, row, a: placedLine(a), b: placedLine(b) };
}

function placedLine(placed: PlacedRow | undefined): object | null {
  if (placed === undefined) return null;
  const { statement, batch, cid, text } = placed;
  return { statement, batch, cid: cid.toString(), row: text };
}

function* reportLines(report: DiffReport, results: { readonly a: string; readonly b: string }): Generator<string> {
  const { same, causes, first, reads } = report;
  yield `a  result ${results.a}`;
  yield `b  result ${results.b}`;
  yield "";
  if (same) {
    yield "THE SAME: both receipts are of one result.";
    return;
  }
  for (const cause of causes) yield causeLine(cause);
  if (causes.length === 0) yield "✗ OUTPUT_DIFFERS: the same work over the same inputs came out differently";
  if (first === undefined) yield "Every table that both have holds the same rows.";
  else yield* firstLines(first);
  const read = `${counted(reads.states, "state")} of the receipts and ${counted(reads.batches, "batch", "batches")}`;
  yield `Found by looking at ${read}.`;
  yield "";
  yield "NOT THE SAME.";
}

function causeLine({ code, message }: Cause): string {
  return `✗ ${code}: ${message}`;
}

function* firstLines({ stage, from, port, row, a, b }: FirstDifference): Generator<string> {
  const what = from === "source" ? `input ${stage}` : `task ${stage}, output ${port ?? ""}`;
  yield `First difference: ${what}, row ${number(row)}`;
  for (const [name, placed] of [["a", a] as const, ["b", b] as const]) {
    if (placed === undefined) {
      yield `  ${name}  ends before it`;
      continue;
    }
    const { statement, batch, cid, text } = placed;
    yield `  ${name}  ${from === "source" ? "slot" : "statement"} ${statement}, batch ${batch} (${cid.toString()})`;
    yield `     ${text.length > ROW_SHOWN_MAX ? `${text.slice(0, ROW_SHOWN_MAX)}…` : text}`;
  }
}
