import { concat, utf8 } from "../../core/bytes.ts";
import type { CellTarget } from "./spelling.ts";
import { DAY_MICROS, formatTimestamp } from "./timestamp.ts";

/** What {@link formatTimestamp} gives behind the date and the T at midnight. */
const MIDNIGHT = "00:00:00Z";

/** Writes a column of timestamps as {@link formatTimestamp} spells them. The date of the last row is kept: the next often has the same. */
export class TimestampWriter {
  private readonly words: Int32Array;
  private readonly values: BigInt64Array;
  private readonly target: CellTarget;
  private readonly start: Uint8Array;
  private readonly end: Uint8Array;
  private day = Number.NaN;
  /** All that stands before the time of the last row's day. */
  private date = new Uint8Array(0);

  constructor(words: Int32Array, values: BigInt64Array, target: CellTarget) {
    const { before, spelling } = target;
    this.words = words;
    this.values = values;
    this.target = target;
    this.start = concat(before, spelling.quote);
    this.end = concat(utf8("Z"), spelling.quote);
  }

  write(row: number): void {
    const high = this.words[2 * row + 1] as number;
    if (high < -0x20_0000 || high >= 0x20_0000) return this.far(this.values[row] as bigint);
    const micros = high * 4_294_967_296 + ((this.words[2 * row] as number) >>> 0);
    const day = Math.floor(micros / DAY_MICROS);
    if (day !== this.day) {
      this.day = day;
      const midnight = formatTimestamp(BigInt(day) * BigInt(DAY_MICROS));
      this.date = concat(this.start, utf8(midnight.slice(0, -MIDNIGHT.length)));
    }
    const { out } = this.target;
    const inDay = micros - day * DAY_MICROS;
    const seconds = Math.floor(inDay / 1_000_000);
    const fraction = inDay - seconds * 1_000_000;
    out.raw(this.date);
    out.time(seconds);
    if (fraction !== 0) {
      out.byte(0x2e);
      out.padded(fraction, 6);
    }
    out.raw(this.end);
  }

  /** A time that no double holds. */
  private far(micros: bigint): void {
    const { out, spelling } = this.target;
    out.raw(this.start);
    out.ascii(formatTimestamp(micros));
    out.raw(spelling.quote);
  }
}
