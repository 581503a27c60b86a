import type { CID } from "multiformats/cid";
import type { Schema } from "../batch/schema.ts";
import type { ModuleEntry } from "../consensus/module-entry.ts";
import type { Anchor, InputRef, Operator } from "../consensus/result.ts";
import type { LeafKind } from "../consensus/statement.ts";
import type { LiveRange, WindowsAsked } from "../consensus/work-key.ts";
import type { Block } from "../dag/block.ts";
import type { ModuleSpec } from "../sandbox/port.ts";

/** Port of a task's rows, of the rows that came too late for its windows or its join, and of those of the right input of a join. */
export const MAIN = "main";
export const LATE = "late";
export const LATE_RIGHT = "late-right";

/** Which windows of a finished table get zero-knowledge proofs: a number of drawn ones, or those the user names. */
export type ProveWindows =
  | { readonly kind: "drawn"; readonly windows: number }
  | {
      readonly kind: "named";
      readonly windows: readonly { readonly startUs: bigint; readonly key: readonly (string | null)[] }[];
    };

/** What is asked for, as keys and receipts say it. */
export function windowsAsked(prove: ProveWindows): WindowsAsked {
  return prove.kind === "drawn"
    ? prove.windows
    : prove.windows.map(({ startUs, key }) => ({ start: Number(startUs), key: [...key] }));
}

/** A module that changes while its task runs, between two slots. */
export interface LiveModule extends LiveRange {
  readonly entry: ModuleEntry;
}

/** An input beside a task's first, and its columns. */
export interface BesideInput {
  readonly input: InputRef;
  readonly schema: Schema;
}

/** A task as every node runs it. */
export interface TaskPlan {
  readonly name: string;
  readonly input: InputRef;
  /** The inputs beside the first, of a task that reads several. */
  readonly beside?: readonly BesideInput[];
  readonly operator: Operator;
  /** The task in normal form, tied to everything before it: what slots and statements name. */
  readonly stage: Block;
  readonly inputSchema: Schema;
  /** Schema by output port. */
  readonly ports: Readonly<Record<string, Schema>>;
  readonly leaves: Readonly<Record<string, LeafKind>>;
  readonly module: ModuleSpec | null;
  readonly prove: ProveWindows | null;
  /** Present where newer versions of the task's module take over while it runs: what may, and the entry that it begins with. */
  readonly live?: LiveModule;
  /** Identity of the work: stage, membership, cut and proofs. Its slots carry it, and a finished task of this key need not run again. */
  readonly key: Block;
}

/** A block whose hash was known beforehand: given by the user, or the same at so many endpoints (see `anchored` of a receipt's configuration). */
export interface TrustedBlock {
  readonly block: number;
  readonly hash: Uint8Array;
  readonly by: "given" | "compared";
  /** Endpoints that agree; 0 where the hash was given. */
  readonly endpoints: number;
}

/** An input of the run. */
export interface InputPlan {
  readonly name: string;
  readonly anchor: Anchor;
  readonly anchorBlock: Block;
  /** Blocks that the anchor links. */
  readonly parts: readonly Block[];
  /** Nodes of the headers of a chain's blocks; none where they are not known. */
  readonly headers: readonly Block[];
  /** The block whose hash the user trusts, for a chain with one; receipts say it. */
  readonly trusted: TrustedBlock | null;
  readonly schema: Schema;
}

/** A table that leaves the run. */
export interface OutputPlan {
  readonly name: string;
  readonly task: string;
  readonly port: string;
  readonly schema: Schema;
}

/** What a task's reference to a catalogue came to when the run was planned. */
export interface ModuleLock {
  readonly task: string;
  readonly name: string;
  /** The range of versions that the configuration asks for, and the version that it was. */
  readonly range: string;
  readonly version: string;
  readonly module: CID;
  /** The publisher's signed entry. */
  readonly entry: Block;
  /** Newer versions take over while the task runs; `version` is the one that it begins with. */
  readonly live: boolean;
}

/** Everything about a run that its nodes agree on before it starts. */
export interface RunPlan {
  readonly name: string;
  /** Tasks in dependency order. */
  readonly tasks: readonly TaskPlan[];
  readonly inputs: readonly InputPlan[];
  readonly outputs: readonly OutputPlan[];
  readonly membership: { readonly cid: CID; readonly block: Block };
  /** Rows a batch. */
  readonly cut: number;
  /** Modules that come from a catalogue, pinned. */
  readonly locks: readonly ModuleLock[];
  /** Identity of the run: its name, all tasks' keys and all outputs. The seal's slot carries it. */
  readonly key: Block;
}

/** The task of that name. */
export function taskOf(plan: RunPlan, name: string): TaskPlan {
  const task = plan.tasks.find((candidate) => candidate.name === name);
  if (task === undefined) throw new RangeError(`no task ${name}`);
  return task;
}

/** True where a task reads generated rows: their batches are not kept, whoever needs them makes them again. */
export function isGenerated({ inputs }: Pick<RunPlan, "inputs">, input: InputRef): boolean {
  return input.from === "source" && inputs.find(({ name }) => name === input.name)?.anchor.kind === "generated";
}
