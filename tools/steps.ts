import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { execPath } from "node:process";

/** The folder of package.json. */
export const ROOT: string = resolve(import.meta.dirname, "..");

/** A command that was run: what it printed and how it ended. */
export interface Ran {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Something to run by name: a program of `node_modules/.bin`, a script of this tree, or a function that returns complaints. */
export interface Step {
  readonly name: string;
  readonly command?: readonly [program: string, ...args: string[]];
  readonly check?: () => Promise<readonly string[]>;
}

/** Runs one step to its end. It never throws: a failure is a result. */
export async function runStep(step: Step): Promise<Ran> {
  const start = performance.now();
  const { ok, output } = step.command === undefined ? await runCheck(step.check) : await runCommand(step.command);
  return { name: step.name, ok, output, seconds: (performance.now() - start) / 1000 };
}

/** Runs steps two at a time, in order, and tells of each as it ends. */
export async function runSteps(steps: readonly Step[], told: (ran: Ran) => void): Promise<readonly Ran[]> {
  const results: Ran[] = [];
  const waiting = [...steps];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const ran = await runStep(step);
      results.push(ran);
      told(ran);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}

/** One line about a step, and what it printed if it failed. */
export function report(ran: Ran): string {
  const line = `${ran.ok ? "ok  " : "FAIL"} ${ran.name.padEnd(12)} ${ran.seconds.toFixed(1)} s\n`;
  return ran.ok || ran.output === "" ? line : `${line}${ran.output.trimEnd().replace(/^/gm, "     ")}\n`;
}

function runCommand(
  command: readonly [string, ...string[]],
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const [program, ...args] = command;
  const path = program === "node" ? execPath : join(ROOT, "node_modules", ".bin", program);
  return new Promise((done) => {
    const child = spawn(path, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    child.stderr.on("data", (part: Buffer) => parts.push(part));
    child.on("error", (error) => done({ ok: false, output: error.message }));
    child.on("close", (code) => done({ ok: code === 0, output: Buffer.concat(parts).toString("utf8") }));
  });
}

async function runCheck(check: Step["check"]): Promise<{ readonly ok: boolean; readonly output: string }> {
  try {
    const complaints = (await check?.()) ?? [];
    return { ok: complaints.length === 0, output: complaints.join("\n") };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
