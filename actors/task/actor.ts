import { CID } from "multiformats/cid";
import type { TaskRequest } from "../../machines/task/step.ts";
import type { Committed } from "../../src/consensus/coverage.ts";
import { mustExecute } from "../../src/consensus/draw.ts";
import type { InputRef } from "../../src/consensus/result.ts";
import { type Slot, signSlot, slotName } from "../../src/consensus/slot.ts";
import { parseStatement } from "../../src/consensus/statement.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Block } from "../../src/dag/block.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import type { RequestRecord } from "../../src/journal/port.ts";
import type { Effect, OutcomeEvent } from "../../src/runtime/kernel.ts";
import { isGenerated, type TaskPlan } from "../../src/runtime/plan.ts";
import { StageRunner } from "../../src/runtime/stage/runner.ts";
import { drawAsVoter } from "../domain/draws.ts";
import type { KnownCertificate } from "../domain/slot-book.ts";
import { type Piece, readStored, SourceInput, type TaskInputReader, TaskOutputInput } from "../node/input.ts";
import type { NodeContext } from "../node/run-node.ts";
import { SeveralInputs } from "../node/several-inputs.ts";
import { ModuleVersions } from "./module-versions.ts";
import { PulledSlots } from "./pulled-slots.ts";
import { WorkMemory } from "./work-memory.ts";

/** Parameters of a task's request of a type. */
type Params<T extends TaskRequest["type"]> = Extract<TaskRequest, { type: T }>["params"];

/** A slot's record in a task's chain: certified work, oldest reachable through `prev`. */
export interface TaskRecord {
  readonly v: 1;
  readonly task: string;
  readonly seq: number;
  readonly slot: CID;
  readonly statement: CID;
  readonly certificate: CID;
  readonly prev: CID | null;
}

/** A slot that a node may take over unexecuted: the state before it, and the module that it runs. */
interface Offered {
  readonly cid: CID;
  readonly slot: Slot;
  readonly state: CID | null;
  readonly module: CID | null;
}

/** Carries out a task machine's requests on one node. */
export class TaskEffects {
  readonly effects: Readonly<Record<TaskRequest["type"], Effect>>;
  private readonly node: NodeContext;
  private readonly task: TaskPlan;
  private readonly versions: ModuleVersions;
  private readonly runner: StageRunner;
  private readonly input: TaskInputReader | undefined;
  /** The submitter's second pass over generated rows, for slots that it cut before it was stopped: it keeps no batches of these. */
  private readonly again: TaskInputReader | undefined;
  private readonly isGenerated: boolean;
  /** Where work of earlier epochs is found again. */
  private readonly memory: WorkMemory | undefined;
  private readonly pulled = new PulledSlots();

  constructor(node: NodeContext, task: TaskPlan) {
    this.node = node;
    this.task = task;
    const { hash, readSource, plan } = node.ports;
    const versions = new ModuleVersions(node, task);
    this.versions = versions;
    this.runner = new StageRunner(task, {
      hash,
      read: (cid, signal) => this.readState(cid, signal),
      module: (slot, signal) => versions.of(slot, signal),
    });
    if (task.input.from === "task") this.input = this.madeInput();
    else if (readSource !== undefined) this.input = new SourceInput(task.input.name, plan.cut, hash, readSource);
    this.isGenerated = isGenerated(plan, task.input);
    if (this.isGenerated && readSource !== undefined)
      this.again = new SourceInput(task.input.name, plan.cut, hash, readSource);
    this.memory =
      node.ports.remembers === true && task.live === undefined && task.beside === undefined
        ? new WorkMemory(node.ports, task)
        : undefined;
    this.effects = {
      pull: (request, { signal }) => this.pull(request.params as never, signal),
      execute: (request, { signal }) => this.execute(request, signal),
      claim: (request) => this.claim(request.params as never),
      record: (request) => this.record(request.params as never),
      complete: (request) => this.complete(request.params as never),
    };
  }

  /** What tasks before this one made. */
  private madeInput(): TaskInputReader {
    const { ledger, reader } = this.node;
    const { input, beside, operator } = this.task;
    const made = (ref: InputRef): TaskOutputInput =>
      new TaskOutputInput(ref, ledger, (cid, bound) => reader.read(cid, bound));
    if (beside === undefined || operator.kind !== "stream") return made(input);
    const inputs = [input, ...beside.map((each) => each.input)];
    return new SeveralInputs(inputs.map((ref, i) => ({ reader: made(ref), time: operator.times[i]?.column ?? null })));
  }

