import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leafHash, merkleRoot } from "../../../../proofs/merkle/tree.ts";
import type { Batch } from "../../../../src/batch/batch.ts";
import type { Value } from "../../../../src/batch/column.ts";
import { BATCH_ROWS_MAX } from "../../../../src/batch/limits.ts";
import { RowEncoder } from "../../../../src/batch/rows.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import type { Operator } from "../../../../src/consensus/result.ts";
import type { Slot } from "../../../../src/consensus/slot.ts";
import type { LeafKind } from "../../../../src/consensus/statement.ts";
import { toHex } from "../../../../src/core/bytes.ts";
import { cborBlock, rawBlock } from "../../../../src/dag/block.ts";
import { sha256 } from "../../../../src/node.ts";
import { LATE, MAIN, type TaskPlan } from "../../../../src/runtime/plan.ts";
import { type Executed, StageRunner } from "../../../../src/runtime/stage/runner.ts";
import { windowPlan } from "../../../../src/runtime/stage/window-operator.ts";
import { outputSchema } from "../../../../src/streams/window/plan.ts";
import { linkTo } from "../../consensus/domain.ts";
import { batchesOf, rowsOf } from "../../streams/reference.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "who", type: "utf8", nullable: true },
  { name: "amount", type: "i64", nullable: true },
]);
const window: Extract<Operator, { kind: "window" }> = {
  kind: "window",
  time: "at",
  outOfOrderUs: 3,
  sizeUs: 10,
  offsetUs: 0,
  latenessUs: 2,
  keys: ["who"],
  aggregates: [
    { name: "n", kind: "count", column: null },
    { name: "sum", kind: "sum", column: "amount" },
    { name: "top", kind: "max", column: "amount" },
  ],
};
const signal = new AbortController().signal;

function taskOf(kind: "copy" | "window", leaf: LeafKind): TaskPlan {
  const operator: Operator = kind === "copy" ? { kind } : window;
  const ports =
    kind === "copy" ? { [MAIN]: schema } : { [MAIN]: outputSchema(windowPlan(window), schema), [LATE]: schema };
  const leaves = Object.fromEntries(Object.keys(ports).map((port) => [port, leaf]));
  const stage = cborBlock(sha256, { kind, leaf });
  return {
    name: "t",
    input: { from: "source", name: "s", port: MAIN },
    operator,
    stage,
    inputSchema: schema,
    ports,
    leaves,
    module: null,
    prove: null,
    key: stage,
  };
}

/** Executes rows in slots of the given sizes; with `fresh`, by a new runner for every slot, from the stored state. */
async function execute(
  task: TaskPlan,
  rows: readonly (readonly Value[])[],
  sizes: readonly number[],
  cut: number,
  fresh: boolean,
): Promise<Executed[]> {
  const stored = new Map<string, Uint8Array>();
  const runner = (): StageRunner =>
    new StageRunner(task, {
      hash: sha256,
      module: async () => null,
      read: async (cid) => {
        const bytes = stored.get(cid.toString());
        if (bytes === undefined) throw new Error(`no block ${cid.toString()}`);
        return bytes;
      },
    });
  let current = runner();
  const done: Executed[] = [];
  for (let from = 0, seq = 0; from < rows.length || seq === 0; seq++) {
    const size = Math.min(rows.length - from, sizes[seq % sizes.length] as number);
    const batches = batchesOf(schema, rows.slice(from, from + size), cut);
    const end = from + size >= rows.length;
    const slot: Slot = {
      v: 1,
      membership: linkTo("m"),
      domain: "d",
      epoch: 1,
      task: "t",
      key: linkTo("k"),
      stage: task.stage.cid,
      seq,
      input: { from, rows: size, end, cut, batches: batches.map((batch) => rawBlock(sha256, batch.bytes).cid) },
      submitter: new Uint8Array(32),
      signature: new Uint8Array(64),
    };
    const before = done.at(-1)?.statement.state.after ?? null;
    const executed = await current.execute(cborBlock(sha256, slot).cid, slot, batches, before, signal);
    for (const { cid, bytes } of executed.blocks) stored.set(cid.toString(), bytes);
    done.push(executed);
    from += size;
    if (fresh) current = runner();
    if (end) break;
  }
  return done;
}

const row = fc.tuple(
  fc.integer({ min: 0, max: 120 }).map((at) => BigInt(at)),
  fc.option(fc.constantFrom("a", "b", "ü")),
  fc.option(fc.bigInt({ min: -1000n, max: 1000n })),
);
const kind = fc.constantFrom("copy" as const, "window" as const);
const leaf = fc.constantFrom<LeafKind>("row", "batch");
const rows = fc.array(row, { maxLength: 60 });
const sizes = fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 });
const cut = fc.integer({ min: 1, max: 12 });

