import type { CID } from "multiformats/cid";
import type { Batch } from "../../batch/batch.ts";
import { sameRow } from "../../batch/rows.ts";
import { sameSchema } from "../../batch/schema.ts";
import { ndjsonRow } from "../../batch/text/row-text.ts";
import type { Start } from "./bisect.ts";
import type { Part, TableView } from "./table-view.ts";

/** Reads the batch of a table that begins at a row. */
export type ReadBatch = (cid: CID, from: number) => Promise<Batch>;

/** A table and where its batches are read. */
export interface Side {
  readonly view: TableView;
  readonly read: ReadBatch;
}

/** A row of one of the tables: the statement and the batch in it, and the row as a line of NDJSON. */
export interface PlacedRow {
  readonly statement: string;
  readonly batch: number;
  readonly cid: CID;
  readonly text: string;
}

/** The first row in which two tables differ, counted over the whole table; `undefined` on the side that ended before it. */
export interface RowDifference {
  readonly row: number;
  readonly a: PlacedRow | undefined;
  readonly b: PlacedRow | undefined;
}

/**
 * Finds the first row in which two tables differ, from a place on before which they are the same. Batches of the same CID
 * are passed by unread. Cut alike, that is one batch of each side; and one or a few more, to count the rows before it.
 */
export async function firstRow(
  a: Side,
  b: Side,
  start: Start,
  signal: AbortSignal,
): Promise<RowDifference | undefined> {
  const [left, right] = [new Cursor(a, start.a), new Cursor(b, start.b)];
  while (left.cid !== undefined && right.cid !== undefined && left.cid.equals(right.cid)) {
    left.skip();
    right.skip();
  }
  if (left.cid === undefined && right.cid === undefined) return undefined;
  const row = await (left.cid === undefined ? right : left).rowsBefore();
  return walk(left, right, row, signal);
}

async function walk(
  left: Cursor,
  right: Cursor,
  from: number,
  signal: AbortSignal,
): Promise<RowDifference | undefined> {
  for (let row = from; ; ) {
    signal.throwIfAborted();
    const [one, other] = [await left.open(row), await right.open(row)];
    if (one === undefined && other === undefined) return undefined;
    if (one === undefined || other === undefined || !sameSchema(one.schema, other.schema))
      return { row, a: left.placed(), b: right.placed() };
    const count = Math.min(one.rows - left.row, other.rows - right.row);
    for (let i = 0; i < count; i++) {
      if (sameRow(one, left.row + i, other, right.row + i)) continue;
      left.row += i;
      right.row += i;
      return { row: row + i, a: left.placed(), b: right.placed() };
    }
    left.row += count;
    right.row += count;
    row += count;
  }
}

/** A place in a table: a part, a batch in it, and, once that is read, a row in the batch. */
class Cursor {
  row = 0;
  private readonly side: Side;
  private part: number;
  private batch = 0;
  private opened: Batch | undefined;

  constructor(side: Side, part: number) {
    this.side = side;
    this.part = part;
    this.settle();
  }

  /** The batch here; `undefined` behind the last. */
  get cid(): CID | undefined {
    return this.here?.batches[this.batch];
  }

  private get here(): Part | undefined {
    return this.side.view.parts[this.part];
  }

  skip(): void {
    this.batch++;
    this.row = 0;
    this.opened = undefined;
    this.settle();
  }

  /** The batch with the next row, which is this one of the table. */
  async open(row: number): Promise<Batch | undefined> {
    while (this.opened === undefined || this.row >= this.opened.rows) {
      if (this.opened !== undefined) this.skip();
      const { cid } = this;
      if (cid === undefined) return undefined;
      this.opened = await this.side.read(cid, row);
    }
    return this.opened;
  }

  placed(): PlacedRow | undefined {
    const { opened, cid, here } = this;
    if (opened === undefined || cid === undefined || here === undefined) return undefined;
    return { statement: here.name, batch: this.batch, cid, text: ndjsonRow(opened, this.row) };
  }

  /**
   * Rows of the table before this batch. A statement says how many rows it has, not how many are in which batch: where all
   * batches but the last must be full, the last one tells; else those before this one are read.
   */
  async rowsBefore(): Promise<number> {
    const { here, batch } = this;
    if (here === undefined) return 0;
    const { batchRows } = this.side.view;
    const last = here.batches.at(-1);
    if (batch === 0 || last === undefined) return here.from;
    const spare = here.batches.length * batchRows - here.rows;
    if (spare === 0) return here.from + batch * batchRows;
    if (spare < batchRows) {
      const from = here.from + (here.batches.length - 1) * batchRows;
      const { rows } = await this.side.read(last, from);
      if (rows === batchRows - spare) return here.from + batch * batchRows;
    }
    let row = here.from;
    for (const cid of here.batches.slice(0, batch)) row += (await this.side.read(cid, row)).rows;
    return row;
  }

  /** Behind the last batch of a part comes the next part that has one. */
  private settle(): void {
    while (this.here !== undefined && this.batch >= this.here.batches.length) {
      this.part++;
      this.batch = 0;
    }
  }
}
