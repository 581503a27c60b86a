import type { ReadSource } from "../../../actors/node/input.ts";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { Anchor, Operator, Stage } from "../../../src/consensus/result.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { type Block, cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { LATE, MAIN, type RunPlan, type TaskPlan } from "../../../src/runtime/plan.ts";
import { windowPlan } from "../../../src/runtime/stage/window-operator.ts";
import { outputSchema } from "../../../src/streams/window/plan.ts";
import type { Random } from "./random.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "who", type: "utf8", nullable: false },
  { name: "amount", type: "i64", nullable: true },
]);

/** A pipeline without modules: a source is copied, the copy is summed by windows; both tables leave the run. */
export function simPlan(membership: Block, cut: number, rows: number): RunPlan {
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
  const copy = task(
    "copied",
    { from: "source", name: "rows", port: MAIN },
    { kind: "copy" },
    anchorBlock,
    { [MAIN]: schema },
    { [MAIN]: "batch" },
  );
  const ports = { [MAIN]: outputSchema(windowPlan(window), schema), [LATE]: schema };
  const sums = task("sums", { from: "task", name: "copied", port: MAIN }, window, copy.stage, ports, {
    [MAIN]: "row",
    [LATE]: "row",
  });
  const outputs = [
    { name: "table", task: "sums", port: MAIN, schema: ports[MAIN] },
    { name: "late", task: "sums", port: LATE, schema },
  ];
  const inputs = [{ name: "rows", anchor, anchorBlock, schema }];
  return {
    name: "simulated",
    tasks: [copy, sums],
    inputs,
    outputs,
    membership: { cid: membership.cid, block: membership },
    cut,
    locks: [],
    key: `${membership.cid.toString()}-${cut}`,
  };
}

function task(
  name: string,
  input: TaskPlan["input"],
  operator: Operator,
  upstream: Block,
  ports: TaskPlan["ports"],
  leaves: TaskPlan["leaves"],
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
    prove: null,
    key: block.cid.toString(),
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
