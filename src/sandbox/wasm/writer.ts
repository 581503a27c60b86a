/** Writes the parts a binary module is made of (core specification, 5.2) into a buffer that grows. */
export class ByteWriter {
  private buffer: Uint8Array<ArrayBuffer>;
  private length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
  }

  get size(): number {
    return this.length;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.room(1);
    this.buffer[this.length++] = value;
  }

  /** Bytes `from` (inclusive) to `to` (exclusive) of a source. */
  copy(source: Uint8Array, from = 0, to = source.length): void {
    const count = to - from;
    this.room(count);
    // Short pieces are the rule between two insertions, and a loop is faster for them than a call.
    if (count < 64) for (let i = from, at = this.length; i < to; i++, at++) this.buffer[at] = source[i] as number;
    else this.buffer.set(source.subarray(from, to), this.length);
    this.length += count;
  }

  /** An unsigned LEB128 in its shortest form. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed LEB128 in its shortest form, of a safe integer. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = (rest - low) / 128;
      const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
      this.byte(isLast ? low : low | 0x80);
      if (isLast) return;
    }
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.copy(bytes);
  }

  append(content: ByteWriter): void {
    this.copy(content.buffer, 0, content.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written, in a buffer of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  private room(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