  /** Ends this node's own pass over the input. */
  async close(): Promise<void> {
    await this.input?.close();
    await this.again?.close();
  }

  private async pull({ seq, from }: Params<"pull">, signal: AbortSignal): Promise<OutcomeEvent> {
    const { ports, committee, reader } = this.node;
    const { membership, plan, signer, hash, store } = ports;
    if (this.input === undefined)
      throw new IpdmError("SOURCE_MISSING", `the submitter does not have source ${this.task.input.name}`, {
        kind: "config",
      });
    await this.pulled.room(signal);
    const piece = await this.nextPiece(this.input, seq, from, signal);
    const version = await this.versions.decide(seq, from, piece.rows, signal);
    const body: Omit<Slot, "signature"> = {
      v: 1,
      membership: ports.membershipCid,
      domain: membership.domain,
      epoch: membership.epoch,
      task: this.task.name,
      key: this.task.key.cid,
      stage: this.task.stage.cid,
      ...(version && { version }),
      seq,
      input: { from, rows: piece.rows, end: piece.end, cut: plan.cut, batches: [...piece.cids] },
      ...(piece.part && { part: piece.part }),
      submitter: signer.publicKey,
    };
    const slot = signSlot(body, signer);
    const block = cborBlock(hash, slot);
    const fresh = this.isGenerated ? [] : piece.fresh;
    for (const each of fresh) reader.keep(each);
    await store.blocks.putAll([...fresh, block]);
    this.pulled.keep(block.cid, piece.batches);
    await committee.offer({ cid: block.cid, slot, bytes: block.bytes });
    // Which module a slot of a live task runs is decided when it is executed; what is remembered is not computed again.
    if (this.task.live === undefined && this.memory === undefined) this.runner.prepare(piece.batches, from, signal);
    return { type: "pulled", seq, slot: block.cid, rows: piece.rows, end: piece.end };
  }

  private async execute(request: RequestRecord, signal: AbortSignal): Promise<OutcomeEvent> {
    const { seq, slot: cid, state } = request.params as unknown as Params<"execute">;
    const { slot } = await this.node.learnSlot(cid);
    const module = await this.versions.check(slot, signal);
    const { policy } = this.node.ports.membership;
    if (policy.verify === "sample" && !this.node.isSubmitter) {
      const adopted = await this.adopt({ cid, slot, state, module }, signal);
      if (adopted !== undefined)
        return {
          type: "executed",
          seq,
          statement: adopted.statementCid,
          state: adopted.statement.state.after,
          executed: false,
        };
    }
    const done = await this.compute(cid, slot, state, signal);
    return { type: "executed", seq, statement: done.statementCid, state: done.statement.state.after, executed: true };
  }

  private async compute(cid: CID, slot: Slot, state: CID | null, signal: AbortSignal): Promise<Committed> {
    const { store, observer, tamper, hash } = this.node.ports;
    const known = await this.memory?.recall(slot, cid, state);
    const done = known ?? (await this.runner.execute(cid, slot, await this.batches(cid, slot, signal), state, signal));
    const claimed = tamper?.(slot.task, slot.seq, done.statementBlock) ?? done.statementBlock;
    for (const block of done.blocks) this.node.reader.keep(block);
    await store.blocks.putAll([...done.blocks, claimed]);
    this.pulled.drop(cid);
    const committed = {
      slot,
      slotCid: cid,
      statement: parseStatement(decodeStrict(hash, claimed)),
      statementCid: claimed.cid,
    };
    await this.memory?.keep(committed, state);
    this.node.ledger.execute(committed);
    observer.executed?.(this.task.name, slot.input.rows);
    return committed;
  }

  /** Of an input that grows, a piece that was cut in an earlier epoch is cut the same again: what was done for it is known then. */
  private async nextPiece(input: TaskInputReader, seq: number, from: number, signal: AbortSignal): Promise<Piece> {
    if (this.memory === undefined || this.task.input.from === "task") return input.next(from, signal, undefined, seq);
    const piece = await input.next(from, signal, await this.memory.rowsAt(from), seq);
    await this.memory.keepRows(from, piece.rows);
    return piece;
  }

