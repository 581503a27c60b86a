import type { CID } from "multiformats/cid";
import type { DomainContext } from "../../machines/domain/step.ts";
import type { LakeContext } from "../../machines/lake/step.ts";
import { DOMAIN, LAKE, MACHINES, TASK } from "../../machines/registry.ts";
import type { TaskContext } from "../../machines/task/step.ts";
import { type Place, parseSlot } from "../../src/consensus/slot.ts";
import { parseStatement } from "../../src/consensus/statement.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { Latch } from "../../src/core/latch.ts";
import { decodeBlock } from "../../src/dag/block.ts";
import { BlockReader } from "../../src/lake/block-reader.ts";
import { type Actor, type Effect, Kernel, type MachineSpec } from "../../src/runtime/kernel.ts";
import type { RunPlan, TaskPlan } from "../../src/runtime/plan.ts";
import { DomainEffects, isSubmitter } from "../domain/actor.ts";
import { Committee } from "../domain/committee.ts";
import type { DrawPorts } from "../domain/draws.ts";
import { sealPlace } from "../domain/seal.ts";
import type { KnownSlot } from "../domain/slot-book.ts";
import { LakeEffects } from "../lake/actor.ts";
import { TaskEffects, type TaskRecord } from "../task/actor.ts";
import { followSlots } from "./follow-slots.ts";
import { Ledger } from "./ledger.ts";
import type { NodePorts } from "./node-ports.ts";
import { Records, recordsTo } from "./records.ts";

/** Events between two checkpoints: contexts are small, and every checkpoint is a state that a replay compares. */
const CHECKPOINT_EVENTS = 16;

/** Slots of a task that may be open at once: one executes while others gather votes. */
export const OPEN_SLOTS_MAX = 4;

/** What the effects of a node's actors share. */
export interface NodeContext {
  readonly ports: NodePorts;
  readonly isSubmitter: boolean;
  readonly committee: Committee;
  readonly reader: BlockReader;
  readonly ledger: Ledger;
  readonly draws: DrawPorts;
  readonly domain: Actor;
  readonly lake: Actor;
  readonly tasks: ReadonlyMap<string, Actor>;
  /** Tells the committee of a slot that this node works on, and gives it. */
  learnSlot(cid: CID): Promise<KnownSlot>;
  learnRecord(record: TaskRecord): Promise<void>;
}

/** Ids of a run's actors: a task's follows from the work it does, so that another run with the same work finds it done. */
export function actorIds({ key }: Pick<RunPlan, "key">, domain: string) {
  return {
    domain: `domain/${domain}/${key.cid.toString()}`,
    lake: `lake/${domain}/${key.cid.toString()}`,
    task: (task: TaskPlan): string => `task/${task.name}/${task.key.cid.toString()}`,
  };
}

/**
 * One node in one run: its actors, their effects and what these share. It starts where its journals ended. A failure of this
 * node (not of the work it does) ends its part in the run and leaves the journals as they are.
 */
export class RunNode implements NodeContext {
  readonly ports: NodePorts;
  readonly isSubmitter: boolean;
  readonly committee: Committee;
  readonly reader: BlockReader;
  readonly ledger = new Ledger();
  readonly tasks = new Map<string, Actor>();
  /** Tasks that were complete before this run began. */
  readonly reused = new Set<string>();
  private readonly kernel: Kernel;
  private readonly taskEffects: TaskEffects[] = [];
  private readonly failure = new Latch<unknown>();
  /** Set when the ledger is filled: effects of recovered actors wait for it. */
  private readonly ready = new Latch<true>();
  private readonly ending = new AbortController();
  private readonly records: Records;
  private domainActor: Actor | undefined;
  private lakeActor: Actor | undefined;

