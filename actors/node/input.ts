import type { CID } from "multiformats/cid";
import type { Batch } from "../../src/batch/batch.ts";
import { decodeBatch } from "../../src/batch/batch.ts";
import { batchBlock } from "../../src/batch/batch-block.ts";
import type { InputRef } from "../../src/consensus/result.ts";
import {
  SLOT_BATCHES_MAX,
  SLOT_BYTES_TARGET,
  SLOT_ROWS_TARGET,
  type Slot,
  slotName,
} from "../../src/consensus/slot.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash } from "../../src/core/ports.ts";
import type { Block } from "../../src/dag/block.ts";
import type { ReadBlock } from "../../src/runtime/stage/runner.ts";
import type { Ledger } from "./ledger.ts";

/** Batches of a source. One that grows while it is read says whether the next batch is decided, or has to be waited for. */
export interface SourceBatches extends AsyncIterator<Batch> {
  isDecided?(): boolean;
}

/** Reads a source's rows in batches of `cut` rows, from a row on. */
export type ReadSource = (source: string, cut: number, fromRow: number, signal: AbortSignal) => SourceBatches;

/** The next piece of a task's input. */
export interface Piece {
  readonly from: number;
  readonly rows: number;
  readonly end: boolean;
  readonly cids: readonly CID[];
  readonly batches: readonly Batch[];
  /** Blocks that are not stored yet: batches fresh from a source. */
  readonly fresh: readonly Block[];
  /** Of a task with several inputs: which of them it is of, and whether that one has no more. */
  readonly part?: NonNullable<Slot["part"]>;
}

/** How a task's input is read on one node, in order: the submitter cuts it into pieces, a voter checks slots against it. */
export interface TaskInputReader {
  /**
   * The piece that starts at a row: where it ends depends on the data alone. Of an input that grows it is what is there, at most
   * `rowsMax`. `seq` is the number of its slot.
   */
  next(from: number, signal: AbortSignal, rowsMax: number | undefined, seq: number): Promise<Piece>;
  /** The batches of a slot. Throws `INPUT_MISMATCH` when the input holds others. */
  read(slot: Slot, signal: AbortSignal): Promise<readonly Batch[]>;
  close(): Promise<void>;
}

/** Reads a source itself, in this node's own pass over it. */
export class SourceInput implements TaskInputReader {
  private readonly source: string;
  private readonly cut: number;
  private readonly hash: Hash;
  private readonly open: ReadSource;
  private iterator: SourceBatches | undefined;
  private ahead: IteratorResult<Batch> | undefined;
  private row = 0;

  constructor(source: string, cut: number, hash: Hash, open: ReadSource) {
    this.source = source;
    this.cut = cut;
    this.hash = hash;
    this.open = open;
  }

  async next(from: number, signal: AbortSignal, rowsMax = SLOT_ROWS_TARGET): Promise<Piece> {
    await this.seek(from, signal);
    const batches: Batch[] = [];
    let rows = 0;
    let bytes = 0;
    while (rows < rowsMax && bytes < SLOT_BYTES_TARGET && batches.length < SLOT_BATCHES_MAX) {
      const batch = await this.take(signal);
      if (batch === undefined) break;
      batches.push(batch);
      rows += batch.rows;
      bytes += batch.bytes.length;
      // What is there is a piece: the next batch may be long in coming.
      if (!this.isDecided()) break;
    }
    const end = this.isDecided() && (await this.peek(signal)).done === true;
    const fresh = batches.map((batch) => batchBlock(this.hash, batch));
    return { from, rows, end, cids: fresh.map((block) => block.cid), batches, fresh };
  }

  async read(slot: Slot, signal: AbortSignal): Promise<readonly Batch[]> {
    const { from, cut, batches: expected, end } = slot.input;
    if (cut !== this.cut) throw mismatch(slot, `batches of ${cut} rows, not ${this.cut}`);
    await this.seek(from, signal);
    const batches: Batch[] = [];
    let row = from;
    for (const [i, cid] of expected.entries()) {
      const batch = await this.take(signal);
      if (batch === undefined) throw mismatch(slot, `the source ends before batch ${i}, at row ${row}`);
      if (!batchBlock(this.hash, batch).cid.equals(cid)) {
        throw mismatch(slot, `batch ${i} (rows ${row} to ${row + batch.rows - 1}) is not what the source holds`, {
          batch: i,
          row,
        });
      }
      batches.push(batch);
      row += batch.rows;
    }
    // Where an input that grows is to end, the submitter says.
    if (this.iterator?.isDecided === undefined && ((await this.peek(signal)).done === true) !== end)
      throw mismatch(slot, end ? "the source goes on" : "the source ends here");
    return batches;
  }

  async close(): Promise<void> {
    await this.iterator?.return?.();
    this.iterator = undefined;
  }

