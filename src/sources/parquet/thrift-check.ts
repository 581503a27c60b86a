/** Nesting of structs and lists in Parquet's own structures is far below this. */
const DEPTH_MAX = 24;

/**
 * Walks one struct of Thrift's compact protocol without building it: every length fits what is left, and nesting is
 * bounded, so that decoding it afterwards cannot ask for more memory than the bytes justify. Throws RangeError.
 */
export function checkThrift(bytes: Uint8Array, start: number): void {
  new Walker(bytes, start).struct(0);
}

class Walker {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.at = start;
  }

  struct(depth: number): void {
    if (depth > DEPTH_MAX) throw new RangeError(`a structure nests deeper than ${DEPTH_MAX}`);
    for (;;) {
      const head = this.byte();
      const type = head & 0x0f;
      if (type === 0) return;
      if (head >> 4 === 0) this.varint();
      // A boolean field is its type alone; only in lists does it take a byte.
      if (type !== 1 && type !== 2) this.value(type, depth);
    }
  }

  private value(type: number, depth: number): void {
    switch (type) {
      case 1:
      case 2:
      case 3:
        this.skip(1);
        return;
      case 4:
      case 5:
      case 6:
        this.varint();
        return;
      case 7:
        this.skip(8);
        return;
      case 8:
        this.skip(this.varint());
        return;
      case 9: {
        const head = this.byte();
        const count = head >> 4 === 15 ? this.varint() : head >> 4;
        if (count > this.bytes.length - this.at)
          throw new RangeError(`a list of ${count} in ${this.bytes.length - this.at} bytes`);
        for (let i = 0; i < count; i++) {
          if ((head & 0x0f) === 12) this.struct(depth + 1);
          else if (depth >= DEPTH_MAX) throw new RangeError(`a structure nests deeper than ${DEPTH_MAX}`);
          else this.value(head & 0x0f, depth + 1);
        }
        return;
      }
      case 12:
        this.struct(depth + 1);
        return;
      default:
        throw new RangeError(`a value of the unknown type ${type}`);
    }
  }

  private byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError("a structure ends early");
    return this.bytes[this.at++] as number;
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1, length = 0; ; scale *= 128, length++) {
      const byte = this.byte();
      if (length > 9) throw new RangeError("a number of more than ten bytes");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  private skip(bytes: number): void {
    if (bytes > this.bytes.length - this.at) throw new RangeError("a value ends beyond its structure");
    this.at += bytes;
  }
}
