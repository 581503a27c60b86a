import fc from "fast-check";
import type { CID } from "multiformats/cid";
import type { Committed, TaskCommits } from "../../../src/consensus/coverage.ts";
import type { Slot } from "../../../src/consensus/slot.ts";
import type { Statement } from "../../../src/consensus/statement.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { linkTo } from "./domain.ts";

/** How a generated pipeline is cut: rows of each source slot, and how many of them the first task hands on. */
export interface Shape {
  readonly slots: readonly { readonly rows: number; readonly keeps: number }[];
  readonly outRows: number;
}

export const shape: fc.Arbitrary<Shape> = fc.record({
  slots: fc.array(fc.record({ rows: fc.integer({ min: 1, max: 20 }), keeps: fc.integer({ min: 1, max: 20 }) }), {
    minLength: 1,
    maxLength: 6,
  }),
  outRows: fc.nat(9),
});

/** A source of `shape`, a task that filters it, and a task that reads what the first made: correct in every respect. */
export function pipelineOf({ slots, outRows }: Shape): {
  readonly tasks: TaskCommits[];
  readonly rows: Record<string, number>;
} {
  const first: Committed[] = [];
  const second: Committed[] = [];
  let read = 0;
  let made = 0;
  for (const [seq, { rows, keeps }] of slots.entries()) {
    const end = seq === slots.length - 1;
    const kept = Math.min(rows, keeps);
    const a = [linkTo(`source ${seq}`)];
    const b = [linkTo(`kept ${seq}`)];
    first.push(
      commit(
        "first",
        seq,
        { from: read, rows, end, batches: a },
        { from: made, rows: kept, batches: b },
        made + kept,
        first.at(-1),
      ),
    );
    second.push(
      commit(
        "second",
        seq,
        { from: made, rows: kept, end, batches: b },
        { from: 0, rows: end ? outRows : 0, batches: [] },
        outRows,
        second.at(-1),
      ),
    );
    read += rows;
    made += kept;
  }
  return {
    tasks: [
      { task: "first", input: { from: "source", name: "src", port: "main" }, commits: first },
      { task: "second", input: { from: "task", name: "first", port: "main" }, commits: second },
    ],
    rows: { src: read },
  };
}

interface Range {
  readonly from: number;
  readonly rows: number;
  readonly batches: CID[];
}

function commit(
  task: string,
  seq: number,
  input: Range & { readonly end: boolean },
  output: Range,
  total: number,
  before: Committed | undefined,
): Committed {
  const stage = linkTo(`stage ${task}`);
  const slot: Slot = {
    v: 1,
    membership: linkTo("membership"),
    domain: "d",
    epoch: 1,
    task,
    key: linkTo(`key ${task}`),
    stage,
    seq,
    input: { ...input, cut: 4 },
    submitter: new Uint8Array(32),
    signature: new Uint8Array(64),
  };
  const slotCid = cborBlock(sha256, slot).cid;
  const root = new Uint8Array(32);
  const statement: Statement = {
    v: 1,
    kind: "result",
    slot: slotCid,
    stage,
    module: null,
    input: { from: input.from, rows: input.rows },
    outputs: { main: { ...output, leaf: "batch", root } },
    state: { before: before?.statement.state.after ?? null, after: linkTo(`state ${task}/${seq}`) },
    fuel: null,
    tables: input.end ? { main: { rows: total, leaf: "batch", leaves: 1, root } } : null,
  };
  return { slot, slotCid, statement, statementCid: cborBlock(sha256, statement).cid };
}
