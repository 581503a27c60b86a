import { relative } from "node:path";
import { IpdmError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { quietLog } from "../network/node-defaults.ts";
import type { RunSummary } from "../run/options.ts";
import { runConfig } from "../run/run.ts";
import { bytesText, counted, number } from "./counted.ts";
import { METRICS_PORT } from "./metrics/server.ts";
import { pairs } from "./pair.ts";
import { RunWatch } from "./run-watch.ts";
import { shellWord } from "./shell-word.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

/** Flags of `run`, as the command line gives them. */
export interface RunFlags {
  readonly out?: string;
  readonly data?: string;
  readonly catalogue?: string;
  readonly replicas?: string;
  readonly batchRows?: string;
  readonly lanes?: string;
  readonly input: readonly string[];
  readonly range: readonly string[];
  readonly fresh?: boolean;
  /** True for `--metrics` alone. */
  readonly metrics?: string | boolean;
}

/** What the first interrupt does instead of stopping a command, where it sets it. */
export interface Ending {
  end?: () => void;
}

/** `ipdm-runtime run <config>`: data in, tables and a receipt out. */
export async function runCommand(
  config: string,
  flags: RunFlags,
  terminal: Terminal,
  signal: AbortSignal,
  ending: Ending = {},
): Promise<void> {
  await using watch = new RunWatch(terminal);
  const port = metricsPort(flags.metrics);
  if (port !== undefined) await watch.serve(port);
  const summary = await runConfig({
    configPath: config,
    outDir: flags.out,
    dataDir: flags.data,
    catalogueDir: flags.catalogue,
    replicas: wholeNumber("--replicas", flags.replicas),
    batchRows: wholeNumber("--batch-rows", flags.batchRows),
    lanes: wholeNumber("--lanes", flags.lanes),
    fresh: flags.fresh,
    inputs: pairs("--input", flags.input),
    ranges: pairs("--range", flags.range),
    onFollow: (end) => {
      ending.end = () => {
        terminal.say("ending: what is final now is sealed; interrupt again to stop at once");
        end();
      };
      if (terminal.options.json) terminal.json({ event: "phase", phase: "following" });
      terminal.say("following the head; Ctrl-C ends the run and seals what is final");
    },
    signal,
    log: terminal.options.verbose ? narrating(terminal) : quietLog,
    onProgress: (progress) => watch.update(progress),
    onStages: (stages) => watch.watch(stages),
    onNotice: ({ level, code, message, facts }) => {
      if (terminal.options.json) terminal.json({ event: "notice", level, code, message, ...facts });
      terminal.say(message, level === "warn" ? `${terminal.paint("yellow", "!")} ` : "  ");
    },
  });
  if (terminal.options.json) terminal.json(doneLine(summary));
  else for (const line of summaryLines(summary)) terminal.print(line);
}

function doneLine(summary: RunSummary): object {
  const { production: _, seconds, ...said } = summary;
  return { event: "done", ...said, seconds: Math.round(seconds * 1000) / 1000 };
}

function* summaryLines(summary: RunSummary): Generator<string> {
  const { rows, quorum, reused, computed } = summary;
  const shown = (path: string): string => relative(process.cwd(), path) || path;
  yield `rows          ${number(rows.in)} in, ${number(rows.out)} out`;
  yield `statements    ${summary.statements}, each with a certificate of at least ${quorum.q} of ${quorum.n} votes (nodes of one process, not independent parties)`;
  yield `certificates  ${summary.certificates}`;
  yield `proofs        ${summary.proofs}${summary.proofs > 0 ? ` zero-knowledge${summary.production ? "" : ", made with DEVELOPMENT keys"}` : ""}`;
  for (const [side, count] of Object.entries(summary.late)) {
    const [task, port = "late"] = side.split(".");
    yield `late rows     ${number(count)} of ${task}, kept as ${task}.${port}`;
  }
  for (const [task, reasons] of Object.entries(summary.rejected)) {
    const logs = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    const why = Object.entries(reasons).map(([reason, count]) => `${number(count)} ${reason}`);
    if (logs > 0)
      yield `rejected      ${counted(logs, "log")} of ${task}: ${why.join(", ")} (an output of ${task}.rejected shows them)`;
  }
  if (reused.length > 0) {
    yield `reused        ${reused.join(", ")}: same work over the same inputs, certified in the data folder`;
    yield `computed      ${computed.length > 0 ? computed.join(", ") : "nothing"}`;
  }
  yield `seconds       ${summary.seconds.toFixed(1)}`;
  for (const output of summary.outputs)
    yield `table         ${shown(output.file)} (${output.name}, ${counted(output.rows, "row")})`;
  yield `receipt       ${shown(summary.receipt)} (${bytesText(summary.receiptBytes)})`;
  yield `keys          ${shown(summary.keys)} (readers who are to trust them need them from you by another way)`;
  yield `result        ${summary.result}`;
  yield "";
  yield `next: npx ipdm-runtime verify ${shellWord(shown(summary.receipt))}`;
}

function metricsPort(flag: string | boolean | undefined): number | undefined {
  if (flag === undefined || flag === false) return undefined;
  const port = flag === true ? METRICS_PORT : (wholeNumber("--metrics", String(flag)) ?? METRICS_PORT);
  if (port <= 65_535) return port;
  throw new IpdmError("USAGE", `--metrics takes a port, 0 to 65535, not ${port}`, { kind: "usage" });
}

function narrating(terminal: Terminal): Log {
  const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    terminal.say(`${level} ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`);
  return { debug: write("debug"), info: write("info"), warn: write("warn") };
}
