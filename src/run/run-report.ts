import type { NodeObserver } from "../../actors/node/node-ports.ts";
import type { Config } from "../config/config.ts";
import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { LocalNode } from "../node.ts";
import type { ModuleLock } from "../runtime/plan.ts";
import type { RunOptions, RunProgress } from "./options.ts";

/** What evidence is called where people read it, and what came of it. */
const DEEDS: Readonly<Record<string, readonly [deed: string, outcome: string]>> = {
  divergent: ["claimed another result for", "its vote was not counted"],
  equivocation: ["voted twice for", "only its first vote counts"],
  forked: ["signed two slots for", "the first stands"],
};

/** Tells whoever started a run how it goes. It decides nothing. */
export class RunReport {
  private readonly options: Pick<RunOptions, "onProgress" | "onNotice">;
  private readonly sourceTasks: ReadonlySet<string>;
  private progress: RunProgress = {
    rowsIn: 0,
    rowsTotal: undefined,
    statements: 0,
    certificates: 0,
    proofs: 0,
    phase: "opening",
  };

  constructor(options: Pick<RunOptions, "onProgress" | "onNotice">, config: Config) {
    this.options = options;
    const sources = new Set(config.sources.map((source) => source.name));
    // Rows are counted where they are read first: a source may have several readers.
    const firstReader = (source: string): string =>
      config.tasks.find((task) => task.input === source)?.name ?? `copy:${source}`;
    this.sourceTasks = new Set([...sources].map(firstReader));
  }

  /** The run came further. */
  update(change: Partial<RunProgress>): void {
    this.progress = { ...this.progress, ...change };
    this.options.onProgress?.(this.progress);
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
