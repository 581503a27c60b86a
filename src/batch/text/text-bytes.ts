/** Bytes of a text while it grows. What it holds is written over from the start after {@link clear}. */
export class TextBytes {
  private buffer: Uint8Array<ArrayBuffer>;
  private used = 0;

  constructor(capacity = 4096) {
    this.buffer = new Uint8Array(capacity);
  }

  /** Bytes written since the last {@link clear}. */
  get length(): number {
    return this.used;
  }

  /** Bytes `from` to `to`, by default all: a view, valid until more is written. */
  view(from = 0, to = this.used): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(from, to);
  }

  clear(): void {
    this.used = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.used++] = value;
  }

  /** Appends a text that is ASCII, which the caller knows. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { buffer } = this;
    let at = this.used;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.used = at;
  }

  /** Appends bytes `from` to `to` of others. */
  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const count = to - from;
    this.reserve(count);
    const { buffer } = this;
    let at = this.used;
    // Below this length a loop is faster than the call of a function of the engine.
    if (count > 64) buffer.set(bytes.subarray(from, to), at);
    else for (let i = from; i < to; i++) buffer[at++] = bytes[i] as number;
    this.used += count;
  }

  /** Appends the decimal digits of a safe integer. */
  integer(value: number): void {
    if (value < -2_147_483_648 || value > 2_147_483_647) return this.ascii(String(value));
    this.reserve(11);
    let rest = value;
    if (rest < 0) {
      this.buffer[this.used++] = 0x2d;
      rest = -rest;
    }
    let end = this.used + digitsOf(rest);
    this.used = end;
    do {
      const tens = Math.floor(rest / 10);
      this.buffer[--end] = 0x30 + rest - 10 * tens;
      rest = tens;
    } while (rest > 0);
  }

  /** Appends `digits` decimal digits of a number that has no more, with zeros before it. */
  padded(value: number, digits: number): void {
    this.reserve(digits);
    let rest = value;
    for (let at = this.used + digits - 1; at >= this.used; at--) {
      const tens = Math.floor(rest / 10);
      this.buffer[at] = 0x30 + rest - 10 * tens;
      rest = tens;
    }
    this.used += digits;
  }

  /** Appends a time of day, `HH:MM:SS`. */
  time(seconds: number): void {
    this.reserve(9);
    const { buffer } = this;
    let at = this.used;
    const minutes = Math.floor(seconds / 60);
    for (const part of [Math.floor(minutes / 60), minutes % 60, seconds % 60]) {
      const tens = Math.floor(part / 10);
      buffer[at] = 0x30 + tens;
      buffer[at + 1] = 0x30 + part - 10 * tens;
      buffer[at + 2] = 0x3a;
      at += 3;
    }
    this.used = at - 1;
  }

  private reserve(bytes: number): void {
    const need = this.used + bytes;
    if (need <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.buffer.length, need));
    grown.set(this.buffer.subarray(0, this.used));
    this.buffer = grown;
  }
}

function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
