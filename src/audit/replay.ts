import type { CID } from "multiformats/cid";
import { MACHINES } from "../../machines/registry.ts";
import type { Receipt, ShownCommit, ShownTask } from "../../proofs/receipt/contents.ts";
import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { inputsOf } from "../consensus/coverage.ts";
import { hasCode, IpdmError } from "../core/errors.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { replayJournal } from "../runtime/replay-journal.ts";
import type { StageRunner } from "../runtime/stage/runner.ts";
import type { Lane } from "../sandbox/port.ts";
import type { AuditInput } from "./input-data.ts";
import { outputMismatch } from "./output-mismatch.ts";
import { type GivenModule, replayRunner } from "./replay-runner.ts";

/** Something that came out differently from what the receipt claims. */
export interface Mismatch {
  readonly code: string;
  readonly message: string;
  /** `daily/3` for a statement, an actor's id for a transition. */
  readonly where: string;
  /** Batch within the statement. */
  readonly batch?: number;
  /** Row of the first difference, counted over the whole input or output. */
  readonly row?: number;
  /** How many rows from `row` on it may be in: 1, unless recorded rows are not at hand to compare with. */
  readonly rows?: number;
}

/** What a replay came to. */
export interface ReplayReport {
  readonly ok: boolean;
  /** Transitions of all journals, redone and compared. */
  readonly transitions: number;
  /** States compared with checkpoints. */
  readonly states: number;
  /** Statements recomputed and compared, batch by batch. */
  readonly statements: number;
  readonly rows: number;
  /** Inputs whose rows were generated again. */
  readonly generated: readonly string[];
  readonly mismatches: readonly Mismatch[];
}

/** What a replay works with. `modules` gives other bytes for a task's module: to see what they would have changed. */
export interface ReplayPorts {
  readonly receipt: Receipt;
  readonly input: AuditInput;
  readonly lane: Lane;
  readonly modules: ReadonlyMap<string, GivenModule>;
  /** How long one call of a module may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (statements: number, of: number, rows: number) => void;
}

/** Mismatches listed; the first is what matters, the others follow from it. */
const MISMATCHES_MAX = 100;

/**
 * Redoes what a verified receipt claims: every journal by transitions alone, every statement by running its operator over its
 * input from its state before, and compares states, requests, output batches and statements byte by byte. It stops at the
 * first output that differs. Throws `NEEDS_DATA` when batches are nowhere to be had.
 */
export async function replayReceipt(ports: ReplayPorts): Promise<ReplayReport> {
  return new Replay(ports).run();
}

interface TaskReplay {
  readonly shown: ShownTask;
  runner: StageRunner | undefined;
  next: number;
  state: CID | null;
}

/** A recomputed batch: how many times it was made, and how many reads of it are to come. */
interface Made {
  readonly batch: Batch;
  times: number;
  reads: number;
}

class Replay {
  private readonly ports: ReplayPorts;
  private readonly mismatches: Mismatch[] = [];
  private readonly tasks: TaskReplay[];
  private readonly schemas = new Map<string, Schema>();
  /** Recomputed batches that tasks still have to read, by CID. */
  private readonly made = new Map<string, Made>();
  private statements = 0;
  private rows = 0;
  private stopped = false;

  constructor(ports: ReplayPorts) {
    this.ports = ports;
    this.tasks = ports.receipt.tasks.map((shown) => ({ shown, runner: undefined, next: 0, state: null }));
  }

  async run(): Promise<ReplayReport> {
    const { transitions, states } = this.journals();
    const changed = await this.ports.input.changed(this.ports.signal);
    await this.recompute();
    for (const name of changed) {
      if (this.stopped) break;
      this.miss({
        code: "INPUT_DIFFERS",
        where: `inputs/${name}`,
        message: `${name} holds the same rows, but it is not the file that the receipt names`,
      });
    }
    const { statements, rows, mismatches } = this;
    const { anchors } = this.ports.receipt;
    const generated = [...anchors].flatMap(([name, { kind }]) => (kind === "generated" ? [name] : []));
    return { ok: mismatches.length === 0, transitions, states, statements, rows, generated, mismatches };
  }

