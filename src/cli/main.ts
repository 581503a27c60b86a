import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { type Act, type CommonFlags, common } from "./act.ts";
import { addActorCommands, withMachines } from "./actors/program.ts";
import type { JournalReplayFlags } from "./actors/replay-command.ts";
import { type Failure, failureOf } from "./failure.ts";
import { addModuleCommands } from "./module/program.ts";
import type { ReplayFlags } from "./replay-command.ts";
import type { RunFlags } from "./run-command.ts";
import { Terminal } from "./terminal.ts";
import type { VerifyFlags } from "./verify-command.ts";

/** How long a command may take to stop in order after it was asked to, in milliseconds. Journals are safe at any moment. */
const STOP_GRACE_MS = 4000;

/** Runs the command line. Returns the process's exit code (docs: README, "Exit codes"); it never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  using _listening = listen(argv, stop);
  const output = watchOutput();
  let exit = 0;
  const act: Act = async (flags, work) => {
    const terminal = new Terminal({
      json: flags.json === true,
      verbose: flags.verbose === true,
      quiet: flags.quiet === true,
    });
    try {
      exit = (await work(terminal)) ?? 0;
    } catch (error) {
      const failure = failureOf(stop.signal.aborted ? stop.signal.reason : error);
      exit = failure.exit;
      terminal.fail(failure, error);
    }
  };
  try {
    await program(act, stop.signal).parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    terminalOf(argv).fail(usageFailure(error, argv), error);
    return EXIT_CODES.usage;
  }
  return (await output.failed()) ? Math.max(exit, EXIT_CODES.failed) : exit;
}

/** Signals, and errors that nobody waited for. */
function listen(argv: readonly string[], stop: AbortController): Disposable {
  const interrupt = (): void => {
    // The first asks to stop in order; the second does not wait.
    if (stop.signal.aborted) process.exit(EXIT_CODES.interrupted);
    stop.abort(
      new IpdmError("INTERRUPTED", "stopped; the same command goes on from here", {
        kind: "interrupted",
        retry: "now",
      }),
    );
    const late = setTimeout(() => {
      terminalOf(argv).fail(failureOf(stop.signal.reason), stop.signal.reason);
      process.exit(EXIT_CODES.interrupted);
    }, STOP_GRACE_MS);
    late.unref();
  };
  const crash = (error: unknown): void => {
    terminalOf(argv).fail(failureOf(error), error);
    process.exit(EXIT_CODES.failed);
  };
  process
    .on("SIGINT", interrupt)
    .on("SIGTERM", interrupt)
    .on("uncaughtException", crash)
    .on("unhandledRejection", crash);
  return {
    [Symbol.dispose]: () => {
      process
        .off("SIGINT", interrupt)
        .off("SIGTERM", interrupt)
        .off("uncaughtException", crash)
        .off("unhandledRejection", crash);
    },
  };
}

/**
 * A reader that went away (`| head -1`) is no failure: the work goes on, and its results are files. Any other error of stdout
 * means that what it was to hold is lost.
 */
function watchOutput(): { failed(): Promise<boolean> } {
  let failed = false;
  const look = (error: NodeJS.ErrnoException): void => {
    if (error.code === "EPIPE" || failed) return;
    failed = true;
    process.stderr.write(`✗ STDOUT_FAILED the output could not be written: ${error.message}\n`);
  };
  process.stdout.on("error", look);
  process.stderr.on("error", () => {});
  return {
    failed: async () => {
      await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
      return failed;
    },
  };
}

function terminalOf(argv: readonly string[]): Terminal {
  return new Terminal({ json: argv.includes("--json"), verbose: argv.includes("--verbose"), quiet: false });
}

