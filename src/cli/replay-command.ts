import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { sha256, verifyEd25519 } from "../node.ts";
import { AuditInput, openData } from "../audit/input-data.ts";
import { readReceiptFile } from "../audit/receipt-file.ts";
import { type ReplayReport, replayReceipt } from "../audit/replay.ts";
import { loadCircuitKey } from "../../proofs/groth16/circuit-files.ts";
import { WINDOW_CIRCUIT } from "../../proofs/groth16/window-proof.ts";
import { verifyReceipt } from "../../proofs/receipt/verify.ts";
import { openLane } from "../sandbox/lane.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `replay`, as the command line gives them. */
export interface ReplayFlags {
  readonly data?: string;
  readonly input: readonly string[];
  readonly module: readonly string[];
}

/** `ipdm-runtime replay <receipt>`: redoes everything and compares. Returns the exit code. */
export async function replayCommand(path: string, flags: ReplayFlags, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const files = Object.fromEntries(flags.input.map((flag) => pair("--input", flag)));
  const modules = new Map<string, Uint8Array>();
  for (const [task, file] of flags.module.map((flag) => pair("--module", flag))) modules.set(task, await moduleBytes(file));
  const bytes = await readReceiptFile(path);
  const { key } = await loadCircuitKey(WINDOW_CIRCUIT);
  const verdict = verifyReceipt({ hash: sha256, verify: verifyEd25519, key }, bytes);
  const { receipt, fault } = verdict;
  if (fault !== undefined || receipt === undefined) {
    const { code, message, where } = fault ?? { code: "RECEIPT_MALFORMED", message: "the receipt cannot be read", where: "receipt" };
    if (terminal.options.json) terminal.json({ event: "replayed", ok: false, code, where, message, transitions: 0, statements: 0, mismatches: 1 });
    else terminal.print(`NOT REPLAYED: the receipt does not verify: ${code} at ${where}: ${message}`);
    return EXIT_CODES.verification;
  }
  checkNames(modules, receipt.tasks.map(({ task }) => task));
  const store = await openData(flags.data === undefined ? join(dirname(resolve(path)), ".data") : resolve(flags.data));
  const input = new AuditInput(receipt, files, store);
  const lane = openLane();
  try {
    const report = await replayReceipt({
      receipt, input, lane, modules, signal,
      onProgress: (done, of, rows) => terminal.progress(() => `replaying: ${done} of ${of} statements · ${rows.toLocaleString("en-US")} rows`),
    });
    if (terminal.options.json) terminal.json(replayedLine(report));
    else for (const line of reportLines(report, Object.keys(files))) terminal.print(line);
    return report.ok ? 0 : EXIT_CODES.verification;
  } finally {
    await input.close();
    await lane.close();
    await store?.close();
  }
}

function replayedLine({ ok, transitions, states, statements, rows, mismatches }: ReplayReport): object {
  const [first] = mismatches;
  const said = first === undefined ? {} : { code: first.code, where: first.where, message: first.message, first };
  return { event: "replayed", ok, transitions, states, statements, rows, mismatches: mismatches.length, ...said };
}

function* reportLines({ ok, transitions, states, statements, rows, mismatches }: ReplayReport, files: readonly string[]): Generator<string> {
  yield `transitions  ${transitions} redone, ${states} states compared with checkpoints`;
  yield `statements   ${statements} recomputed over ${rows.toLocaleString("en-US")} input rows, compared batch by batch`;
  yield files.length > 0
    ? `inputs       read again from ${files.join(", ")} and compared with the recorded digests`
    : "inputs       batches of the data folder, checked against their CIDs; pass --input name=path to read the file itself again";
  yield "";
  for (const { code, where, message } of mismatches) yield `✗ ${code} at ${where}: ${message}`;
  yield ok ? "REPLAYED: everything came out the same." : "NOT THE SAME.";
}

function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new IpdmError("USAGE", `${flag} takes name=path, not ${text}`, { kind: "usage", hint: `for example ${flag} flights=./flights.parquet` });
}

async function moduleBytes(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new IpdmError("MODULE_MISSING", `there is no module at ${file}`, { kind: "config", where: file, cause });
  }
}

function checkNames(modules: ReadonlyMap<string, Uint8Array>, tasks: readonly string[]): void {
  const unknown = [...modules.keys()].find((task) => !tasks.includes(task));
  if (unknown !== undefined) throw new IpdmError("TASK_UNKNOWN", `the receipt has no task ${unknown}`, { kind: "usage", hint: `its tasks: ${tasks.join(", ")}` });
}
