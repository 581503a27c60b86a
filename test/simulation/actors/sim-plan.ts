import type { ReadSource } from "../../../actors/node/input.ts";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { Anchor, Operator, Stage } from "../../../src/consensus/result.ts";
import { runKey, taskKey } from "../../../src/consensus/work-key.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { type Block, cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { LATE, MAIN, type ProveWindows, type RunPlan, type TaskPlan, windowsAsked } from "../../../src/runtime/plan.ts";
import { windowPlan } from "../../../src/runtime/stage/window-operator.ts";
import { outputSchema } from "../../../src/streams/window/plan.ts";
import type { Random } from "./random.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "who", type: "utf8", nullable: false },
  { name: "amount", type: "i64", nullable: true },
]);

/** A pipeline without modules: a source is copied, the copy is summed by windows; both tables leave the run. */
export function simPlan(membership: Block, cut: number, rows: number, prove: ProveWindows | null = null): RunPlan {
  const anchor: Anchor = {
    v: 1,
    kind: "file",
    format: "csv",
    sha256: sha256(utf8(`rows ${rows}`)),
    bytes: rows,
    columns: null,
  };
  const anchorBlock = cborBlock(sha256, anchor);
  const window: Extract<Operator, { kind: "window" }> = {
    kind: "window",
    time: "at",
    outOfOrderUs: 0,
    sizeUs: 1000,
    offsetUs: 0,
    latenessUs: 0,
    keys: ["who"],
    aggregates: [
      { name: "n", kind: "count", column: null },
      { name: "sum", kind: "sum", column: "amount" },
    ],
  };
  const task = (...parts: Parts): TaskPlan => simTask(membership, cut, null, ...parts);
  const copy = task(
    "copied",
    { from: "source", name: "rows", port: MAIN },
    { kind: "copy" },
    anchorBlock,
    { [MAIN]: schema },
    { [MAIN]: "batch" },
  );
  const ports = { [MAIN]: outputSchema(windowPlan(window), schema), [LATE]: schema };
  const reads = { from: "task", name: "copied", port: MAIN } as const;
  const leaves = { [MAIN]: "row", [LATE]: "row" } as const;
  const sums = simTask(membership, cut, prove, "sums", reads, window, copy.stage, ports, leaves);
  const outputs = [
    { name: "table", task: "sums", port: MAIN, schema: ports[MAIN] },
    { name: "late", task: "sums", port: LATE, schema },
  ];
  const inputs = [{ name: "rows", anchor, anchorBlock, parts: [], headers: [], trusted: null, schema }];
  return {
    name: "simulated",
    tasks: [copy, sums],
    inputs,
    outputs,
    membership: { cid: membership.cid, block: membership },
    cut,
    locks: [],
    key: runKey(sha256, {
      name: "simulated",
      membership: membership.cid,
      tasks: { copied: copy.key.cid, sums: sums.key.cid },
      outputs: Object.fromEntries(outputs.map(({ name, task, port }) => [name, { task, port }])),
    }),
  };
}

type Parts = [
  name: string,
  input: TaskPlan["input"],
  operator: Operator,
  upstream: Block,
  ports: TaskPlan["ports"],
  leaves: TaskPlan["leaves"],
];

function simTask(
  membership: Block,
  cut: number,
  prove: ProveWindows | null,
  ...[name, input, operator, upstream, ports, leaves]: Parts
): TaskPlan {
  const stage: Stage = { v: 1, task: name, input, operator, upstream: upstream.cid, leaves: { ...leaves } };
  const block = cborBlock(sha256, stage);
  return {
    name,
    input,
    operator,
    stage: block,
    inputSchema: schema,
    ports,
    leaves,
    module: null,
    prove,
    key: taskKey(sha256, {
      stage: block.cid,
      membership: membership.cid,
      cut,
      prove: prove === null ? null : windowsAsked(prove),
    }),
  };
}

/** Rows in time order but for a few that are late. */
export function simBatches(random: Random, cut: number, rows: number): Batch[] {
  const writer = new BatchWriter(schema);
  const batches: Batch[] = [];
  for (let row = 0; row < rows; row++) {
    const late = random.chance(0.05) ? 3000 : 0;
    writer.push([
      BigInt(row * 40 - late),
      `w${random.below(4)}`,
      random.chance(0.1) ? null : BigInt(random.below(1000)),
    ]);
    if (writer.rows === cut || row === rows - 1) batches.push(writer.take());
  }
  return batches;
}

/** A source over batches in memory. */
export function simSource(batches: readonly Batch[], cut: number): ReadSource {
  return (_source, _cut, fromRow) =>
    batches.slice(Math.floor(fromRow / cut))[Symbol.iterator]() as unknown as AsyncIterator<Batch>;
}