  private journals(): { transitions: number; states: number } {
    const { root, blocks } = this.ports.receipt;
    let transitions = 0;
    let states = 0;
    for (const [actor, head] of Object.entries(root.journals)) {
      const report = replayJournal({
        head,
        block: (cid) => blocks.get(cid.toString())?.bytes,
        hash: sha256,
        machines: MACHINES,
        actor,
      });
      transitions += report.transitions;
      states += report.states;
      for (const { code, seq, message } of report.mismatches) this.miss({ code, where: `${actor}:${seq}`, message });
    }
    return { transitions, states };
  }

  /** Runs every task as far as its input is there, over and over: what a task makes is read soon, and forgotten. */
  private async recompute(): Promise<void> {
    const total = this.tasks.reduce((sum, { shown }) => sum + shown.commits.length, 0);
    while (this.statements < total && !this.stopped) {
      const before = this.statements;
      for (const task of this.tasks) {
        const one = task.shown.input.from === "source";
        while (task.next < task.shown.commits.length && this.isReady(task) && !this.stopped) {
          await this.step(task);
          this.ports.onProgress?.(this.statements, total, this.rows);
          if (one) break;
        }
      }
      if (this.statements === before && !this.stopped) {
        const stuck = this.tasks.find((task) => task.next < task.shown.commits.length);
        this.stop({
          code: "OUTPUT_DIFFERS",
          where: `${stuck?.shown.task ?? "?"}/${stuck?.next ?? 0}`,
          message: "its input was not made by the task before it",
        });
      }
    }
  }

  private isReady({ shown, next }: TaskReplay): boolean {
    if (shown.input.from === "source") return true;
    const inputs = inputsOf(shown);
    const isMade = inputs.every(({ name }) => this.tasks.some((task) => task.shown.task === name));
    const schemaKnown = inputs.every(({ name, port }) => this.schemas.has(`${name}/${port}`));
    const batches = (shown.commits[next] as ShownCommit).slot.input.batches;
    const needed = new Map<string, number>();
    for (const cid of batches) needed.set(cid.toString(), (needed.get(cid.toString()) ?? 0) + 1);
    return isMade && schemaKnown && [...needed].every(([key, times]) => (this.made.get(key)?.times ?? 0) >= times);
  }

  private async step(task: TaskReplay): Promise<void> {
    const { signal } = this.ports;
    signal.throwIfAborted();
    const commit = task.shown.commits[task.next] as ShownCommit;
    const batches = await this.inputOf(task, commit);
    if (batches === undefined) return;
    const where = `${task.shown.task}/${commit.slot.seq}`;
    task.runner ??= await this.runnerOf(task, batches[0]?.schema).catch((error: unknown) => {
      // Another module that fails on no rows is a difference: the recorded one did not. One that cannot be run at all is a mistake.
      if (hasCode(error, "MODULE_TIMEOUT")) throw tooSlow(error);
      const isOther = this.ports.modules.has(task.shown.task);
      if (!isOther || !(error instanceof IpdmError) || error.kind !== "failed") throw error;
      return this.stop({
        code: error.code,
        where,
        message: `the module given for ${task.shown.task}: ${error.message}`,
      });
    });
    if (task.runner === undefined) return;
    const done = await task.runner
      .execute(commit.slotCid, commit.slot, batches, task.state, signal)
      .catch((error: unknown) => {
        signal.throwIfAborted();
        if (hasCode(error, "MODULE_TIMEOUT")) throw tooSlow(error);
        if (!(error instanceof IpdmError)) throw error;
        const { row } = error.facts;
        this.stop({
          code: error.code,
          where,
          message: error.message,
          ...(typeof row === "number" ? { row, rows: 1 } : {}),
        });
      });
    if (done === undefined) return;
    for (const [port, made] of Object.entries(done.outputs)) {
      const mismatch = await outputMismatch(this.ports.input, commit, port, made);
      if (mismatch !== undefined) return this.stop(mismatch);
      this.offer(task.shown.task, port, made);
    }
    if (!done.statementBlock.cid.equals(commit.statementCid)) {
      const module = this.ports.modules.has(task.shown.task) ? "; the module is another" : "";
      const state = done.statement.state.after.equals(commit.statement.state.after)
        ? ""
        : "; so does the state after it";
      this.miss({
        code: "STATEMENT_DIFFERS",
        where,
        message: `statement ${where} comes out differently though its output batches do not${state}${module}`,
      });
    }
    task.state = done.statement.state.after;
    task.next++;
    this.statements++;
    this.rows += commit.slot.input.rows;
  }

