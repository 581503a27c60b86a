import { type Command, InvalidArgumentError } from "commander";
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

/** An option's value of at least one letter: an unset variable of a script must not become the working folder. */
export function written(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is empty.");
  return value;
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