  constructor(ports: NodePorts, hotBytesMax?: number) {
    this.ports = ports;
    this.isSubmitter = isSubmitter(ports);
    this.reader = new BlockReader(ports.store.blocks, ports.network, hotBytesMax, ports.timers);
    this.records = new Records(ports.hash, this.reader, this.ledger);
    const { network, membership, membershipCid, plan, signer, hash, verify, log } = ports;
    this.kernel = new Kernel(ports.store, { hash, log, checkpointEvery: CHECKPOINT_EVENTS, machines: MACHINES });
    this.committee = new Committee({
      network,
      membership,
      membershipCid,
      run: plan.key.cid,
      signer,
      hash,
      verify,
      log,
      timers: ports.timers,
      onEvidence: (evidence) => {
        const { kind, voter, slot, statement } = evidence;
        const { task, seq } = slot.slot;
        ports.observer.evidence?.(kind, voter, task, seq);
        void this.domainActor
          ?.send({ type: "observed", kind, voter, task, seq, statement: statement.toString() })
          .catch(() => {});
      },
      wanted: () => this.wanted(),
      recall: (place) => this.records.at(place),
    });
  }

  get draws(): DrawPorts {
    const { hash, verify, signer, membership, store } = this.ports;
    return {
      hash,
      verify,
      signer,
      membership,
      committee: this.committee,
      meta: store.meta,
      read: (cid, signal) => this.reader.read(cid, signal),
      put: (blocks) => store.blocks.putAll(blocks),
    };
  }

  get domain(): Actor {
    if (this.domainActor === undefined) throw new IpdmError("INVARIANT", "the node is not open");
    return this.domainActor;
  }

  get lake(): Actor {
    if (this.lakeActor === undefined) throw new IpdmError("INVARIANT", "the node is not open");
    return this.lakeActor;
  }

  /** Recovers or creates the node's actors and goes on with the run. */
  async open(signal: AbortSignal): Promise<void> {
    const { ports } = this;
    const { plan, membership, network } = ports;
    network?.serveBlocks((cid) => this.reader.find(cid));
    await this.committee.open(signal);
    const ids = actorIds(plan, membership.domain);
    const outputs = ports.writeOutput === undefined ? [] : plan.outputs.map((output) => output.name);
    this.lakeActor = await this.spawn(
      ids.lake,
      LAKE,
      { lake: membership.domain, outputs },
      new LakeEffects(this).effects,
    );
    const domainInput = {
      domain: membership.domain,
      epoch: membership.epoch,
      membership: ports.membershipCid,
      tasks: plan.tasks.map((task) => task.name),
    };
    this.domainActor = await this.spawn(ids.domain, DOMAIN, domainInput, new DomainEffects(this).effects);
    for (const task of plan.tasks) await this.spawnTask(task, ids.task(task));
    for (const actor of this.tasks.values()) await this.recall(actor);
    await this.recallSeal();
    this.ready.set(true);
    for (const [name, actor] of this.tasks) await this.resume(name, actor);
    if (this.isSubmitter) return;
    for (const task of plan.tasks)
      void followSlots(this, task, this.ending.signal).catch(
        (error: unknown) => this.ending.signal.aborted || this.failure.set(error),
      );
  }

  /** Resolves when the run is sealed here and its outputs are written; rejects when this node fails. */
  async published(signal: AbortSignal): Promise<void> {
    const done = async (): Promise<void> => {
      await this.domain.until((state) => state.value === "sealed", { signal });
      await this.lake.until((state) => state.value === "published", { signal });
      await Promise.all([this.domain.settled({ signal }), this.lake.settled({ signal })]);
    };
    await this.unlessFailed(done(), signal);
  }

  /** Asks for an output once more and waits until it is written. Rejects when this node fails. */
  async writeAgain(output: string, signal: AbortSignal): Promise<void> {
    await this.lake.send({ type: "wanted", output });
    await this.unlessFailed(this.lake.settled({ signal }), signal);
  }

  private async unlessFailed(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const failed = this.failure.wait(signal).then((error) => Promise.reject(error as Error));
    await Promise.race([work, failed]);
  }

  /** Ends this node's part; journals stay as they are. */
  async close(): Promise<void> {
    this.ending.abort(new IpdmError("NODE_CLOSED", "the node is closing", { kind: "interrupted" }));
    this.committee.close();
    this.reader.close();
    await this.kernel.close();
    await Promise.all(this.taskEffects.map((effects) => effects.close()));
  }

