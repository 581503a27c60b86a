import type { NodeObserver } from "../../actors/node/node-ports.ts";
import type { RunNode } from "../../actors/node/run-node.ts";
import type { IpdmError } from "../core/errors.ts";
import type { RunPlan, TaskPlan } from "../runtime/plan.ts";
import { sinkFormatOf } from "../sinks/formats.ts";
import { LiveTable } from "../sinks/live-table.ts";
import { type FollowedChain, followedOf } from "./following.ts";
import type { RunOptions } from "./options.ts";
import { Provisional, tasksBehind } from "./provisional.ts";

/** What live outputs are made from. */
export interface LiveOutputsPorts {
  readonly plan: RunPlan;
  readonly chains: ReadonlyMap<string, object>;
  /** Files of the outputs, by name. */
  readonly files: ReadonlyMap<string, string>;
  readonly epoch: number;
  readonly onNotice: RunOptions["onNotice"];
}

/** Outputs of a run that follows the head which others read while it goes on: SQLite databases. Their rows can be taken back. */
export class LiveOutputs {
  private readonly ports: LiveOutputsPorts;
  private readonly tables: ReadonlyMap<string, LiveTable>;
  private readonly provisional: Provisional[] = [];

  private constructor(ports: LiveOutputsPorts, tables: ReadonlyMap<string, LiveTable>) {
    this.ports = ports;
    this.tables = tables;
  }

  /** Opens the tables. Throws what `LiveTable.open` does. */
  static async open(ports: LiveOutputsPorts): Promise<LiveOutputs> {
    const { plan, chains, files, epoch } = ports;
    const followed = [...followedOf(chains).keys()];
    const tasks = new Map<string, TaskPlan>(
      followed.flatMap((source) => tasksBehind(plan.tasks, source).map((task) => [task.name, task] as const)),
    );
    const tables = new Map<string, LiveTable>();
    for (const { name, task, port, schema } of plan.outputs) {
      const own = tasks.get(task);
      const file = files.get(name);
      if (own === undefined || file === undefined || sinkFormatOf(file) !== "sqlite") continue;
      // Rows that the end of a run brought are not final in the next one: each epoch makes its table anew, from what is stored.
      const work = `${own.stage.cid.toString()}/${port}/${epoch}`;
      tables.set(name, await LiveTable.open(file, schema, work));
    }
    return new LiveOutputs(ports, tables);
  }

  /** Begins to execute what is not final, on the submitting node, once it is open. `onFault` is told of what cannot go on. */
  attach(node: RunNode, signal: AbortSignal, onFault: (error: unknown) => void): void {
    for (const [source, chain] of followedOf(this.ports.chains)) {
      this.watch(source, chain);
      const behind = new Set(tasksBehind(this.ports.plan.tasks, source).map(({ name }) => name));
      const own = this.ports.plan.outputs.filter(({ name, task }) => behind.has(task) && this.tables.has(name));
      if (own.length === 0) continue;
      const tables = new Map(own.map(({ name }) => [name, this.tables.get(name) as LiveTable]));
      const onStuck = ({ number }: { readonly number: number }, error: unknown): void =>
        this.ports.onNotice?.({
          level: "warn",
          code: "PROVISIONAL_STUCK",
          message: `block ${number} of ${source}, which is not final, cannot be executed: ${error instanceof Error ? error.message : String(error)}`,
          facts: { source, block: number },
        });
      const provisional = new Provisional({ node, chain, tables, signal, onStuck, onFault });
      const poke = (): void => provisional.poke();
      chain.follower.listen({ added: poke, removed: poke, final: poke });
      this.provisional.push(provisional);
      poke();
    }
  }

  /** An observer that also tells of executed slots here. */
  observing(observer: NodeObserver): NodeObserver {
    return {
      ...observer,
      executed: (task, rows) => {
        observer.executed?.(task, rows);
        for (const provisional of this.provisional) provisional.poke();
      },
    };
  }

  /** Completes a live output and returns its rows; `undefined` for any other output. */
  async complete(output: string): Promise<number | undefined> {
    const table = this.tables.get(output);
    if (table === undefined) return undefined;
    for (const provisional of this.provisional) await provisional.finish();
    table.close();
    return table.final;
  }

  /** Closes the tables; what is not final is gone from them. */
  close(): Promise<void> {
    for (const table of this.tables.values()) table.close();
    return Promise.resolve();
  }

  private watch(source: string, { follower }: FollowedChain): void {
    const removed = (from: number): void =>
      this.ports.onNotice?.({
        level: "warn",
        code: "REORGANISED",
        message: `${source}: the chain was reorganised from block ${from} on`,
        facts: { source, block: from },
      });
    const unreachable = ({ code, message }: IpdmError): void =>
      this.ports.onNotice?.({ level: "warn", code, message: `${message}; trying again`, facts: { source } });
    follower.listen({ added: () => undefined, removed, final: () => undefined, unreachable });
  }
}
