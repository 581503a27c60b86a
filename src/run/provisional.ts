import type { CID } from "multiformats/cid";
import type { RunNode } from "../../actors/node/run-node.ts";
import { type Batch, decodeBatch } from "../batch/batch.ts";
import type { Committed } from "../consensus/coverage.ts";
import type { Slot } from "../consensus/slot.ts";
import type { OutputPlan, TaskPlan } from "../runtime/plan.ts";
import { StageRunner } from "../runtime/stage/runner.ts";
import type { LiveTable } from "../sinks/live-table.ts";
import { blockBatch } from "../sources/chain/followed-blocks.ts";
import type { BlockHead } from "../sources/chain/kind.ts";
import type { FollowedChain } from "./following.ts";

/** Where all tasks stand behind a block: what a restart from there needs. */
interface Checkpoint {
  /** Rows of the followed source up to here, and the block that brought the last one. */
  readonly row: number;
  readonly hash: string | null;
  readonly states: ReadonlyMap<string, CID | null>;
  readonly rowsIn: ReadonlyMap<string, number>;
  /** Rows of each live table up to here. */
  readonly rowsOut: ReadonlyMap<string, number>;
}

/** What provisional execution works with. `onStuck` is told when a block that is not final cannot be executed. */
export interface ProvisionalPorts {
  readonly node: RunNode;
  readonly chain: FollowedChain;
  readonly tables: ReadonlyMap<string, LiveTable>;
  readonly signal: AbortSignal;
  readonly onStuck: (head: BlockHead, error: unknown) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * Executes blocks that are not final yet, on the submitter alone, for tables that can take rows back. It begins where the certified
 * work stands, keeps the operators' states behind every block down to the last final one, and, when the chain is reorganised, goes
 * on from the state behind the last common block and deletes the rows of what came after. What it makes is never certified: once a
 * block is final, the certified work does it again.
 */
export class Provisional {
  private readonly ports: ProvisionalPorts;
  private readonly runners = new Map<string, StageRunner>();
  private readonly outputs: readonly OutputPlan[];
  private readonly tasks: readonly TaskPlan[];
  private chain: readonly Checkpoint[] = [];
  private working: Promise<void> | undefined;
  private isWanted = false;
  private hasEnded = false;
  private stuckAt: string | undefined;

  constructor(ports: ProvisionalPorts) {
    this.ports = ports;
    const { node, tables } = ports;
    const { hash, modules, plan } = node.ports;
    this.outputs = plan.outputs.filter(({ name }) => tables.has(name));
    this.tasks = tasksBehind(plan.tasks, ports.chain.source.name);
    const read = (cid: CID): Promise<Uint8Array> => node.reader.read(cid);
    for (const task of this.tasks) {
      const module = (): ReturnType<StageRunnerModule> => Promise.resolve(modules.get(task.name) ?? null);
      this.runners.set(task.name, new StageRunner(task, { hash, read, module }));
    }
  }

  /** Something changed: a block came or went, or certified work went on. */
  poke(): void {
    this.isWanted = true;
    this.working ??= this.work()
      .catch((error: unknown) => {
        if (!this.ports.signal.aborted) this.ports.onFault(error);
      })
      .finally(() => (this.working = undefined));
  }

  /** Ends it once certified work has: every row is final then. */
  async finish(): Promise<void> {
    this.isWanted = false;
    this.hasEnded = true;
    await this.working;
    await this.settleFinal();
  }

  private async work(): Promise<void> {
    while (this.isWanted && !this.hasEnded && !this.ports.signal.aborted) {
      this.isWanted = false;
      do {
        this.retract();
        await this.settleFinal();
      } while (await this.step());
    }
  }

  /** Final rows of the tables are those that the node's statements made. */
  private async settleFinal(): Promise<void> {
    const { node, tables } = this.ports;
    for (const { name, task, port } of this.outputs) {
      const table = tables.get(name) as LiveTable;
      const executed = node.ledger.executed(task);
      const total = rowsMade(executed, port);
      if (total <= table.final) continue;
      if (total <= table.rows) {
        table.settle(total);
        continue;
      }
      // Certified work is ahead: its own rows take the place of the provisional ones.
      table.retract(table.final);
      this.chain = [];
      const from = table.final;
      for (const { statement } of executed) {
        const output = statement.outputs[port];
        if (output === undefined || output.from < from) continue;
        const batches: Batch[] = [];
        for (const cid of output.batches) batches.push(decodeBatch(await node.reader.read(cid)));
        table.settle(output.from + output.rows, batches);
      }
    }
    const certified = this.certified();
    if (certified === undefined) return;
    const reached = this.chain.findIndex(({ row }) => row === certified.row);
    if (reached >= 0) this.chain = this.chain.slice(reached);
    else if ((this.chain.at(-1)?.row ?? -1) < certified.row) this.chain = [certified];
  }

  /** Where certified work stands, when all tasks have done the same blocks; `undefined` while some lag. */
  private certified(): Checkpoint | undefined {
    const { node, chain } = this.ports;
    const states = new Map<string, CID | null>();
    const rowsIn = new Map<string, number>();
    let row = -1;
    for (const task of this.tasks) {
      const executed = node.ledger.executed(task.name);
      const rows = executed.reduce((sum, { slot }) => sum + slot.input.rows, 0);
      states.set(task.name, executed.at(-1)?.statement.state.after ?? null);
      rowsIn.set(task.name, rows);
      if (task.input.from === "task" && rows !== rowsMade(node.ledger.executed(task.input.name), task.input.port))
        return undefined;
      if (task.input.from === "source") {
        if (row >= 0 && row !== rows) return undefined;
        row = rows;
      }
    }
    if (row < 0 || row !== chain.follower.count) return undefined;
    const rowsOut = new Map(
      this.outputs.map(({ name, task, port }) => [name, rowsMade(node.ledger.executed(task), port)]),
    );
    return { row, hash: chain.follower.heads[row - 1]?.hash ?? null, states, rowsIn, rowsOut };
  }

