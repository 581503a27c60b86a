import { resolve } from "node:path";
import { EXIT_CODES } from "../../core/errors.ts";
import { failureOf } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import type { Check, Finding, Level } from "./check.ts";
import { machineChecks } from "./machine-checks.ts";
import { runtimeChecks } from "./runtime-checks.ts";

/** Flags of `doctor`, as the command line gives them. */
export interface DoctorFlags {
  readonly data?: string;
}

const MARKS: Readonly<Record<Level, string>> = { ok: "✓", warn: "!", fail: "✗" };

/** `ipdm-runtime doctor`: checks what the runtime stands on. Returns the exit code: that of a failure when a check fails. */
export async function doctorCommand({ data }: DoctorFlags, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const folder = resolve(data ?? ".");
  return runChecks([...machineChecks(folder), ...runtimeChecks(folder)], terminal, signal);
}

/** Runs checks one after the other and says what each found. */
export async function runChecks(checks: readonly Check[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const counts: Record<Level, number> = { ok: 0, warn: 0, fail: 0 };
  for (const { name, run } of checks) {
    signal.throwIfAborted();
    const { level, message, hint } = await run(signal).catch(thrown);
    signal.throwIfAborted();
    counts[level]++;
    if (terminal.options.json)
      terminal.json({ event: "check", name, level, message, ...(hint === undefined ? {} : { hint }) });
    else {
      terminal.print(`${MARKS[level]} ${name.padEnd(11)} ${message}`);
      if (hint !== undefined) terminal.print(`  ${"try:".padEnd(11)} ${hint}`);
    }
  }
  const isWell = counts.fail === 0;
  if (terminal.options.json)
    terminal.json({ event: "doctor", ok: isWell, passed: counts.ok, limited: counts.warn, failed: counts.fail });
  else {
    terminal.print("");
    terminal.print(isWell ? `WELL: ${counts.ok} ok, ${counts.warn} with a limit.` : `NOT WELL: ${counts.fail} failed.`);
  }
  return isWell ? 0 : EXIT_CODES.failed;
}

function thrown(error: unknown): Finding {
  const { code, message, hint } = failureOf(error);
  return {
    level: "fail",
    message: message.startsWith(code) ? message : `${code}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
