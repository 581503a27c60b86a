import type { ReplayReport } from "../audit/replay.ts";
import { replayReceiptFile } from "../audit/replay-file.ts";
import { parseDuration } from "../core/duration.ts";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { ISOLATIONS, type Isolation } from "../sandbox/policy.ts";
import { counted, words } from "./counted.ts";
import { pairs } from "./pair.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `replay`, as the command line gives them. */
export interface ReplayFlags {
  readonly data?: string;
  readonly input: readonly string[];
  readonly module: readonly string[];
  readonly timeout?: string;
  readonly isolation?: string;
}

/** `ipdm-runtime replay <receipt>`: redoes everything and compares. Returns the exit code. */
export async function replayCommand(
  path: string,
  flags: ReplayFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const inputs = pairs("--input", flags.input);
  const modules = pairs("--module", flags.module);
  const { ok, fault, report } = await replayReceiptFile(path, {
    data: flags.data,
    inputs,
    modules,
    timeoutMs: flags.timeout === undefined ? undefined : milliseconds(flags.timeout),
    isolation: flags.isolation === undefined ? undefined : isolationOf(flags.isolation),
    signal,
    onProgress: (done, of, rows) =>
      terminal.progress(() => `replaying: ${done} of ${of} statements · ${counted(rows, "row")}`),
  });
  if (fault !== undefined) {
    const { code, message, where } = fault;
    if (terminal.options.json)
      terminal.json({ event: "replayed", ok, code, where, message, transitions: 0, statements: 0, mismatches: 1 });
    else terminal.print(`NOT REPLAYED: the receipt does not verify: ${code} at ${where}: ${message}`);
  } else if (terminal.options.json) terminal.json(replayedLine(report));
  else for (const line of reportLines(report, Object.keys(inputs))) terminal.print(line);
  return ok ? 0 : EXIT_CODES.verification;
}

function replayedLine({ ok, transitions, states, statements, rows, mismatches }: ReplayReport): object {
  const [first] = mismatches;
  const said = first === undefined ? {} : { code: first.code, where: first.where, message: first.message, first };
  return { event: "replayed", ok, transitions, states, statements, rows, mismatches: mismatches.length, ...said };
}

function* reportLines(
  { ok, transitions, states, statements, rows, generated, mismatches }: ReplayReport,
  files: readonly string[],
): Generator<string> {
  yield `transitions  ${transitions} redone, ${states} ${words(states, "state")} compared with checkpoints`;
  yield `statements   ${statements} recomputed over ${counted(rows, "input row")}, compared batch by batch`;
  if (generated.length > 0) yield `generated    ${generated.join(", ")}: their rows were made again`;
  yield files.length > 0
    ? `inputs       read again from ${files.join(", ")} and compared with the recorded digests`
    : "inputs       batches of the data folder, checked against their CIDs; pass --input name=path to read the file itself again";
  yield "";
  for (const { code, where, message } of mismatches) yield `✗ ${code} at ${where}: ${message}`;
  yield ok ? "REPLAYED: everything came out the same." : "NOT THE SAME.";
}

function isolationOf(text: string): Isolation {
  const known = ISOLATIONS.find((isolation) => isolation === text);
  if (known !== undefined) return known;
  throw new IpdmError("USAGE", `--isolation takes ${ISOLATIONS.join(" or ")}, not ${JSON.stringify(text)}`, {
    kind: "usage",
    hint: "leave it out: modules of a receipt run in processes of their own",
  });
}

function milliseconds(text: string): number {
  try {
    return parseDuration(text) / 1000;
  } catch (cause) {
    throw new IpdmError("USAGE", `--timeout takes a duration, not ${JSON.stringify(text)}`, {
      kind: "usage",
      hint: "write a whole number and a unit: 90s, 5m, 1h",
      cause,
    });
  }
}
