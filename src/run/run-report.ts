import type { Ledger } from "../../actors/node/ledger.ts";
import type { NodeObserver } from "../../actors/node/node-ports.ts";
import type { Config } from "../config/config.ts";
import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { LocalNode } from "../node.ts";
import type { ModuleLock, RunPlan } from "../runtime/plan.ts";
import type { ModuleWords } from "./modules.ts";
import type { RunOptions, RunProgress } from "./options.ts";
import type { RowTotal } from "./row-guess.ts";
import type { SourceObserver } from "./sources.ts";
import { StageTracker } from "./stages.ts";
import { UncheckedBlocks } from "./unchecked-blocks.ts";

/** What evidence is called where people read it, and what came of it. */
const DEEDS: Readonly<Record<string, readonly [deed: string, outcome: string]>> = {
  divergent: ["claimed another result for", "its vote was not counted"],
  equivocation: ["voted twice for", "only its first vote counts"],
  forked: ["signed two slots for", "the first stands"],
};

/** Tells whoever started a run how it goes. It decides nothing. */
export class RunReport implements SourceObserver, ModuleWords {
  private readonly options: Pick<RunOptions, "onProgress" | "onNotice" | "onStages">;
  /** Sources by the task that reads each first. */
  private readonly sourceTasks: ReadonlyMap<string, string>;
  /** Sources whose absent columns were told: each reader of a source finds them. */
  private readonly absentIn = new Set<string>();
  private readonly totals = new Map<string, RowTotal>();
  private readonly unchecked = new UncheckedBlocks();
  private progress: RunProgress = {
    rowsIn: 0,
    rowsRecovered: 0,
    rowsTotal: undefined,
    isEstimate: false,
    statements: 0,
    certificates: 0,
    proofs: 0,
    phase: "opening",
  };

  constructor(options: Pick<RunOptions, "onProgress" | "onNotice" | "onStages">, config: Config) {
    this.options = options;
    const sources = config.sources.map((source) => source.name);
    // Rows are counted where they are read first: a source may have several readers.
    const firstReader = (source: string): string =>
      config.tasks.find((task) => task.input === source && !(task.kind === "stream" && task.beside.length > 0))?.name ??
      `copy:${source}`;
    this.sourceTasks = new Map(sources.map((source) => [firstReader(source), source]));
  }

  /** The nodes run: whoever wants to know may ask how their stages stand. */
  watch(plan: RunPlan, ledger: Ledger): void {
    const tracker = new StageTracker(plan, ledger, (source) => this.totals.get(source)?.rows);
    this.options.onStages?.(() => tracker.read());
  }

  /** The run came further. */
  update(change: Partial<RunProgress>): void {
    this.progress = { ...this.progress, ...change };
    this.options.onProgress?.(this.progress);
  }

  /** A module of the submitting node wrote a line to the log. */
  wrote(task: string, line: string): void {
    this.unchecked.wrote(task, line);
  }

  /** Everything is certified. */
  sealed(): void {
    for (const notice of this.unchecked.notices()) this.options.onNotice?.(notice);
    this.update({ phase: "sealed" });
  }

  /** Blocks of a chain are being fetched: so many are there. */
  fetching(source: string, there: number, of: number): void {
    this.totals.set(source, { rows: of, isExact: false });
    this.update({ phase: "fetching", rowsIn: there, ...this.total() });
    this.progress = { ...this.progress, rowsIn: 0 };
  }

  /** The plan is being made; `rows` of the sources that tell their number. */
  planning(rows: ReadonlyMap<string, number>): void {
    for (const [source, count] of rows) this.totals.set(source, { rows: count, isExact: true });
    this.update({ phase: "planning", ...this.total() });
  }

  /** A source was read so far that its rows can be told or estimated. */
  rows(source: string, total: RowTotal): void {
    if (this.totals.get(source)?.isExact === true) return;
    this.totals.set(source, total);
    this.update(this.total());
  }

