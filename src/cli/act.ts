import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

/** Flags of every command. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** Carries out a command's work with a terminal of its flags; what the work returns or throws becomes the exit code. */
export type Act = (flags: CommonFlags, work: (terminal: Terminal) => Promise<number | void>) => Promise<void>;

/** Adds the options of every command. */
export function common(command: Command): Command {
  return command
    .option("--json", "one JSON object a line on stdout")
    .option("--quiet", "no narration on stderr")
    .option("--verbose", "more narration, and stack traces of errors");
}
