import type { CID } from "multiformats/cid";
import { z } from "zod";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock } from "../dag/block.ts";
import { count } from "./ipld-schema.ts";

/** Windows that are proved: how many are drawn, or those that the user named by their start (microseconds) and key (as texts, null for no value). */
export const windowsAskedSchema = z.union([
  count,
  z.array(z.strictObject({ start: z.number().int(), key: z.array(z.string().nullable()).max(64) })).max(1024),
]);
/** See {@link windowsAskedSchema}. */
export type WindowsAsked = z.infer<typeof windowsAskedSchema>;

/** What makes a task's work this work and no other: what is computed, by whom, in batches of how many rows, and what is proved. */
export interface TaskWork {
  readonly stage: CID;
  readonly membership: CID;
  readonly cut: number;
  readonly prove: WindowsAsked | null;
  /** Width of the values that the run proves, where it is not 32. */
  readonly bits?: 64;
  /** What a task that takes newer versions of its module as they come may take; absent where its module never changes. */
  readonly live?: LiveRange;
  /** Key of the task that it reads, where that one or one before it is live: its stage does not tell all that was done then. */
  readonly after?: CID;
}

/** A module by its name in a catalogue, and the range of its versions. */
export interface LiveRange {
  readonly name: string;
  readonly range: string;
}

/** The key of a task's work, which its slots carry: two runs that share a key share its slots, and others have none in common. */
export function taskKey(hash: Hash, { stage, membership, cut, prove, bits, live, after }: TaskWork): Block {
  const lively = live === undefined ? {} : { live: { name: live.name, range: live.range } };
  const behind = after === undefined ? {} : { after };
  const wide = bits === undefined ? {} : { bits };
  return cborBlock(hash, { v: 1, kind: "task", stage, membership, cut, prove, ...wide, ...lively, ...behind });
}

/** What makes a run this run: its name, the members, every task's key, and which of their ports leave it. */
export interface RunWork {
  readonly name: string;
  readonly membership: CID;
  readonly tasks: Readonly<Record<string, CID>>;
  readonly outputs: Readonly<Record<string, { readonly task: string; readonly port: string }>>;
}

/** The key of a run, which its seal's slot carries. */
export function runKey(hash: Hash, { name, membership, tasks, outputs }: RunWork): Block {
  return cborBlock(hash, { v: 1, kind: "run", name, membership, tasks, outputs });
}
