const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** Bytes of a text that are looked at one by one before the search goes to native code, which costs more to call. */
const NEAR_BYTES = 80;

/** What a scan finds where a value ends behind the bytes that are there. */
export const INCOMPLETE = -1;

/** Depths (1 is the outermost) and sizes whose ends are remembered: a block is looked into no deeper, and what is small is quickly scanned. */
const KNOWN_DEPTH_MAX = 4;
const KNOWN_BYTES_MIN = 4096;
const KNOWN_MAX = 4096;

/** Where large objects and lists end that a scan came by. */
export class KnownEnds {
  private readonly base: number;
  private readonly ends: ReadonlyMap<number, number>;

  /** Ends by starts, both counted from `base`. */
  constructor(base: number, ends: ReadonlyMap<number, number>) {
    this.base = base;
    this.ends = ends;
  }

  endOf(at: number): number | undefined {
    const end = this.ends.get(at - this.base);
    return end === undefined ? undefined : this.base + end;
  }
}

/**
 * Looks for the end of one object or list by brackets and quotes, and goes on where it stopped when there are more bytes: each is looked at
 * once.
 */
export class NestedScan {
  /** From the start of the value. */
  private offset = 0;
  private depth = 0;
  private readonly starts = new Array<number>(KNOWN_DEPTH_MAX + 1).fill(0);
  private readonly ends = new Map<number, number>();

  /**
   * Behind the bracket that closes the one at `at`; `INCOMPLETE` when the bytes end before. The value may stand somewhere else than
   * at the call before. The hot loop of every chain source: blocks are read at the speed of this.
   */
  find(bytes: Uint8Array, at: number, end: number): number {
    let { depth } = this;
    for (let i = at + this.offset; i < end; ) {
      const byte = bytes[i] as number;
      i++;
      if (byte === QUOTE) {
        const from = i;
        const near = i + NEAR_BYTES < end ? i + NEAR_BYTES : end;
        while (i < near && bytes[i] !== QUOTE) i++;
        if (i < near && bytes[i - 1] !== BACKSLASH) i++;
        else {
          i = stringEnd(bytes, from, end);
          if (i < 0) return this.stop(from - 1 - at, depth);
        }
        continue;
      }
      if (byte < OPEN_LIST) continue;
      // A bracket and a brace differ in one bit.
      const bracket = byte & 0xdf;
      if (bracket === OPEN_LIST) {
        depth++;
        if (depth <= KNOWN_DEPTH_MAX) this.starts[depth] = i - 1 - at;
      } else if (bracket === CLOSE_LIST) {
        if (depth <= KNOWN_DEPTH_MAX) this.close(depth, i - at);
        if (--depth === 0) return i;
      }
    }
    return this.stop(end - at, depth);
  }

  /** What it came by, for a value that stands at `at`. */
  known(at: number): KnownEnds {
    return new KnownEnds(at, this.ends);
  }

  private close(depth: number, end: number): void {
    const start = this.starts[depth] as number;
    if (end - start >= KNOWN_BYTES_MIN && this.ends.size < KNOWN_MAX) this.ends.set(start, end);
  }

  private stop(offset: number, depth: number): number {
    this.offset = offset;
    this.depth = depth;
    return INCOMPLETE;
  }
}

/** Behind the quote that ends a text whose first character is at `at`; {@link INCOMPLETE}. */
export function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; ; i++) {
    const near = Math.min(end, i + NEAR_BYTES);
    while (i < near && bytes[i] !== QUOTE) i++;
    if (i === near) {
      i = near < end ? bytes.indexOf(QUOTE, near) : -1;
      if (i < 0 || i >= end) return INCOMPLETE;
    }
    // Only an odd number of backslashes before it makes a quote a part of the text.
    let before = i - 1;
    while (before >= at && bytes[before] === BACKSLASH) before--;
    if ((i - before) % 2 === 1) return i + 1;
  }
}
