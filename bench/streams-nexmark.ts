import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { rowsOf } from "../src/sources/generated/nexmark-events.ts";
import { type Measured, measure, median, ROOT, type Tell } from "./harness.ts";

/** Queries, and how many events each is measured over: those that keep or put out most of what they read over fewer. */
const QUERIES = { q0: 1, q1: 1, q2: 4, q3: 8, q4: 1, q5: 8, q7: 8, q8: 8, q11: 4 } as const;
const MILLION = 1_000_000;

type Query = keyof typeof QUERIES;

interface Pipeline {
  sources: Record<string, { generate: { nexmark: "persons" | "auctions" | "bids"; events: number } }>;
  tasks: Record<string, { input: string | string[] }>;
  outputs: Record<string, { input: string; file: string }>;
}

/**
 * Whole runs of queries of `examples/nexmark`, each by itself: full-width rows, which a thread generates, journal, checkpoints, statements,
 * certificate, receipt, and the table as CSV. Rows of the sources that a query reads, a second of CPU time of the whole process from its start
 * to its end, all threads together (`rows_s`), and a second by the clock (`wall_rows_s`).
 */
export async function streamsNexmark(rounds: number, tell: Tell): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "ipdm-nexmark-"));
  const example = await readFile(join(ROOT, "examples/nexmark/ipdm.yaml"), "utf8");
  const found: Partial<Record<Query, { readonly rows: number; readonly cpu: number[]; readonly wall: number[] }>> = {};
  try {
    for (let round = 0; round < rounds; round++) {
      for (const query of Object.keys(QUERIES) as Query[]) {
        const path = join(folder, `${query}.yaml`);
        const { text, rows } = configOf(example, query);
        await writeFile(path, text);
        const cpuFile = join(folder, "cpu");
        const out = join(folder, "out");
        const run = await measure(
          ["--import", join(ROOT, "bench/cpu-seconds.ts"), "bin/ipdm-runtime.js", "run", path, "--json", "--out", out],
          { IPDM_BENCH_CPU: cpuFile },
        );
        await rm(out, { recursive: true, force: true });
        const cpu = Number(await readFile(cpuFile, "utf8"));
        const own = (found[query] ??= { rows, cpu: [], wall: [] });
        own.cpu.push(cpu);
        own.wall.push(run.seconds);
        tell(
          `${query}: ${rows} rows, ${cpu.toFixed(2)} s of CPU, ${run.seconds.toFixed(2)} s, ${run.treeMb.toFixed(0)} MB`,
        );
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const metrics: Record<string, number> = {};
  for (const [query, { rows, cpu, wall }] of Object.entries(found)) {
    metrics[`nexmark_${query}_rows_s`] = Math.round(rows / median(cpu));
    metrics[`nexmark_${query}_wall_rows_s`] = Math.round(rows / median(wall));
  }
  return { metrics, notes: { nexmark_q0_rows_s: "rows a CPU second, from the program's start to its end" } };
}

/** The example's configuration, as far as one query needs it, and the rows that its sources have. */
function configOf(example: string, query: Query): { readonly text: string; readonly rows: number } {
  const all = parse(example) as Pipeline;
  const sources: Pipeline["sources"] = {};
  const tasks: Pipeline["tasks"] = {};
  let rows = 0;
  const take = (name: string): void => {
    const source = all.sources[name];
    if (source !== undefined && sources[name] === undefined) {
      source.generate.events = QUERIES[query] * MILLION;
      sources[name] = source;
      rows += rowsOf(source.generate.nexmark, source.generate.events);
    }
    const task = all.tasks[name];
    if (task === undefined || tasks[name] !== undefined) return;
    for (const input of [task.input].flat()) take(input);
    tasks[name] = task;
  };
  take(query);
  const outputs = { [query]: all.outputs[query] };
  return { text: stringify({ name: "nexmark", sources, tasks, outputs }), rows };
}
