import type { RunNode } from "../../actors/node/run-node.ts";
import { quorumNumbers } from "../consensus/membership.ts";
import { LATE, LATE_RIGHT } from "../runtime/plan.ts";
import type { RunSummary } from "./options.ts";
import type { ReceiptContents } from "./receipt.ts";
import { rejectedCounts } from "./rejected.ts";

/** What a summary is made of, besides what the node knows: paths by output, and how long it took. */
export interface SummaryInput {
  readonly receipt: string;
  readonly keys: string;
  readonly files: ReadonlyMap<string, string>;
  readonly seconds: number;
  /** False where proofs were made with development keys. */
  readonly production: boolean;
}

/** Sums a finished run up, from its submitting node and its receipt. */
export async function summaryOf(lead: RunNode, made: ReceiptContents, input: SummaryInput): Promise<RunSummary> {
  const { plan, membership } = lead.ports;
  const outputs = plan.outputs.map(({ name }) => ({
    name,
    file: input.files.get(name) as string,
    rows: lead.writtenRows(name) ?? 0,
  }));
  const late: Record<string, number> = {};
  for (const task of plan.tasks) {
    const tables = lead.ledger.commits(task.name).at(-1)?.statement.tables;
    const [rows, right] = [tables?.[LATE]?.rows ?? 0, tables?.[LATE_RIGHT]?.rows ?? 0];
    if (rows > 0) late[task.name] = rows;
    if (right > 0) late[`${task.name}.${LATE_RIGHT}`] = right;
  }
  return {
    receipt: input.receipt,
    receiptBytes: made.receipt.bytes.length,
    keys: input.keys,
    root: made.receipt.root.toString(),
    result: made.result.toString(),
    rows: {
      in: plan.inputs.reduce((sum, { name }) => sum + inputRows(lead, name), 0),
      out: outputs.reduce((sum, output) => sum + output.rows, 0),
    },
    statements: made.statements,
    certificates: made.certificates,
    proofs: made.proofs,
    seconds: input.seconds,
    outputs,
    reused: [...lead.reused],
    computed: plan.tasks.map(({ name }) => name).filter((name) => !lead.reused.has(name)),
    quorum: quorumNumbers(membership),
    late,
    rejected: await rejectedCounts(lead),
    production: input.production,
  };
}

function inputRows(lead: RunNode, source: string): number {
  const reader = lead.ports.plan.tasks.find((task) => task.input.from === "source" && task.input.name === source);
  const commits = reader === undefined ? [] : lead.ledger.commits(reader.name);
  return commits.reduce((sum, { slot }) => sum + slot.input.rows, 0);
}