  private async inputOf({ shown }: TaskReplay, { slot }: ShownCommit): Promise<readonly Batch[] | undefined> {
    const { from, cut, end, batches: cids } = slot.input;
    if (shown.input.from === "task") return cids.map((cid) => this.take(cid));
    const { input, signal } = this.ports;
    const read = await input.read(shown.task, shown.input.name, cids, from, cut, end, signal);
    if (Array.isArray(read)) return read;
    this.stop({
      code: "INPUT_DIFFERS",
      where: `${shown.task}/${slot.seq}`,
      message: `input ${read.input} differs from statement ${shown.task}/${slot.seq} on, in batch ${read.batch}: ${read.message}`,
      batch: read.batch,
      row: read.row,
      rows: read.rows,
    });
    return undefined;
  }

  private take(cid: CID): Batch {
    const key = cid.toString();
    const kept = this.made.get(key) as Made;
    kept.reads--;
    if (kept.reads <= 0) this.made.delete(key);
    return kept.batch;
  }

  private offer(task: string, port: string, batches: readonly Batch[]): void {
    const readers = this.tasks.filter(({ shown }) =>
      inputsOf(shown).some((input) => input.from === "task" && input.name === task && input.port === port),
    ).length;
    if (readers === 0) return;
    for (const batch of batches) {
      const key = rawBlock(sha256, batch.bytes).cid.toString();
      const kept = this.made.get(key);
      // Two equal batches of one table have one CID: each is read once by every reader.
      if (kept === undefined) this.made.set(key, { batch, times: 1, reads: readers });
      else {
        kept.times++;
        kept.reads += readers;
      }
    }
  }

  private async runnerOf({ shown }: TaskReplay, found: Schema | undefined): Promise<StageRunner> {
    // Of several inputs, the first batch may be of any.
    const ofInput = shown.beside === undefined ? found : undefined;
    const known = ofInput ?? this.schemas.get(`${shown.input.name}/${shown.input.port}`);
    const besides = (shown.beside ?? []).map(({ name, port }) => this.schemas.get(`${name}/${port}`));
    const { runner, schemas } = await replayRunner(this.ports, shown, known, besides);
    for (const [port, schema] of Object.entries(schemas)) this.schemas.set(`${shown.task}/${port}`, schema);
    return runner;
  }

  private stop(mismatch: Mismatch): undefined {
    this.miss(mismatch);
    this.stopped = true;
    return undefined;
  }

  private miss(mismatch: Mismatch): void {
    if (this.mismatches.length < MISMATCHES_MAX) this.mismatches.push(mismatch);
  }
}

/** A call that ran out of time is no difference: a slower machine may only need longer. */
function tooSlow(error: unknown): unknown {
  if (!(error instanceof IpdmError)) return error;
  const { code, message, kind, where, facts } = error;
  const hint = "pass --timeout with what the run's configuration allowed, or more";
  return new IpdmError(code, message, { kind, hint, facts, cause: error, ...(where === undefined ? {} : { where }) });
}
