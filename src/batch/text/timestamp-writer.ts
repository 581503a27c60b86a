import type { TextBytes } from "./text-bytes.ts";
import { DAY_MICROS, formatTimestamp } from "./timestamp.ts";

/** What {@link formatTimestamp} gives behind the date at midnight. */
const MIDNIGHT = "T00:00:00Z";

/** Writes a column of timestamps as {@link formatTimestamp} spells them. The date of the last row is kept: the next often has the same. */
export class TimestampWriter {
  private readonly words: Int32Array;
  private readonly values: BigInt64Array;
  private readonly out: TextBytes;
  private day = Number.NaN;
  private date = "";

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
      this.date = formatTimestamp(BigInt(day) * BigInt(DAY_MICROS)).slice(0, -MIDNIGHT.length);
    }
    this.time(micros - day * DAY_MICROS);
  }

  private time(inDay: number): void {
    const { out } = this;
    const seconds = Math.floor(inDay / 1_000_000);
    const minutes = Math.floor(seconds / 60);
    const fraction = inDay - seconds * 1_000_000;
    out.ascii(this.date);
    out.byte(0x54);
    out.padded(Math.floor(minutes / 60), 2);
    out.byte(0x3a);
    out.padded(minutes % 60, 2);
    out.byte(0x3a);
    out.padded(seconds % 60, 2);
    if (fraction !== 0) {
      out.byte(0x2e);
      out.padded(fraction, 6);
    }
    out.byte(0x5a);
  }
}
