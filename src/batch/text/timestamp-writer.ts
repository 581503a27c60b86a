import { utf8 } from "../../core/bytes.ts";
import type { TextBytes } from "./text-bytes.ts";
import { DAY_MICROS, formatTimestamp } from "./timestamp.ts";

/** What {@link formatTimestamp} gives behind the date and the T at midnight. */
const MIDNIGHT = "00:00:00Z";

/** Writes a column of timestamps as {@link formatTimestamp} spells them. The date of the last row is kept: the next often has the same. */
export class TimestampWriter {
  private readonly words: Int32Array;
  private readonly values: BigInt64Array;
  private readonly out: TextBytes;
  private day = Number.NaN;
  /** The date and a T. */
  private date = new Uint8Array(0);

  constructor(words: Int32Array, values: BigInt64Array, out: TextBytes) {
    this.words = words;
    this.values = values;
    this.out = out;
  }

  write(row: number): void {
    const high = this.words[2 * row + 1] as number;
    if (high < -0x20_0000 || high >= 0x20_0000) return this.out.ascii(formatTimestamp(this.values[row] as bigint));
    const micros = high * 4_294_967_296 + ((this.words[2 * row] as number) >>> 0);
    const day = Math.floor(micros / DAY_MICROS);
    if (day !== this.day) {
      this.day = day;
      this.date = utf8(formatTimestamp(BigInt(day) * BigInt(DAY_MICROS)).slice(0, -MIDNIGHT.length));
    }
    this.time(micros - day * DAY_MICROS);
  }

  private time(inDay: number): void {
    const { out } = this;
    const seconds = Math.floor(inDay / 1_000_000);
    const fraction = inDay - seconds * 1_000_000;
    out.raw(this.date);
    out.time(seconds);
    if (fraction !== 0) {
      out.byte(0x2e);
      out.padded(fraction, 6);
    }
    out.byte(0x5a);
  }
}