  /** Takes back what came from blocks that are no longer part of the chain. */
  private retract(): void {
    const isThere = ({ row, hash }: Checkpoint): boolean => row === 0 || this.headAt(row - 1)?.hash === hash;
    const gone = this.chain.findIndex((checkpoint, i) => i > 0 && !isThere(checkpoint));
    if (gone < 0) return;
    this.chain = this.chain.slice(0, gone);
    const last = this.chain.at(-1) as Checkpoint;
    for (const [name, rows] of last.rowsOut) this.ports.tables.get(name)?.retract(rows);
  }

  /** Executes the next block that is not final; false when there is none, or it changed meanwhile. */
  private async step(): Promise<boolean> {
    const { chain, signal, tables } = this.ports;
    const last = this.chain.at(-1);
    const head = last === undefined ? undefined : this.headAt(last.row);
    if (last === undefined || head === undefined || head.hash === this.stuckAt) return false;
    if (signal.aborted || this.hasEnded) return false;
    const before = last.row === 0 ? undefined : this.headAt(last.row - 1);
    try {
      const batch = await blockBatch(chain.files, chain.format, head, before);
      const { checkpoint, made } = await this.execute(last, head, batch);
      // It may have gone while it was executed.
      if (this.headAt(last.row)?.hash !== head.hash || this.chain.at(-1) !== last) return true;
      for (const [name, batches] of made) tables.get(name)?.add(batches);
      this.chain = [...this.chain, checkpoint];
      return true;
    } catch (error) {
      if (this.headAt(last.row)?.hash !== head.hash) return true;
      if (signal.aborted) return false;
      this.stuckAt = head.hash;
      this.ports.onStuck(head, error);
      return false;
    }
  }

  private async execute(
    last: Checkpoint,
    head: BlockHead,
    block: Batch,
  ): Promise<{ readonly checkpoint: Checkpoint; readonly made: ReadonlyMap<string, readonly Batch[]> }> {
    const { node, signal } = this.ports;
    const states = new Map(last.states);
    const rowsIn = new Map(last.rowsIn);
    const ports = new Map<string, readonly Batch[]>();
    for (const task of this.tasks) {
      const { input } = task;
      const own = input.from === "source" ? [block] : undefined;
      const batches = own ?? ports.get(`${input.name}/${input.port}`) ?? [];
      const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
      if (rows === 0) continue;
      const from = rowsIn.get(task.name) ?? 0;
      const runner = this.runners.get(task.name) as StageRunner;
      const slot = this.slotOf(task, from, rows);
      const done = await runner.execute(task.stage.cid, slot, batches, states.get(task.name) ?? null, signal);
      const outputs = new Set(Object.values(done.statement.outputs).flatMap((output) => output.batches.map(String)));
      await node.ports.store.blocks.putAll(done.blocks.filter(({ cid }) => !outputs.has(cid.toString())));
      states.set(task.name, done.statement.state.after);
      rowsIn.set(task.name, from + rows);
      for (const [port, out] of Object.entries(done.outputs)) ports.set(`${task.name}/${port}`, out);
    }
    const made = new Map(this.outputs.map(({ name, task, port }) => [name, ports.get(`${task}/${port}`) ?? []]));
    const rowsOut = new Map(
      [...made].map(([name, batches]) => [
        name,
        (last.rowsOut.get(name) ?? 0) + batches.reduce((sum, { rows }) => sum + rows, 0),
      ]),
    );
    return { checkpoint: { row: last.row + 1, hash: head.hash, states, rowsIn, rowsOut }, made };
  }

  /** What a runner needs of a slot: this one is signed by nobody, and leaves this object only as rows that can be taken back. */
  private slotOf(task: TaskPlan, from: number, rows: number): Slot {
    const { membership, membershipCid, plan, signer } = this.ports.node.ports;
    return {
      v: 1,
      membership: membershipCid,
      domain: membership.domain,
      epoch: membership.epoch,
      task: task.name,
      key: task.key.cid,
      stage: task.stage.cid,
      seq: 0,
      input: { from, rows, end: false, cut: plan.cut, batches: [] },
      submitter: signer.publicKey,
      signature: new Uint8Array(64),
    };
  }

  private headAt(row: number): BlockHead | undefined {
    const { follower } = this.ports.chain;
    return row < follower.count ? follower.heads[row] : follower.above[row - follower.count];
  }
}

type StageRunnerModule = ConstructorParameters<typeof StageRunner>[1]["module"];

function rowsMade(executed: readonly Committed[], port: string): number {
  return executed.reduce((sum, { statement }) => sum + (statement.outputs[port]?.rows ?? 0), 0);
}

/** The tasks that read a source, directly or through others, in their order. */
export function tasksBehind(tasks: readonly TaskPlan[], source: string): readonly TaskPlan[] {
  const names = new Set<string>();
  return tasks.filter(({ name, input }) => {
    const isBehind = input.from === "source" ? input.name === source : names.has(input.name);
    if (isBehind) names.add(name);
    return isBehind;
  });
}
