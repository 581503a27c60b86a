/** Rows of a source; an estimate unless it was read to its end or its format tells. */
export interface RowTotal {
  readonly rows: number;
  readonly isExact: boolean;
}

/** Bytes from which an estimate is made: a batch that is not full yet matters little then. */
const GUESS_BYTES_MIN = 1024 * 1024;

/** Estimates the rows of a text file from the share of its bytes that brought those read so far. */
export class RowGuess {
  /** Rows up to here, those passed over at the start included. */
  rows: number;
  private readonly sizeBytes: number;
  private bytes = 0;

  constructor(sizeBytes: number, fromRow: number) {
    this.sizeBytes = sizeBytes;
    this.rows = fromRow;
  }

  /**
   * The reading came to a position: the rows up to now are those of the bytes before it. Returns the estimate, or `undefined` within
   * the first MiB, which says too little.
   */
  read(bytes: number): number | undefined {
    const before = this.bytes;
    if (bytes <= before) return undefined;
    this.bytes = bytes;
    return before < GUESS_BYTES_MIN || this.rows === 0 ? undefined : Math.round((this.rows * this.sizeBytes) / before);
  }

  /** A batch was taken. */
  took(rows: number): void {
    this.rows += rows;
  }
}
