import type { Batch } from "../../src/batch/batch.ts";
import { valueAt } from "../../src/batch/column.ts";
import type { Slot } from "../../src/consensus/slot.ts";
import { mismatch, type Piece, type TaskInputReader, type TaskOutputInput } from "./input.ts";

/** One input: what it is read with, and the column of its event time. */
export interface OneOfSeveral {
  readonly reader: TaskOutputInput;
  readonly time: string | null;
}

/** How far an input has been read. */
interface Progress {
  row: number;
  /** Event time of its last row. */
  time: bigint | null;
  ended: boolean;
}

/**
 * Reads several inputs of a task, a piece of one of them for each slot: always of the input that is furthest behind in event time, by
 * the last row read of it, of equal ones the first. So the order of slots depends on the data alone, and no input runs far ahead of the
 * others; the order of rows is the operator's, which looks at each row's event time.
 */
export class SeveralInputs implements TaskInputReader {
  private readonly inputs: readonly OneOfSeveral[];
  private progress: Progress[] = [];
  private seq = -1;

  constructor(inputs: readonly OneOfSeveral[]) {
    this.inputs = inputs;
  }

  async next(from: number, signal: AbortSignal, _rowsMax: number | undefined, seq: number): Promise<Piece> {
    if (this.seq !== seq) {
      this.progress = this.inputs.map(() => ({ row: 0, time: null, ended: false }));
      // Which piece a slot is depends on those before it.
      for (this.seq = 0; this.seq < seq; this.seq++) await this.step(0, signal);
    }
    const piece = await this.step(from, signal);
    this.seq = seq + 1;
    return piece;
  }

  async read(slot: Slot, signal: AbortSignal): Promise<readonly Batch[]> {
    const own = await this.next(slot.input.from, signal, undefined, slot.seq);
    const { part } = slot;
    if (part?.input !== own.part?.input || part?.end !== own.part?.end)
      throw mismatch(slot, `it is a piece of input ${part?.input}, where one of ${own.part?.input} is next`);
    const { rows, end, batches } = slot.input;
    const differs = own.cids.findIndex((cid, i) => batches[i]?.equals(cid) !== true);
    if (differs >= 0 || batches.length !== own.cids.length || rows !== own.rows || end !== own.end)
      throw mismatch(slot, `batch ${differs < 0 ? own.cids.length : differs} of input ${own.part?.input} is another`);
    return own.batches;
  }

  async close(): Promise<void> {}

  private async step(from: number, signal: AbortSignal): Promise<Piece> {
    const input = this.furthestBehind();
    const progress = this.progress[input] as Progress;
    const { reader, time } = this.inputs[input] as OneOfSeveral;
    const piece = await reader.next(progress.row, signal);
    progress.row += piece.rows;
    progress.ended = piece.end;
    progress.time = lastTime(piece.batches, time) ?? progress.time;
    const end = this.progress.every(({ ended }) => ended);
    return { ...piece, from, end, part: { input, end: piece.end } };
  }

  private furthestBehind(): number {
    let least = -1;
    for (const [i, { ended, time }] of this.progress.entries()) {
      if (ended) continue;
      const other = this.progress[least];
      if (other === undefined || (other.time !== null && (time === null || time < other.time))) least = i;
    }
    return Math.max(0, least);
  }
}

function lastTime(batches: readonly Batch[], column: string | null): bigint | null {
  const last = batches.findLast((batch) => batch.rows > 0);
  if (last === undefined || column === null) return null;
  const time = valueAt(last.column(column), last.rows - 1);
  return typeof time === "bigint" ? time : null;
}
