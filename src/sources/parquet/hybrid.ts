/**
 * Parquet's RLE / bit-packed hybrid (parquet-format, Encodings.md): fills `out` with values of `width` bits from
 * `bytes[at..end)`. Throws RangeError when the bytes end early. Returns the position after the last run read.
 */
export function decodeHybrid(bytes: Uint8Array, start: number, end: number, width: number, out: Uint32Array): number {
  let at = start;
  let row = 0;
  const count = out.length;
  while (row < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new RangeError("a run starts beyond its page");
      const byte = bytes[at++] as number;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    header >>>= 0;
    const length = header >>> 1;
    if (length === 0) throw new RangeError("an empty run");
    if ((header & 1) === 1) {
      const values = Math.min(length * 8, count - row);
      // A writer may leave out the padding of its last group.
      const need = Math.ceil((values * width) / 8);
      if (at + need > end) throw new RangeError("a bit-packed run ends beyond its page");
      if (width <= 24) unpack(bytes, at, width, out, row, values);
      else unpackWide(bytes, at, width, out, row, values);
      at = Math.min(end, at + length * width);
      row += values;
    } else {
      const size = (width + 7) >> 3;
      if (at + size > end) throw new RangeError("a run ends beyond its page");
      let value = 0;
      for (let i = 0; i < size; i++) value += (bytes[at + i] as number) * 2 ** (8 * i);
      at += size;
      const stop = Math.min(count, row + length);
      out.fill(value, row, stop);
      row = stop;
    }
  }
  return at;
}

function unpack(bytes: Uint8Array, start: number, width: number, out: Uint32Array, from: number, count: number): void {
  const mask = (1 << width) - 1;
  let at = start;
  let pending = 0;
  let bits = 0;
  for (let i = from; i < from + count; i++) {
    while (bits < width) {
      pending |= (bytes[at++] as number) << bits;
      bits += 8;
    }
    out[i] = pending & mask;
    pending >>>= width;
    bits -= width;
  }
}

function unpackWide(
  bytes: Uint8Array,
  start: number,
  width: number,
  out: Uint32Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const bit = i * width;
    const at = start + Math.floor(bit / 8);
    let value = 0;
    for (let k = 0; k < 5; k++) value += (bytes[at + k] ?? 0) * 2 ** (8 * k);
    out[from + i] = Math.floor(value / 2 ** (bit % 8)) % 2 ** width;
  }
}