describe("a stage runner", () => {
  it("restored from its stored state at every slot states the same as one that goes on", async () => {
    await fc.assert(
      fc.asyncProperty(kind, leaf, rows, sizes, cut, async (operator, leaves, table, slots, size) => {
        const task = taskOf(operator, leaves);
        const one = await execute(task, table, slots, size, false);
        const many = await execute(task, table, slots, size, true);
        expect(many.map(({ statementBlock }) => statementBlock.cid.toString())).toEqual(
          one.map(({ statementBlock }) => statementBlock.cid.toString()),
        );
        expect(many.map(({ blocks }) => blocks.map(({ cid }) => cid.toString()))).toEqual(
          one.map(({ blocks }) => blocks.map(({ cid }) => cid.toString())),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("cuts every output into full batches, but for a slot's last, whatever the input's batches hold", async () => {
    await fc.assert(
      fc.asyncProperty(kind, leaf, rows, sizes, cut, async (operator, leaves, table, slots, size) => {
        for (const { outputs, statement } of await execute(taskOf(operator, leaves), table, slots, size, false)) {
          for (const [port, batches] of Object.entries(outputs)) {
            const counts = batches.map((batch) => batch.rows);
            for (const [i, count] of counts.entries())
              expect(i < counts.length - 1 ? count === BATCH_ROWS_MAX : count >= 1 && count <= BATCH_ROWS_MAX).toBe(
                true,
              );
            expect(statement.outputs[port]?.rows).toBe(counts.reduce((sum, count) => sum + count, 0));
            expect(statement.outputs[port]?.batches.map(String)).toEqual(
              batches.map((batch) => rawBlock(sha256, batch.bytes).cid.toString()),
            );
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("states RFC 6962 roots over encoded rows, a slot's and the whole table's", async () => {
    await fc.assert(
      fc.asyncProperty(kind, leaf, rows, sizes, cut, async (operator, leaves, table, slots, size) => {
        const done = await execute(taskOf(operator, leaves), table, slots, size, false);
        const tables = done.at(-1)?.statement.tables ?? {};
        for (const port of Object.keys(tables)) {
          const whole: Uint8Array[] = [];
          for (const { outputs, statement } of done) {
            const own = hashesOf(outputs[port] ?? [], leaves);
            expect(toHex(statement.outputs[port]?.root ?? new Uint8Array())).toBe(toHex(merkleRoot(sha256, own)));
            expect(statement.outputs[port]?.from).toBe(
              done
                .slice(
                  0,
                  done.findIndex((other) => other.statement === statement),
                )
                .reduce((sum, other) => sum + (other.statement.outputs[port]?.rows ?? 0), 0),
            );
            whole.push(...own);
          }
          expect(tables[port]?.leaves).toBe(whole.length);
          expect(toHex(tables[port]?.root ?? new Uint8Array())).toBe(toHex(merkleRoot(sha256, whole)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("makes the same table with row leaves however the input is cut into slots and batches", async () => {
    await fc.assert(
      fc.asyncProperty(kind, rows, sizes, cut, sizes, cut, async (operator, table, slotsA, sizeA, slotsB, sizeB) => {
        const task = taskOf(operator, "row");
        const tables = async (slots: readonly number[], size: number) =>
          (await execute(task, table, slots, size, false)).at(-1)?.statement.tables;
        expect(await tables(slotsA, sizeA)).toEqual(await tables(slotsB, sizeB));
      }),
      { numRuns: 60 },
    );
  });

  it("copies rows unchanged, and starts again from the stored state after a failure", async () => {
    const table = Array.from({ length: 9 }, (_, i): Value[] => [BigInt(i), "a", BigInt(i)]);
    const done = await execute(taskOf("copy", "row"), table, [4], 2, false);
    expect(done.flatMap(({ outputs }) => rowsOf(outputs[MAIN] ?? []))).toEqual(table);
    const runner = new StageRunner(taskOf("window", "row"), {
      hash: sha256,
      module: async () => null,
      read: async () => Promise.reject(new Error("not needed")),
    });
    const batches = batchesOf(schema, table, 4);
    const slot = (rowsNamed: number): Slot => ({
      v: 1,
      membership: linkTo("m"),
      domain: "d",
      epoch: 1,
      task: "t",
      key: linkTo("k"),
      stage: linkTo("stage"),
      seq: 0,
      input: { from: 0, rows: rowsNamed, end: true, cut: 4, batches: [] },
      submitter: new Uint8Array(32),
      signature: new Uint8Array(64),
    });
    await expect(runner.execute(linkTo("slot"), slot(8), batches, null, signal)).rejects.toMatchObject({
      code: "INPUT_MISMATCH",
    });
    const aborted = AbortSignal.abort(new Error("stop"));
    const many = batchesOf(
      schema,
      Array.from({ length: 40 }, (_, i): Value[] => [BigInt(i), "a", 1n]),
      1,
    );
    await expect(runner.execute(linkTo("slot"), slot(40), many, null, aborted)).rejects.toThrow("stop");
    const whole = await runner.execute(linkTo("slot"), slot(9), batches, null, signal);
    expect(rowsOf(whole.outputs[MAIN] ?? [])).toEqual([[0n, 10n, "a", 9n, 36n, 8n]]);
  });
});

function hashesOf(batches: readonly Batch[], leaves: LeafKind): Uint8Array[] {
  if (leaves === "batch") return batches.map((batch) => leafHash(sha256, rawBlock(sha256, batch.bytes).cid.bytes));
  const encoder = new RowEncoder();
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, i) => leafHash(sha256, encoder.encode(batch, i).slice())),
  );
}
