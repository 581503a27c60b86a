import { CommanderError } from "commander";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import type { Act } from "./act.ts";
import { type Failure, failureOf } from "./failure.ts";
import { program } from "./program.ts";
import type { Ending } from "./run-command.ts";
import { Terminal } from "./terminal.ts";

/** How long a command may take to stop in order after it was asked to, in milliseconds. Journals are safe at any moment. */
const STOP_GRACE_MS = 4000;

/** Runs the command line. Returns the process's exit code (docs: README, "Exit codes"); it never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const ending: Ending = {};
  using _listening = listen(argv, stop, ending);
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
    await program(act, stop.signal, ending).parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    terminalOf(argv).fail(usageFailure(error, argv), error);
    return EXIT_CODES.usage;
  }
  return (await output.failed()) ? Math.max(exit, EXIT_CODES.failed) : exit;
}

/** Signals, and errors that nobody waited for. */
function listen(argv: readonly string[], stop: AbortController, ending: Ending): Disposable {
  const interrupt = (): void => {
    const { end } = ending;
    delete ending.end;
    if (end !== undefined) return end();
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
  // What fails later than this command is nobody's any more; once is enough, however often a program calls.
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners("error").includes(unheard)) stream.on("error", unheard);
  process.stdout.on("error", look);
  return {
    failed: async () => {
      await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
      process.stdout.off("error", look);
      return failed;
    },
  };
}

function unheard(): void {}

function terminalOf(argv: readonly string[]): Terminal {
  return new Terminal({ json: argv.includes("--json"), verbose: argv.includes("--verbose"), quiet: false });
}

/** A mistake in the command line, told as any other failure. */
function usageFailure(error: CommanderError, argv: readonly string[]): Failure {
  const isBare = error.code === "commander.help";
  const [what = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const meant = /\(Did you mean (.+)\?\)/.exec(rest.join(" "))?.[1];
  const named = program(async () => {}, new AbortController().signal).commands.some((one) => one.name() === argv[0]);
  const help = `ipdm-runtime ${named ? `${argv[0]} ` : ""}--help`;
  return {
    code: "USAGE",
    message: isBare ? "a command is missing" : what,
    where: undefined,
    hint: meant === undefined ? help : `did you mean ${meant}?`,
    facts: {},
    exit: EXIT_CODES.usage,
  };
}
