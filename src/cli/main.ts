import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { failureOf } from "./failure.ts";
import type { ReplayFlags } from "./replay-command.ts";
import type { RunFlags } from "./run-command.ts";
import type { VerifyFlags } from "./verify-command.ts";
import { Terminal } from "./terminal.ts";

interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** Runs the command line. Returns the process's exit code (docs: README, "Exit codes"); it never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => {
    // The first asks to stop in order; the second does not wait.
    if (stop.signal.aborted) process.exit(EXIT_CODES.interrupted);
    stop.abort(new IpdmError("INTERRUPTED", "stopped; the same command goes on from here", { kind: "interrupted", retry: "now" }));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  let exit = 0;
  const act = async (flags: CommonFlags, work: (terminal: Terminal) => Promise<number | void>): Promise<void> => {
    const terminal = new Terminal({ json: flags.json === true, verbose: flags.verbose === true, quiet: flags.quiet === true });
    try {
      exit = (await work(terminal)) ?? 0;
    } catch (error) {
      const shown = stop.signal.aborted ? (stop.signal.reason as unknown) : error;
      const failure = failureOf(shown);
      exit = failure.exit;
      terminal.fail(failure, error);
    }
  };
  try {
    await program(act, stop.signal).parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exit = error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
  return exit;
}

type Act = (flags: CommonFlags, work: (terminal: Terminal) => Promise<number | void>) => Promise<void>;

// Commands are loaded when they are used: `--help` must not wait for databases and networks.
function program(act: Act, signal: AbortSignal): Command {
  const root = new Command("ipdm-runtime")
    .description("Data pipelines whose results carry their own evidence")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError()
    .exitOverride();
  common(root.command("run"))
    .description("run a configuration: data in, tables and a receipt out")
    .argument("<config>", "ipdm.yaml, or a folder that holds one")
    .option("--out <dir>", "folder for tables and receipt (default: out/<name>)")
    .option("--data <dir>", "folder for keys, journals and batches (default: .data in the out folder)")
    .option("--replicas <n>", "nodes that compute and vote (default: as configured)")
    .option("--batch-rows <n>", "rows a batch, 1 to 4096; never changes the result (default: 4096)")
    .option("--fresh", "compute everything again, reuse nothing")
    .action((config: string, flags: CommonFlags) => act(flags, async (terminal) => (await import("./run-command.ts")).runCommand(config, flags as RunFlags, terminal, signal)));
  common(root.command("verify"))
    .description("check a receipt offline: hashes, links, signatures, quorum, Merkle and zero-knowledge proofs")
    .argument("<receipt>", "receipt.car")
    .option("--trust <keys.json>", "keys that the reader trusts: every signer has to be one of them")
    .option("--expect <result>", "the result that the reader expects, as its CID")
    .action((receipt: string, flags: CommonFlags) => act(flags, async (terminal) => (await import("./verify-command.ts")).verifyCommand(receipt, flags as VerifyFlags, terminal)));
  common(root.command("replay"))
    .description("redo everything a receipt claims and compare: transitions, modules, windows, statements, outputs")
    .argument("<receipt>", "receipt.car")
    .option("--data <dir>", "data folder of the run (default: .data beside the receipt)")
    .addOption(new Option("--input <name=path>", "read this input from a file").argParser(collect).default([]))
    .addOption(new Option("--module <task=path>", "run this module instead of the recorded one").argParser(collect).default([]))
    .action((receipt: string, flags: CommonFlags) => act(flags, async (terminal) => (await import("./replay-command.ts")).replayCommand(receipt, flags as ReplayFlags, terminal, signal)));
  common(root.command("init"))
    .description("write a working starter into a new folder")
    .argument("<dir>", "a new or empty folder")
    .action((dir: string, flags: CommonFlags) => act(flags, async (terminal) => (await import("./init-command.ts")).initCommand(dir, terminal)));
  for (const command of root.commands) command.exitOverride().showSuggestionAfterError();
  return root;
}

function common(command: Command): Command {
  return command
    .option("--json", "one JSON object a line on stdout")
    .option("--quiet", "no narration on stderr")
    .option("--verbose", "more narration, and stack traces of errors");
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function version(): string {
  const path = new URL(import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json", import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  return String((parsed as { version?: unknown }).version);
}