  private isDecided(): boolean {
    return this.ahead !== undefined || this.iterator?.isDecided?.() !== false;
  }

  private async seek(row: number, signal: AbortSignal): Promise<void> {
    if (this.iterator !== undefined && this.row === row) return;
    await this.close();
    this.iterator = this.open(this.source, this.cut, row, signal);
    this.ahead = undefined;
    this.row = row;
  }

  private async peek(signal: AbortSignal): Promise<IteratorResult<Batch>> {
    signal.throwIfAborted();
    this.ahead ??= await (this.iterator as SourceBatches).next();
    return this.ahead;
  }

  private async take(signal: AbortSignal): Promise<Batch | undefined> {
    const next = await this.peek(signal);
    if (next.done === true) return undefined;
    this.ahead = undefined;
    this.row += next.value.rows;
    return next.value;
  }
}

/** Reads what the task before it made. One piece never spans two statements, so its ends depend on the data alone. */
export class TaskOutputInput implements TaskInputReader {
  private readonly input: InputRef;
  private readonly ledger: Ledger;
  private readonly readBlock: ReadBlock;

  constructor(input: InputRef, ledger: Ledger, readBlock: ReadBlock) {
    this.input = input;
    this.ledger = ledger;
    this.readBlock = readBlock;
  }

  async next(from: number, signal: AbortSignal): Promise<Piece> {
    for (let seq = this.startAt(from); ; seq++) {
      const { slot, statement } = await this.ledger.at(this.input.name, seq, signal);
      const output = statement.outputs[this.input.port];
      const cids: CID[] = [];
      const batches: Batch[] = [];
      let row = output?.from ?? 0;
      let rows = 0;
      for (const cid of output?.batches ?? []) {
        signal.throwIfAborted();
        if (batches.length === SLOT_BATCHES_MAX) break;
        const batch = decodeBatch(await this.readBlock(cid, signal));
        // What lies before was taken by the slot before.
        if (row >= from) {
          cids.push(cid);
          batches.push(batch);
          rows += batch.rows;
        }
        row += batch.rows;
      }
      if (batches.length === 0 && !slot.input.end) continue;
      const end = slot.input.end && (output === undefined || from + rows === output.from + output.rows);
      return { from, rows, end, cids, batches, fresh: [] };
    }
  }

  /** What the data says of the slot's piece, this node has recorded itself: the submitter has nothing to choose. */
  async read(slot: Slot, signal: AbortSignal): Promise<readonly Batch[]> {
    const { from, rows, end, batches: named } = slot.input;
    const own = await this.next(from, signal);
    let row = from;
    for (const [i, batch] of own.batches.entries()) {
      const cid = named[i];
      if (cid?.equals(own.cids[i] as CID) !== true) {
        const place = `batch ${i} (rows ${row} to ${row + batch.rows - 1} of ${this.input.name})`;
        throw mismatch(slot, `${place} is ${cid === undefined ? "left out" : "another"}`, { batch: i, row });
      }
      row += batch.rows;
    }
    const facts = { batch: own.cids.length, row };
    if (named.length > own.cids.length)
      throw mismatch(slot, `batch ${facts.batch}, from row ${row} on, is more than ${this.input.name} made`, facts);
    if (rows !== own.rows) throw mismatch(slot, `it is said to be ${rows} rows, and is ${own.rows}`, facts);
    if (end !== own.end)
      throw mismatch(slot, `${this.input.name} ${own.end ? "ends" : "goes on"} at row ${row}`, facts);
    return own.batches;
  }

  async close(): Promise<void> {}

  /** The first recorded statement whose output reaches beyond a row; earlier ones were read. */
  private startAt(from: number): number {
    const commits = this.ledger.commits(this.input.name);
    const next = commits.findIndex(({ statement }) => {
      const output = statement.outputs[this.input.port];
      return output !== undefined && output.from + output.rows > from;
    });
    return next >= 0 ? next : Math.max(0, commits.length - (this.ledger.isComplete(this.input.name) ? 1 : 0));
  }
}

/** The batches of a slot from stores: this node's, or, by their CIDs, a peer's. */
export async function readStored(slot: Slot, readBlock: ReadBlock, signal: AbortSignal): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (const cid of slot.input.batches) {
    signal.throwIfAborted();
    batches.push(decodeBatch(await readBlock(cid, signal)));
  }
  return batches;
}

/** The error of a slot that names other input than there is. */
export function mismatch(slot: Slot, what: string, facts: Readonly<Record<string, unknown>> = {}): IpdmError {
  return new IpdmError(
    "INPUT_MISMATCH",
    `the submitter's input for ${slotName(slot)} differs from this node's own: ${what}`,
    {
      kind: "verification",
      where: slotName(slot),
      facts: { task: slot.task, seq: slot.seq, ...facts },
    },
  );
}
