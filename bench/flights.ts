import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interleave, type Measured, measure, median, ROOT, type Run, rounded } from "./harness.ts";

const CONFIG = join("examples", "flights", "ipdm.yaml");
const PARQUET = join(ROOT, "node_modules", "vega-datasets", "data", "flights-3m.parquet");

/** The last line of `ipdm-runtime run --json`. */
interface Done {
  readonly result: string;
  readonly rows: { readonly in: number; readonly out: number };
  readonly statements: number;
  readonly certificates: number;
  readonly proofs: number;
}

/**
 * Three million flights through the whole pipeline, by the command line from its start to its end, with one replica and with
 * three; and the same aggregation in DuckDB, which shows what evidence costs. Every run starts from an empty folder.
 */
export async function flights(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const scratch = await mkdtemp(join(tmpdir(), "ipdm-bench-"));
  try {
    const runs = await interleave(
      rounds,
      {
        replicas1: () => runtime(scratch, 1),
        replicas3: () => runtime(scratch, 3),
        duckdb: () => measure([join("bench", "duckdb-flights.ts"), PARQUET, join(scratch, "duckdb.parquet")]),
      },
      tell,
    );
    const done = [...runs.replicas1, ...runs.replicas3].map(doneOf);
    const results = new Set(done.map((each) => each.result));
    if (results.size !== 1)
      throw new Error(`runs of the same input gave ${results.size} results: ${[...results].join(", ")}`);
    return summary(runs, done.at(-1) as Done, rounds);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runtime(scratch: string, replicas: number): Promise<Run> {
  const dir = await mkdtemp(join(scratch, `replicas-${replicas}-`));
  const folders = ["--data", join(dir, "data"), "--out", join(dir, "out")];
  const run = await measure([
    join("bin", "ipdm-runtime.js"),
    "run",
    CONFIG,
    "--replicas",
    String(replicas),
    ...folders,
    "--json",
  ]);
  await rm(dir, { recursive: true, force: true });
  return run;
}

function doneOf(run: Run): Done {
  const last = run.stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(last) as Done;
}

function summary(
  runs: Readonly<Record<"replicas1" | "replicas3" | "duckdb", readonly Run[]>>,
  done: Done,
  rounds: number,
): Measured {
  const middle = (name: keyof typeof runs, value: (run: Run) => number): number =>
    rounded(median(runs[name].map(value)));
  const seconds1 = middle("replicas1", (run) => run.seconds);
  const seconds3 = middle("replicas3", (run) => run.seconds);
  const duckdbSeconds = middle("duckdb", (run) => run.seconds);
  return {
    metrics: {
      ratio_3_to_1: rounded(seconds3 / seconds1),
      ratio_1_to_duckdb: rounded(seconds1 / duckdbSeconds),
      seconds_1: seconds1,
      seconds_3: seconds3,
      duckdb_seconds: duckdbSeconds,
      rows_per_second_1: Math.round(done.rows.in / seconds1),
      rss_mb_1: middle("replicas1", (run) => run.rssMb),
      rss_mb: middle("replicas3", (run) => run.rssMb),
      rss_tree_mb: middle("replicas3", (run) => run.treeMb),
    },
    notes: {
      ratio_3_to_1: "what three nodes that check each other cost",
      ratio_1_to_duckdb: "DuckDB computes the same table without journal, hashes, proofs or receipt",
      seconds_1: `one replica, the process from start to end, median of ${rounds}; ${done.rows.in} rows in, ${done.rows.out} out`,
      seconds_3: `three replicas; ${done.statements} statements, ${done.certificates} certificates, ${done.proofs} proofs`,
      rss_mb: "peak of the process with three replicas",
      rss_tree_mb: "with the processes it starts, at one time",
    },
  };
}
