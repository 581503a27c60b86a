import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The repository. */
export const ROOT = resolve(import.meta.dirname, "../..");
/** The start script. */
export const BIN = join(ROOT, "bin", "ipdm-runtime.js");
/** The configuration of the whole example. */
export const FLIGHTS = join(ROOT, "examples", "flights", "ipdm.yaml");

/** How long any command of a test may take before it counts as hanging and is killed, in milliseconds. */
const HANGS_AFTER_MS = 110_000;

/** What a command came to. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Largest resident memory seen, in bytes; 0 where the system does not tell. */
  readonly memoryBytes: number;
}

/** Options of {@link start}. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run behind a shell: the words before the command, for limits and redirections. */
  readonly shell?: (command: string) => string;
}

const running = new Set<ChildProcess>();
process.on("exit", endAll);

/** Ends every command that still runs. */
export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Builds the package, unless the script that runs the tests did. Called before tests of the built command line. */
export function build(): void {
  if (
    process.env["npm_lifecycle_event"]?.startsWith("test") === true &&
    existsSync(join(ROOT, "dist", "src", "cli", "main.js"))
  )
    return;
  // Under npx the build takes itself for done.
  const { npm_command: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "tools", "build.ts")], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the package does not build: ${stderr}`);
}

/** A command that was started. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout and stderr together hold the text; rejects when the command ends without. */
  says(text: string): Promise<void>;
  /** What it has written to stdout by now. */
  said(): string;
}

/** Starts `ipdm-runtime` from `dist`. */
export function start(args: readonly string[], { cwd = ROOT, env = {}, shell }: StartOptions = {}): Running {
  const environment = { ...process.env, NO_COLOR: "1", ...env };
  const words = [process.execPath, BIN, ...args];
  const [file, rest] =
    shell === undefined ? [process.execPath, [BIN, ...args]] : ["bash", ["-c", shell(words.map(quoted).join(" "))]];
  const child = spawn(file, rest, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const text = { stdout: "", stderr: "" };
  let memoryBytes = 0;
  const look = setInterval(() => (memoryBytes = Math.max(memoryBytes, peakOf(child.pid))), 100);
  const hangs = setTimeout(() => {
    text.stderr += "\n[killed by the test: it hangs]\n";
    child.kill("SIGKILL");
  }, HANGS_AFTER_MS);
  child.stdout?.on("data", (part: Buffer) => (text.stdout += part.toString()));
  child.stderr?.on("data", (part: Buffer) => (text.stderr += part.toString()));
  const ended = once(child, "close").then(([code]): Ended => {
    clearInterval(look);
    clearTimeout(hangs);
    running.delete(child);
    return { code: code as number | null, ...text, memoryBytes };
  });
  const says = async (wanted: string): Promise<void> => {
    for (;;) {
      if (`${text.stdout}\n${text.stderr}`.includes(wanted)) return;
      const over = await Promise.race([
        ended,
        once(child.stdout ?? child, "data"),
        once(child.stderr ?? child, "data"),
      ]);
      if ("stdout" in over && !`${text.stdout}\n${text.stderr}`.includes(wanted))
        throw new Error(`it ended without saying ${wanted}: ${text.stderr}`);
    }
  };
  return { child, ended, says, said: () => text.stdout };
}

/** Runs `ipdm-runtime` to its end. */
export function run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(args, options).ended;
}

/** The last line of a command's `--json` output. */
export function lastJson({ stdout, stderr }: Ended): Record<string, unknown> {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new Error(`the last line is no JSON object: ${line}\n${stderr}`);
  }
}

/** Runs with `--json` and returns the last line; fails unless the exit code is 0. */
export async function runJson(args: readonly string[], options: StartOptions = {}): Promise<Record<string, unknown>> {
  const ended = await run([...args, "--json"], options);
  if (ended.code !== 0)
    throw new Error(`ipdm-runtime ${args.join(" ")} ended with ${ended.code}: ${ended.stderr}\n${ended.stdout}`);
  return lastJson(ended);
}

function peakOf(pid: number | undefined): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
