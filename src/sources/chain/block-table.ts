import { HEADERS_MAX } from "../../consensus/chain-anchor.ts";
import type { BlockHead, ChainFormat } from "./kind.ts";

/** Where a text stands: in a file, by its number, at bytes of what the file holds decompressed. */
export interface TextPlace {
  readonly file: number;
  readonly from: number;
  readonly to: number;
}

/** A {@link BlockTable} as plain data. Where its memory is shared, another thread has the same table without a copy. */
export interface BlockTableData {
  readonly length: number;
  readonly memory: ArrayBufferLike;
  /** Headers in hexadecimal, of those blocks whose hash is that of their header; of the first {@link HEADERS_MAX} at most. */
  readonly headers: readonly (string | undefined)[];
}

const HASH_BYTES = 32;
const CELL_BYTES = 8;
/** Cells of a row: number, number of the parent, hash, hash of the parent; then of each text file, from and to. */
const HASH_CELL = 2;
const PARENT_CELL = HASH_CELL + HASH_BYTES / CELL_BYTES;
const TEXTS_CELL = PARENT_CELL + HASH_BYTES / CELL_BYTES;
const TEXT_CELLS = 3;
const ROWS_FIRST = 64;

/**
 * Blocks of a source: what they claim to be, and where the texts of their rows stand. It takes 80 bytes a block and 24 a text, in one piece of
 * memory outside of any heap; headers, where they are kept, are beside it.
 */
export class BlockTable {
  readonly length: number;
  readonly data: BlockTableData;
  private readonly format: ChainFormat;
  private readonly cells: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly rowCells: number;

  constructor(format: ChainFormat, data: BlockTableData) {
    this.format = format;
    this.length = data.length;
    this.data = data;
    this.cells = new Float64Array(data.memory);
    this.bytes = new Uint8Array(data.memory);
    this.rowCells = rowCells(format);
  }

  number(row: number): number {
    return this.cells[row * this.rowCells] as number;
  }

  hash(row: number): string {
    return this.format.hashText(this.hashBytes(row));
  }

  /** The 32 bytes of a hash, a copy of them. */
  hashBytes(row: number): Uint8Array<ArrayBuffer> {
    return this.bytesAt(row, HASH_CELL);
  }

  /** What a block claims to be. */
  head(row: number): BlockHead {
    return {
      number: this.number(row),
      hash: this.hash(row),
      parent: this.format.hashText(this.bytesAt(row, PARENT_CELL)),
      parentNumber: this.cells[row * this.rowCells + 1] as number,
      header: this.data.headers[row],
    };
  }

  /** All heads, in order. */
  *heads(): Generator<BlockHead, void, undefined> {
    for (let row = 0; row < this.length; row++) yield this.head(row);
  }

  /** The first head of which something is true. */
  find(isIt: (head: BlockHead) => boolean): BlockHead | undefined {
    for (const head of this.heads()) if (isIt(head)) return head;
    return undefined;
  }

  /** Where the texts of a row stand, in the order of the format's. */
  texts(row: number): readonly TextPlace[] {
    return this.format.texts.map((_, i) => {
      const at = row * this.rowCells + TEXTS_CELL + i * TEXT_CELLS;
      const [file, from, to] = this.cells.subarray(at, at + TEXT_CELLS) as unknown as [number, number, number];
      return { file, from, to };
    });
  }

  /** Bytes of the texts of a row. */
  sizeBytes(row: number): number {
    return this.texts(row).reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** The rows of blocks whose number is in a range, by number, in memory that threads share; of one number in the order in which they stand here. */
  sorted(isIn: (number: number) => boolean): BlockTable {
    const rows = new Uint32Array(this.length).map((_, row) => row).filter((row) => isIn(this.number(row)));
    rows.sort((a, b) => this.number(a) - this.number(b) || a - b);
    const rowBytes = this.rowCells * CELL_BYTES;
    const memory = new SharedArrayBuffer(rows.length * rowBytes);
    const sorted = new Uint8Array(memory);
    for (const [i, row] of rows.entries())
      sorted.set(this.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), i * rowBytes);
    const headers = Array.from(rows.subarray(0, HEADERS_MAX), (row) => this.data.headers[row]);
    return new BlockTable(this.format, { length: rows.length, memory, headers });
  }

  private bytesAt(row: number, cell: number): Uint8Array<ArrayBuffer> {
    const at = (row * this.rowCells + cell) * CELL_BYTES;
    return new Uint8Array(this.bytes.subarray(at, at + HASH_BYTES));
  }
}

/** Collects blocks as they are found. */
export class BlockTableWriter {
  length = 0;
  private readonly format: ChainFormat;
  private cells: Float64Array<ArrayBuffer>;
  private readonly headers: (string | undefined)[] = [];

  constructor(format: ChainFormat) {
    this.format = format;
    this.cells = new Float64Array(ROWS_FIRST * rowCells(format));
  }

  /** Adds a block, whose hashes are such as the format's `hashBytes` reads. */
  push({ number, parentNumber, hash, parent, header }: BlockHead, texts: readonly TextPlace[]): void {
    const at = this.length * rowCells(this.format);
    if (at === this.cells.length) {
      const grown = new Float64Array(2 * this.cells.length);
      grown.set(this.cells);
      this.cells = grown;
    }
    if (this.length < HEADERS_MAX) this.headers.push(header);
    this.length++;
    this.cells.set([number, parentNumber], at);
    const bytes = new Uint8Array(this.cells.buffer);
    bytes.set(this.format.hashBytes(hash) as Uint8Array, (at + HASH_CELL) * CELL_BYTES);
    bytes.set(this.format.hashBytes(parent) as Uint8Array, (at + PARENT_CELL) * CELL_BYTES);
    for (const [i, { file, from, to }] of texts.entries())
      this.cells.set([file, from, to], at + TEXTS_CELL + i * TEXT_CELLS);
  }

  /** What was collected until now, in the order in which it was. */
  table(): BlockTable {
    return new BlockTable(this.format, { length: this.length, memory: this.cells.buffer, headers: this.headers });
  }
}

function rowCells({ texts }: ChainFormat): number {
  return TEXTS_CELL + texts.length * TEXT_CELLS;
}
