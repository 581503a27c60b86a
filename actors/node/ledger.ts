import type { CID } from "multiformats/cid";
import type { Committed } from "../../src/consensus/coverage.ts";
import { IpdmError } from "../../src/core/errors.ts";

interface TaskLedger {
  readonly executed: Committed[];
  readonly recorded: Committed[];
  complete: boolean;
  waiting: (() => void)[];
}

/** What this node has recorded of every task, in memory: the index that the next task, the seal and the outputs read. */
export class Ledger {
  private readonly tasks = new Map<string, TaskLedger>();

  /** Adds a slot that this node has a statement for, certified or not. */
  execute(committed: Committed): void {
    this.task(committed.slot.task).executed[committed.slot.seq] = committed;
  }

  /** Slots of a task that this node has a statement for, in sequence. */
  executed(task: string): readonly Committed[] {
    return this.task(task).executed;
  }

  /** The executed slot whose statement this is. */
  find(task: string, seq: number): Committed | undefined {
    return this.task(task).executed[seq];
  }

  /** Adds the next recorded slot of a task. */
  record(committed: Committed): void {
    const task = this.task(committed.slot.task);
    if (committed.slot.seq !== task.recorded.length) return;
    task.executed[committed.slot.seq] ??= committed;
    task.recorded.push(committed);
    task.complete = committed.slot.input.end;
    for (const wake of task.waiting.splice(0)) wake();
  }

  /** Recorded slots of a task, in sequence. */
  commits(task: string): readonly Committed[] {
    return this.task(task).recorded;
  }

  /** True when the last slot of a task is recorded. */
  isComplete(task: string): boolean {
    return this.task(task).complete;
  }

  /** The recorded slot of a task at a position, once there is one. Rejects with the signal's reason. */
  async at(task: string, seq: number, signal: AbortSignal): Promise<Committed> {
    const ledger = this.task(task);
    for (;;) {
      const committed = ledger.recorded[seq];
      if (committed !== undefined) return committed;
      if (ledger.complete) throw new IpdmError("INVARIANT", `task ${task} ended before slot ${seq}`);
      await new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const abort = (): void => reject(signal.reason as Error);
        signal.addEventListener("abort", abort, { once: true });
        ledger.waiting.push(() => {
          signal.removeEventListener("abort", abort);
          resolve();
        });
      });
    }
  }

  /** CIDs of all batches of an output that this node has statements for, in order. */
  *batches(task: string, port: string): Generator<CID> {
    for (const { statement } of this.executed(task)) yield* statement.outputs[port]?.batches ?? [];
  }

  private task(name: string): TaskLedger {
    let task = this.tasks.get(name);
    if (task === undefined) {
      task = { executed: [], recorded: [], complete: false, waiting: [] };
      this.tasks.set(name, task);
    }
    return task;
  }
}
