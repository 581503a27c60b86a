import { decodeVarint } from "../dag/varint.ts";

/** Largest output that is unpacked, in bytes. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Unpacks a block of Snappy's raw format (google/snappy, format_description.txt). `undefined` where the bytes are none. */
export function unpackSnappy(packed: Uint8Array): Uint8Array | undefined {
  const head = decodeVarint(packed, 0);
  if (head === undefined || head.value > OUTPUT_BYTES_MAX) return undefined;
  const output = new Uint8Array(head.value);
  let to = 0;
  for (let at = head.end; at < packed.length; ) {
    const tag = byteAt(packed, at);
    const kind = tag & 3;
    at += 1;
    if (kind === 0) {
      const extra = tag >> 2 < 60 ? 0 : (tag >> 2) - 59;
      const length = 1 + (extra === 0 ? tag >> 2 : littleEndian(packed, at, extra));
      at += extra;
      if (at + length > packed.length || to + length > output.length) return undefined;
      output.set(packed.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    const size = kind === 3 ? 4 : kind;
    const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const offset = kind === 1 ? ((tag >> 5) << 8) | byteAt(packed, at) : littleEndian(packed, at, size);
    at += size;
    if (offset === 0 || offset > to || to + length > output.length) return undefined;
    // Byte by byte: what is copied may reach into what is written.
    for (const end = to + length; to < end; to++) output[to] = byteAt(output, to - offset);
  }
  return to === output.length ? output : undefined;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let byte = 0; byte < size; byte++) value += byteAt(bytes, at + byte) * 2 ** (8 * byte);
  return value;
}