/** A mistake in the command line, told as any other failure. */
function usageFailure(error: CommanderError, argv: readonly string[]): Failure {
  const isBare = error.code === "commander.help";
  const [what = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const meant = /\(Did you mean (.+)\?\)/.exec(rest.join(" "))?.[1];
  const help = `ipdm-runtime ${COMMANDS.has(argv[0] ?? "") ? `${argv[0]} ` : ""}--help`;
  return {
    code: "USAGE",
    message: isBare ? "a command is missing" : what,
    where: undefined,
    hint: meant === undefined ? help : `did you mean ${meant}?`,
    facts: {},
    exit: EXIT_CODES.usage,
  };
}

const COMMANDS: ReadonlySet<string> = new Set(["run", "verify", "replay", "init", "module", "actors", "events", "dag"]);

// Commands are loaded when they are used: `--help` must not wait for databases and networks.
function program(act: Act, signal: AbortSignal): Command {
  const root = new Command("ipdm-runtime")
    .description("Data pipelines whose results carry their own evidence")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError()
    // `module publish --version` is an option of that command.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  common(root.command("run"))
    .description("run a configuration: data in, tables and a receipt out")
    .argument("<config>", "ipdm.yaml, or a folder that holds one")
    .option("--out <dir>", "folder for tables and receipt (default: out/<name>)", written)
    .option("--data <dir>", "folder for keys, journals and batches (default: .data in the out folder)", written)
    .option(
      "--catalogue <dir>",
      "folder with the catalogue of modules (default: as configured, else .ipdm/catalogue)",
      written,
    )
    .option("--replicas <n>", "nodes that compute and vote (default: as configured)")
    .option("--batch-rows <n>", "rows a batch, 1 to 4096; never changes the result (default: 4096)")
    .option(
      "--lanes <n>",
      "threads that run a node's modules; never changes the result (default: cores shared by nodes)",
    )
    .option("--fresh", "compute everything again, reuse nothing")
    .action((config: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./run-command.ts")).runCommand(config, flags as RunFlags, terminal, signal),
      ),
    );
  common(root.command("verify"))
    .description("check a receipt offline: hashes, links, signatures, quorum, Merkle and zero-knowledge proofs")
    .argument("<receipt>", "receipt.car")
    .option("--trust <keys.json>", "keys that the reader trusts: every signer has to be one of them", written)
    .option("--expect <result>", "the result that the reader expects, as its CID", written)
    .action((receipt: string, flags: CommonFlags) =>
      act(flags, async (terminal) =>
        (await import("./verify-command.ts")).verifyCommand(receipt, flags as VerifyFlags, terminal),
      ),
    );
  withMachines(common(root.command("replay")))
    .description("redo everything a receipt claims, or one actor's journal, and compare")
    .argument("<what>", "receipt.car; with --dir an actor's id or an entry's CID; or a CAR file with a journal")
    .option("--data <dir>", "data folder of the run (default: .data beside the receipt)", written)
    .addOption(new Option("--input <name=path>", "read this input from a file").argParser(collect).default([]))
    .addOption(
      new Option("--module <task=path>", "run this module instead of the recorded one").argParser(collect).default([]),
    )
    .option("--timeout <duration>", "how long one call of a module may take, up to 1h (default: 60s)")
    .option(
      "--dir <dir>",
      "folder of a runtime, or of a node in a run's data folder: replay a journal of its store",
      written,
    )
    .option("--at <seq>", "stop after this event of the journal, and print the state")
    .option("--from <checkpoint>", "begin at a checkpoint of the journal: its CID, or the number of its event")
    .action((what: string, flags: CommonFlags & JournalReplayFlags) =>
      act(flags, async (terminal) => {
        const journals = await import("./actors/replay-command.ts");
        if (await journals.isJournal(what, flags)) return await journals.replayJournalCommand(what, flags, terminal);
        return await (await import("./replay-command.ts")).replayCommand(what, flags as ReplayFlags, terminal, signal);
      }),
    );
  common(root.command("init"))
    .description("write a working starter into a new folder")
    .argument("<dir>", "a new or empty folder")
    .action((dir: string, flags: CommonFlags) =>
      act(flags, async (terminal) => (await import("./init-command.ts")).initCommand(dir, terminal)),
    );
  addModuleCommands(root, act, signal);
  addActorCommands(root, act);
  for (const command of root.commands) command.exitOverride().showSuggestionAfterError();
  return root;
}

/** A value of at least one letter: an unset variable of a script must not become the working folder. */
function written(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is empty.");
  return value;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function version(): string {
  const path = new URL(
    import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json",
    import.meta.url,
  );
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  return String((parsed as { version?: unknown }).version);
}
