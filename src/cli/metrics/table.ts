import type { RunProgress } from "../../run/options.ts";
import type { StageStatus } from "../../run/stages.ts";

/** What metrics are made of: the run as a whole, and its stages. */
export interface MetricSource {
  readonly progress: RunProgress | undefined;
  readonly stages: readonly StageStatus[];
}

/** A value with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric: its name and type in Prometheus' terms, what it is, and how it is read. */
export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly read: (source: MetricSource) => readonly Sample[];
}

const ofRun =
  (value: (progress: RunProgress) => number | undefined): Metric["read"] =>
  ({ progress }) => {
    const found = progress === undefined ? undefined : value(progress);
    return found === undefined ? [] : [{ labels: {}, value: found }];
  };

const ofStages =
  (value: (stage: StageStatus) => number | undefined): Metric["read"] =>
  ({ stages }) =>
    stages.flatMap((stage) => {
      const found = value(stage);
      return found === undefined ? [] : [{ labels: { stage: stage.stage }, value: found }];
    });

/** Every metric there is. */
export const METRICS: readonly Metric[] = [
  {
    name: "ipdm_run_phase_info",
    type: "gauge",
    help: "The run's phase, as a label; always 1.",
    read: ({ progress }) => [{ labels: { phase: progress?.phase ?? "opening" }, value: 1 }],
  },
  {
    name: "ipdm_run_source_rows",
    type: "gauge",
    help: "Rows of sources that are done.",
    read: ofRun(({ rowsIn }) => rowsIn),
  },
  {
    name: "ipdm_run_source_rows_expected",
    type: "gauge",
    help: "Rows of all sources, once they are known or estimated.",
    read: ofRun(({ rowsTotal }) => rowsTotal),
  },
  {
    name: "ipdm_run_statements_total",
    type: "counter",
    help: "Statements that this process executed.",
    read: ofRun(({ statements }) => statements),
  },
  {
    name: "ipdm_run_certificates_total",
    type: "counter",
    help: "Certificates that came about in this process.",
    read: ofRun(({ certificates }) => certificates),
  },
  {
    name: "ipdm_run_proofs_total",
    type: "counter",
    help: "Zero-knowledge proofs made or checked in this process.",
    read: ofRun(({ proofs }) => proofs),
  },
  {
    name: "ipdm_stage_head_rows",
    type: "gauge",
    help: "Rows of its input that a stage has executed.",
    read: ofStages(({ headRows }) => headRows),
  },
  {
    name: "ipdm_stage_certified_rows",
    type: "gauge",
    help: "Rows of its input for which a stage has certificates.",
    read: ofStages(({ certifiedRows }) => certifiedRows),
  },
  {
    name: "ipdm_stage_out_rows",
    type: "gauge",
    help: "Rows that a stage made, over all its outputs.",
    read: ofStages(({ outRows }) => outRows),
  },
  {
    name: "ipdm_stage_lag_rows",
    type: "gauge",
    help: "Rows of its input that are there and not executed; absent while their number is not known.",
    read: ofStages(({ lagRows }) => lagRows),
  },
  {
    name: "ipdm_stage_rate_rows_per_second",
    type: "gauge",
    help: "Rows that a stage executed a second, over the last ten seconds.",
    read: ofStages(({ rowsPerSecond }) => rowsPerSecond),
  },
  {
    name: "ipdm_stage_idle_seconds",
    type: "gauge",
    help: "Seconds since a stage's head or certificates moved; 0 for one that is done.",
    read: ofStages(({ idleSeconds }) => idleSeconds),
  },
  {
    name: "ipdm_stage_waiting_info",
    type: "gauge",
    help: "What a stage waits for, as a label: input, execution, proofs, votes or done; always 1.",
    read: ({ stages }) => stages.map(({ stage, waits }) => ({ labels: { stage, for: waits }, value: 1 })),
  },
];

/** The metrics in the text form of Prometheus (exposition format 0.0.4). */
export function exposition(source: MetricSource): string {
  return METRICS.map(({ name, type, help, read }) => {
    const lines = read(source).map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join("\n");
  })
    .join("\n")
    .concat("\n");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
