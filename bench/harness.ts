import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The folder of package.json. */
export const ROOT: string = resolve(import.meta.dirname, "..");

/** One named number; the unit stands last in its name. Metrics keep their order, so the ratios are put first. */
export type Metrics = Readonly<Record<string, number>>;

/** What a bench has to say: its numbers, and a sentence on each where the name is not enough. */
export interface Measured {
  readonly metrics: Metrics;
  readonly notes: Readonly<Record<string, string>>;
}

/** Says in a line how far a bench is. */
export type Tell = (line: string) => void;

/** A bench by name: it tells of its progress and gives its numbers, medians over `rounds`. */
export type Bench = (rounds: number, tell: Tell) => Promise<Measured>;

/** A process that was measured from outside, from its start to its end. */
export interface Run {
  readonly seconds: number;
  /** Peak resident memory of the process itself, from the kernel's own high-water mark. */
  readonly rssMb: number;
  /** The most that the process and all its descendants held at one time, as seen every 50 ms. */
  readonly treeMb: number;
  readonly stdout: string;
}

const POLL_MS = 50;
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Runs a program under this Node.js, with variables of its own, and measures it. Throws with the end of its stderr when it fails. */
export async function measure(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", CI: "true", ...env },
  });
  const memory = new MemoryWatch(child.pid ?? 0);
  const timer = setInterval(() => void memory.look(), POLL_MS);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.on("error", fail);
      child.on("close", done);
    });
    const seconds = (performance.now() - start) / 1000;
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${err().slice(-2000)}`);
    return { seconds, rssMb: memory.ownMb, treeMb: memory.treeMb, stdout: out() };
  } finally {
    clearInterval(timer);
  }
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The geometric mean: of ratios, the mean that does not depend on which side is the base. */
export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A number to three decimals. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Runs each candidate once in turn, `rounds` times over, so that a slow minute of the machine meets all of them. */
export async function interleave<Name extends string>(
  rounds: number,
  candidates: Readonly<Record<Name, () => Promise<Run>>>,
  tell: (line: string) => void,
): Promise<Readonly<Record<Name, readonly Run[]>>> {
  const names = Object.keys(candidates) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Name, Run[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const run = await candidates[name]();
      runs[name].push(run);
      tell(`round ${round} of ${rounds}: ${name} ${run.seconds.toFixed(2)} s, ${run.rssMb.toFixed(0)} MB`);
    }
  }
  return runs;
}

/** The numbers as a table for people. */
export function table({ metrics, notes }: Measured): string {
  const width = Math.max(...Object.keys(metrics).map((name) => name.length));
  const lines = Object.entries(metrics).map(([name, value]) => {
    const number = (Number.isInteger(value) ? String(value) : value.toFixed(2)).padStart(12);
    return `${name.padEnd(width)} ${number}${notes[name] === undefined ? "" : `  ${notes[name]}`}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Reads a process's memory from /proc; where there is none (not Linux) it stays 0. */
class MemoryWatch {
  readonly #pid: number;
  ownMb = 0;
  treeMb = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  async look(): Promise<void> {
    let sumMb = 0;
    const open = [this.#pid];
    for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      sumMb += megabytes(status, "VmRSS");
      if (pid === this.#pid) this.ownMb = Math.max(this.ownMb, megabytes(status, "VmHWM"));
      const children = await readFile(join("/proc", String(pid), "task", String(pid), "children"), "utf8").catch(
        () => "",
      );
      for (const child of children.split(" ")) if (child !== "") open.push(Number(child));
    }
    this.treeMb = Math.max(this.treeMb, sumMb);
  }
}

function megabytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
}

/** Keeps what a stream gives, up to a limit, and gives it as text. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  stream.on("data", (part: Buffer) => {
    sizeBytes += part.length;
    if (sizeBytes <= OUTPUT_MAX_BYTES) parts.push(part);
  });
  return () => Buffer.concat(parts).toString("utf8");
}