  /** A source was read to its end, and no row has these declared columns: null throughout is seldom what was meant. */
  absent(source: string, columns: readonly string[]): void {
    if (this.absentIn.has(source)) return;
    this.absentIn.add(source);
    const [names, are] = [columns.join(", "), columns.length === 1 ? "column" : "columns"];
    const message = `sources.${source}.columns: no row has the ${are} ${names}, so all values there are null`;
    this.options.onNotice?.({ level: "warn", code: "CONFIG_ODD", message, facts: { source, columns } });
  }

  /** The submitting node is open: what its ledger holds and this run did not execute, an earlier one did. */
  recovered(ledger: Pick<Ledger, "executed">): void {
    let done = 0;
    for (const [task, source] of this.sourceTasks) {
      const slots = ledger.executed(task).map(({ slot }) => slot.input);
      const rows = slots.reduce((sum, input) => sum + input.rows, 0);
      if (slots.at(-1)?.end === true) this.rows(source, { rows, isExact: true });
      done += rows;
    }
    this.update({ rowsIn: done, rowsRecovered: done - this.progress.rowsIn });
  }

  private total(): Pick<RunProgress, "rowsTotal" | "isEstimate"> {
    const known = [...this.totals.values()];
    return {
      rowsTotal: known.length < this.sourceTasks.size ? undefined : known.reduce((sum, { rows }) => sum + rows, 0),
      isEstimate: known.some(({ isExact }) => !isExact),
    };
  }

  /** A stage was found done. */
  reused(task: string): void {
    this.options.onNotice?.({ level: "info", code: "REUSED", message: `${task}: reused`, facts: { stage: task } });
  }

  /** Modules of the catalogue were resolved. */
  locked(locks: readonly ModuleLock[]): void {
    for (const { task, name, range, version, module } of locks) {
      const facts = { task, name, range, version, module: module.toString() };
      const message = `${task}: ${name}@${range} is ${version} (${module.toString()})`;
      this.options.onNotice?.({ level: "info", code: "MODULE_LOCKED", message, facts });
    }
  }

  /** A voter failed; the others go on while a quorum is left. */
  nodeLeft(node: string, error: unknown): void {
    const code = error instanceof IpdmError ? error.code : "NODE_FAILED";
    const message = error instanceof Error ? error.message : String(error);
    this.options.onNotice?.({ level: "warn", code, message: `node ${node} left the run: ${message}`, facts: { node } });
  }

  /** What the submitting node is to be watched with. */
  observer(members: readonly LocalNode[]): NodeObserver {
    const nameOf = (key: Uint8Array): string =>
      members.find((member) => toHex(member.signer.publicKey) === toHex(key))?.name ?? toHex(key).slice(0, 16);
    return {
      executed: (task, rows) => {
        const { statements, rowsIn } = this.progress;
        this.update({ statements: statements + 1, rowsIn: rowsIn + (this.sourceTasks.has(task) ? rows : 0) });
      },
      certified: () => this.update({ certificates: this.progress.certificates + 1 }),
      newVersion: (task, { name, version, module }, from, fault) => {
        const facts = { task, name, version, module: module.toString(), from };
        if (fault === undefined) {
          const message = `${task}: ${name} ${version} takes over from row ${from} on (${module.toString()})`;
          return this.options.onNotice?.({ level: "info", code: "MODULE_TAKEN_OVER", message, facts });
        }
        const message = `${task}: ${name} ${version} cannot take over, so the run goes on without it: ${fault}`;
        return this.options.onNotice?.({
          level: "warn",
          code: "MODULE_NOT_TAKEN",
          message,
          facts: { ...facts, fault },
        });
      },
      proved: (_task, proofs) => this.update({ proofs: this.progress.proofs + proofs }),
      evidence: (kind, voter, task, seq) => {
        const node = nameOf(voter);
        const [deed, outcome] = DEEDS[kind] ?? [kind, "it is in the journal"];
        const message = `${node} ${deed} ${task}/${seq}; ${outcome}`;
        this.options.onNotice?.({ level: "warn", code: "EVIDENCE", message, facts: { node, kind, task, seq } });
      },
    };
  }
}
