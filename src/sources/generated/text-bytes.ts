import { textBytes } from "../../batch/texts.ts";

/** Texts of ASCII one after the other, as a column of `utf8` holds them. Room for what is written has to be reserved first. */
export class TextBytes {
  readonly offsets: Int32Array;
  bytes: Uint8Array;
  private used = 0;
  private row = 0;

  /** `rowBytesMax`: no text is longer. */
  constructor(rows: number, rowBytesMax: number) {
    this.offsets = new Int32Array(rows + 1);
    this.bytes = new Uint8Array(rows * rowBytesMax);
  }

  /** Goes on with bytes. */
  put(part: Uint8Array): void {
    const { bytes } = this;
    const at = this.used;
    const { length } = part;
    for (let i = 0; i < length; i++) bytes[at + i] = part[i] as number;
    this.used = at + length;
  }

  /** Goes on with a byte. */
  putByte(byte: number): void {
    this.bytes[this.used++] = byte;
  }

  /** Goes on with a number below 10^9 in decimal. */
  putNumber(value: number): void {
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    this.putDigits(value, digits, 10);
  }

  /** Goes on with a number below 36^3 in base 36, of one to three digits. */
  putBase36(value: number): void {
    this.putDigits(value, value < 36 ? 1 : value < 1296 ? 2 : 3, 36);
  }

  /** Ends the text of a row. */
  endRow(): void {
    this.offsets[++this.row] = this.used;
  }

  /** The bytes written. */
  taken(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }

  private putDigits(value: number, digits: number, base: 10 | 36): void {
    const { bytes } = this;
    let rest = value;
    for (let at = this.used + digits - 1; at >= this.used; at--) {
      const next = (rest / base) | 0;
      bytes[at] = DIGITS[rest - next * base] as number;
      rest = next;
    }
    this.used += digits;
  }
}

/** Digits of base 36, of which the first ten are those of base 10. */
const DIGITS = textBytes("0123456789abcdefghijklmnopqrstuvwxyz");