  private async batches(cid: CID, slot: Slot, signal: AbortSignal): Promise<Piece["batches"]> {
    const kept = this.pulled.get(cid);
    if (kept !== undefined) return kept;
    // The submitter fixed the batches itself; a voter compares them with its own reading of the source.
    const own = this.node.isSubmitter ? this.again : this.input;
    if (own === undefined) return readStored(slot, (block, bound) => this.node.reader.read(block, bound), signal);
    return own.read(slot, signal);
  }

  /** Under `sample`: takes the executor's statement over unless the draw says to execute; what a quorum certified is taken over as it is. */
  private async adopt(offered: Offered, signal: AbortSignal): Promise<Committed | undefined> {
    const { cid, slot } = offered;
    const { committee, reader, ports, draws } = this.node;
    const drawn = await committee.unlessCertified(cid, signal, async (bound) => {
      const announced = await this.firstAnnounced(cid, bound);
      const bytes = await reader.read(announced, bound);
      this.checkShape(offered, parseStatement(decodeStrict(ports.hash, { cid: announced, bytes })));
      const { seed, challenges } = await drawAsVoter(draws, { slot: cid, statement: announced }, bound);
      const own = ports.signer.publicKey;
      // A submitter that may leave this node's challenge out could choose among draws until one excuses it.
      const counted = challenges.some(({ voter }) => equalBytes(voter, own));
      return { announced, execute: !counted || mustExecute(ports.hash, seed, own, ports.membership.policy) };
    });
    if (drawn?.execute === true) return undefined;
    const statementCid = drawn?.announced ?? (committee.certificate(cid) as KnownCertificate).certificate.statement;
    const bytes = await reader.read(statementCid, signal);
    const statement = parseStatement(decodeStrict(ports.hash, { cid: statementCid, bytes }));
    this.checkShape(offered, statement);
    const stateBlock: Block = { cid: statement.state.after, bytes: await reader.read(statement.state.after, signal) };
    await ports.store.blocks.putAll([{ cid: statementCid, bytes }, stateBlock]);
    const committed = { slot, slotCid: cid, statement, statementCid };
    this.node.ledger.execute(committed);
    return committed;
  }

  /** The first statement that the executor announced for a slot, also after a restart: a second would be another try at the draw. */
  private async firstAnnounced(slot: CID, signal: AbortSignal): Promise<CID> {
    const { meta } = this.node.ports.store;
    const key = `announced/${slot.toString()}`;
    const kept = await meta.get(key);
    if (kept !== undefined) return CID.decode(kept);
    const announced = await this.node.committee.announced(slot, signal);
    await meta.put(key, announced.bytes);
    return announced;
  }

  /** A block of a state, from then on in this node's own store: the states that follow only add to what it holds. */
  private async readState(cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
    const { store } = this.node.ports;
    const bytes = await this.node.reader.read(cid, signal);
    if (!(await store.blocks.has(cid))) await store.blocks.put({ cid, bytes });
    return bytes;
  }

  private checkShape({ cid, slot, state, module }: Offered, statement: Committed["statement"]): void {
    const fits =
      sameLink(statement.state.before, state) &&
      sameLink(statement.module?.original ?? null, module) &&
      statement.slot.equals(cid) &&
      statement.stage.equals(slot.stage) &&
      statement.input.from === slot.input.from &&
      statement.input.rows === slot.input.rows;
    if (!fits || (statement.tables !== null) !== slot.input.end) {
      throw new IpdmError(
        "STATEMENT_INVALID",
        `the executor's statement for ${slotName(slot)} does not follow from its slot and the state before`,
        {
          kind: "verification",
          where: slotName(slot),
        },
      );
    }
  }

  private async claim(params: Params<"claim">): Promise<undefined> {
    await this.node.domain.send({ type: "claimed", task: this.task.name, ...params });
    return undefined;
  }

  private async record({ seq, slot, statement, certificate, prev }: Params<"record">): Promise<OutcomeEvent> {
    const { hash, store } = this.node.ports;
    const record: TaskRecord = { v: 1, task: this.task.name, seq, slot, statement, certificate, prev };
    const block = cborBlock(hash, record);
    await store.blocks.put(block);
    await this.node.learnRecord(record);
    return { type: "recorded", seq, record: block.cid };
  }

  private async complete({ head, count }: Params<"complete">): Promise<undefined> {
    await this.node.domain.send({ type: "completed", task: this.task.name, head, count });
    return undefined;
  }
}

function sameLink(a: CID | null, b: CID | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