  async learnSlot(cid: CID): Promise<KnownSlot> {
    const bytes = await this.reader.read(cid);
    const known = { cid, slot: parseSlot(decodeBlock({ cid, bytes })), bytes };
    this.committee.learn(known);
    return known;
  }

  async learnRecord(record: TaskRecord): Promise<void> {
    const { slot, certificate } = await this.records.add(record);
    this.committee.learnRecorded(slot, certificate);
  }

  /** A node that sealed before can still tell the others how. */
  private async recallSeal(): Promise<void> {
    const { seal } = this.domain.snapshot().context as unknown as DomainContext;
    if (seal === null) return;
    const { slot, certificate } = await this.records.read(seal);
    this.committee.learnRecorded(slot, certificate);
  }

  private async spawn(
    id: string,
    machine: MachineSpec,
    input: object,
    effects: Readonly<Record<string, Effect>>,
  ): Promise<Actor> {
    const guarded = Object.fromEntries(Object.entries(effects).map(([type, effect]) => [type, this.guarded(effect)]));
    const actor = await this.kernel.spawn({ id, machine, input, effects: guarded });
    actor.onFault((fault) => this.failure.set(fault));
    return actor;
  }

  /** An effect that fails is this node's failure, not a fact of its actor: the request stays open for the next start. */
  private guarded(effect: Effect): Effect {
    return async (request, context) => {
      try {
        await this.ready.wait(context.signal);
        return await effect(request, context);
      } catch (error) {
        if (!context.signal.aborted) this.failure.set(error);
        return new Latch<never>().wait(context.signal);
      }
    };
  }

  private async spawnTask(task: TaskPlan, id: string): Promise<void> {
    const effects = new TaskEffects(this, task);
    this.taskEffects.push(effects);
    const input = { task: task.name, role: this.isSubmitter ? "submitter" : "voter", openMax: OPEN_SLOTS_MAX };
    this.tasks.set(task.name, await this.spawn(id, TASK, input, effects.effects));
  }

  /** Fills ledger and committee from what a task's journal remembers. */
  private async recall(actor: Actor): Promise<void> {
    const { records, open } = actor.snapshot().context as unknown as TaskContext;
    const known = await recordsTo(records.head, (cid) => this.reader.read(cid));
    for (const record of known) await this.learnRecord(record);
    for (const { slot: cid, statement: statementCid } of open) {
      const known = await this.learnSlot(cid);
      const { slot } = known;
      if (statementCid !== null) {
        const statement = parseStatement(
          decodeBlock({ cid: statementCid, bytes: await this.reader.read(statementCid) }),
        );
        this.ledger.execute({ slot, slotCid: cid, statement, statementCid });
      }
      if (this.isSubmitter) await this.committee.offer(known);
    }
  }

  private async resume(name: string, actor: Actor): Promise<void> {
    const { value, context } = actor.snapshot();
    const { records } = context as unknown as TaskContext;
    if (value === "complete" && records.head !== null) {
      this.reused.add(name);
      await this.domain.send({ type: "completed", task: name, head: records.head, count: records.count });
    } else if (value === "idle") {
      await actor.send({ type: "start" });
    }
  }

  private wanted(): Place[] {
    const wanted: Place[] = [];
    if (this.isSubmitter) return wanted;
    const { plan } = this.ports;
    for (const { name, key } of plan.tasks) {
      const context = this.tasks.get(name)?.snapshot().context as unknown as TaskContext | undefined;
      if (context?.ended !== true) wanted.push({ task: name, key: key.cid, seq: context?.nextSeq ?? 0 });
    }
    const seal = sealPlace(plan);
    if (this.committee.knownSlot(seal) === undefined) wanted.push(seal);
    return wanted;
  }

  /** Rows that an output was written with; `undefined` before. */
  writtenRows(output: string): number | undefined {
    return (this.lake.snapshot().context as unknown as LakeContext).written[output];
  }
}
