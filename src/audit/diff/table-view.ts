import type { CID } from "multiformats/cid";
import { Frontier } from "../../../proofs/merkle/frontier.ts";
import type { Receipt, ShownCommit } from "../../../proofs/receipt/contents.ts";
import { BATCH_ROWS_MAX } from "../../batch/limits.ts";
import { slotName } from "../../consensus/slot.ts";
import { parseTaskState } from "../../consensus/statement.ts";
import { IpdmError } from "../../core/errors.ts";
import { decodeBlock } from "../../dag/block.ts";
import { sha256 } from "../../node.ts";

/** The rows up to the end of a statement, as the state after it commits to them. */
export interface Prefix {
  readonly rows: number;
  readonly leaves: number;
  readonly root: Uint8Array;
}

/** Part of a table that one statement made, or one slot read. */
export interface Part {
  /** `daily/3`. */
  readonly name: string;
  /** Rows of the table before this part, and in it. */
  readonly from: number;
  readonly rows: number;
  readonly batches: readonly CID[];
}

/** A table as the statements of one receipt cut it. */
export interface TableView {
  /** Rows that a batch has when nothing closes it early. */
  readonly batchRows: number;
  readonly parts: readonly Part[];
  /** What a leaf of its Merkle tree is; an input has none. */
  readonly leaf: "row" | "batch" | undefined;
  /** Root over all leaves; an input has none. */
  readonly root: Uint8Array | undefined;
  /** The rows up to the end of a part: one block of the receipt. */
  prefix(part: number): Prefix;
}

/** An output of a task; `undefined` where the receipt has no such task or port. */
export function outputView(receipt: Receipt, task: string, port: string): TableView | undefined {
  const commits = receipt.tasks.find((shown) => shown.task === task)?.commits ?? [];
  const table = commits.at(-1)?.statement.tables?.[port];
  if (table === undefined) return undefined;
  return {
    batchRows: BATCH_ROWS_MAX,
    leaf: table.leaf,
    root: table.root,
    parts: commits.map(({ slot, statement }) => {
      const output = statement.outputs[port];
      return { name: slotName(slot), from: output?.from ?? 0, rows: output?.rows ?? 0, batches: output?.batches ?? [] };
    }),
    prefix: (part) => prefixOf(receipt, commits[part] as ShownCommit, port),
  };
}

/** An input, as the first task that reads it took it. */
export function inputView(receipt: Receipt, name: string): TableView | undefined {
  const reader = receipt.tasks.find(({ input }) => input.from === "source" && input.name === name);
  if (reader === undefined) return undefined;
  return {
    batchRows: receipt.config.cut,
    leaf: undefined,
    root: undefined,
    parts: reader.commits.map(({ slot }) => {
      const { from, rows, batches } = slot.input;
      return { name: slotName(slot), from, rows, batches };
    }),
    prefix: () => {
      throw new IpdmError("INVARIANT", "slots do not commit to the rows before them");
    },
  };
}

function prefixOf({ blocks }: Receipt, { statement }: ShownCommit, port: string): Prefix {
  const block = blocks.get(statement.state.after.toString());
  const state = block === undefined ? undefined : parseTaskState(decodeBlock(block)).outputs[port];
  if (state === undefined) throw new IpdmError("INVARIANT", "a verified receipt has the states of its statements");
  const { rows, leaves, frontier } = state;
  return { rows, leaves, root: Frontier.fromIpld(sha256, { count: leaves, hashes: frontier }).root() };
}
