import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../../../src/batch/column.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import type { Operator } from "../../../../src/consensus/result.ts";
import type { Slot } from "../../../../src/consensus/slot.ts";
import { cborBlock, rawBlock } from "../../../../src/dag/block.ts";
import { sha256 } from "../../../../src/node.ts";
import { loadModule } from "../../../../src/run/modules.ts";
import { MAIN, type TaskPlan } from "../../../../src/runtime/plan.ts";
import { type Executed, type LoadedModule, StageRunner } from "../../../../src/runtime/stage/runner.ts";
import { openLane } from "../../../../src/sandbox/lane.ts";
import { countingSource } from "../../../support/stateful-module.ts";
import { specOf, watBytes } from "../../../support/wat-module.ts";
import { linkTo } from "../../consensus/domain.ts";
import { batchesOf } from "../../streams/reference.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const signal = new AbortController().signal;
const UNIT = 5;
const lanes = [openLane(), openLane()];
let modules: LoadedModule[];
let task: TaskPlan;

beforeAll(async () => {
  const spec = specOf(await watBytes(countingSource()), { kind: "stateful", memoryBytesMax: 2 ** 23 });
  modules = await Promise.all(lanes.map((lane) => loadModule(lane, spec)));
  const { fuelPerCall, fuelPerRow, memoryBytesMax, stackValuesMax, outputBytesMax } = spec;
  const operator: Operator = {
    kind: "module",
    module: (modules[0] as LoadedModule).original,
    abi: "ipdm/1",
    unit: UNIT,
    stateful: true,
    columns: null,
    limits: { fuelPerCall, fuelPerRow, memoryBytesMax, stackValuesMax, outputBytesMax },
    capabilities: [],
  };
  task = {
    name: "t",
    input: { from: "source", name: "s", port: MAIN },
    operator,
    stage: cborBlock(sha256, operator),
    inputSchema: schema,
    ports: { [MAIN]: schema },
    leaves: { [MAIN]: "row" },
    module: null,
    prove: null,
    key: cborBlock(sha256, "k"),
  };
});
afterAll(() => Promise.all(lanes.map((lane) => lane.close())));

interface Cuts {
  /** Rows of each slot, the list begun again where it ends. */
  readonly slots: readonly number[];
  readonly batch: number;
  /** Whether another node, which has only the stored blocks, goes on after a slot. */
  readonly restarts: readonly boolean[];
}

const rows = fc.array(fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 0, max: 99 }) }, fc.constantFrom(-2, -3)), {
  maxLength: 90,
});
const cuts: fc.Arbitrary<Cuts> = fc.record({
  slots: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 }),
  batch: fc.integer({ min: 1, max: 12 }),
  restarts: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
});

function slotOf(
  from: number,
  values: readonly number[],
  end: boolean,
  batch: number,
  seq: number,
): [Slot, ReturnType<typeof batchesOf>] {
  const batches = batchesOf(
    schema,
    values.map((value): Value[] => [value]),
    batch,
  );
  const slot: Slot = {
    v: 1,
    membership: linkTo("m"),
    domain: "d",
    epoch: 1,
    task: "t",
    key: linkTo("k"),
    stage: task.stage.cid,
    seq,
    input: {
      from,
      rows: values.length,
      end,
      cut: batch,
      batches: batches.map(({ bytes }) => rawBlock(sha256, bytes).cid),
    },
    submitter: new Uint8Array(32),
    signature: new Uint8Array(64),
  };
  return [slot, batches];
}

/** Runners that share nothing but stored blocks; each has its own lane's module. */
class Nodes {
  readonly stored = new Map<string, Uint8Array>();
  reads = 0;
  private next = 0;
  runner = this.another();

  another(): StageRunner {
    const module = modules[this.next++ % modules.length] as LoadedModule;
    return new StageRunner(task, {
      hash: sha256,
      module: async () => module,
      read: async (cid) => {
        this.reads++;
        const bytes = this.stored.get(cid.toString());
        if (bytes === undefined) throw new Error(`no block ${cid.toString()}`);
        return bytes;
      },
    });
  }

  async execute(
    from: number,
    values: readonly number[],
    end: boolean,
    batch: number,
    last: Executed | undefined,
  ): Promise<Executed> {
    const [slot, batches] = slotOf(from, values, end, batch, 0);
    const before = last?.statement.state.after ?? null;
    const done = await this.runner.execute(cborBlock(sha256, slot).cid, slot, batches, before, signal);
    for (const { cid, bytes } of done.blocks) this.stored.set(cid.toString(), bytes);
    return done;
  }
}

/** The state after each slot by the number of rows before it, and the fuel and the table in the end. */
async function run(
  values: readonly number[],
  { slots, batch, restarts }: Cuts,
): Promise<{ states: Map<number, string>; fuel: number; tables: unknown }> {
  const nodes = new Nodes();
  const states = new Map<number, string>();
  let last: Executed | undefined;
  let fuel = 0;
  for (let from = 0, seq = 0; last === undefined || from < values.length; seq++) {
    const size = Math.min(values.length - from, slots[seq % slots.length] as number);
    last = await nodes.execute(from, values.slice(from, from + size), from + size >= values.length, batch, last);
    from += size;
    fuel += last.statement.fuel ?? 0;
    states.set(from, last.statement.state.after.toString());
    if (restarts[seq % restarts.length] === true) nodes.runner = nodes.another();
  }
  return { states, fuel, tables: last.statement.tables };
}

describe("a runner of a stateful module", () => {
  it("has the state after n rows that one uninterrupted run has, whatever slots, batches and restarts there were", async () => {
    await fc.assert(
      fc.asyncProperty(rows, cuts, async (values, cut) => {
        const each = await run(values, { slots: [1], batch: 1, restarts: [false] });
        const some = await run(values, cut);
        for (const [at, state] of some.states) expect(state, `after ${at} rows`).toBe(each.states.get(at));
        expect(some.fuel).toBe(each.fuel);
        expect(some.tables).toEqual(each.tables);
      }),
      { numRuns: 40 },
    );
  });

  it("goes on from the state before a slot after a trap in the middle of it", async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: UNIT, maxLength: 30 }),
        async (values, slot) => {
          const good = new Nodes();
          const bad = new Nodes();
          const first = await good.execute(0, values, false, 7, undefined);
          expect((await bad.execute(0, values, false, 7, undefined)).statementBlock.cid).toEqual(
            first.statementBlock.cid,
          );
          const trapping = [...slot.slice(0, -1), -1, ...slot];
          await expect(bad.execute(values.length, trapping, true, 4, first)).rejects.toMatchObject({
            code: "MODULE_TRAP",
          });
          expect((await bad.execute(values.length, slot, true, 4, first)).statementBlock.cid).toEqual(
            (await good.execute(values.length, slot, true, 4, first)).statementBlock.cid,
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it("reads a state back from no more blocks than it has", async () => {
    const nodes = new Nodes();
    const last = await nodes.execute(0, [1, -2, 3, 4, 5, 6], false, 3, undefined);
    nodes.runner = nodes.another();
    await nodes.execute(6, [1], true, 3, last);
    // The task's state, the operator's, one list, two pages.
    expect(nodes.reads).toBe(5);
  });
});
