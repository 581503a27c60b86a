/** Longest varint read here, in bytes: values below 2^35, more than any length or codec has. */
const VARINT_BYTES_MAX = 5;

/** Unsigned LEB128 of a value below 2^35 (https://github.com/multiformats/unsigned-varint). */
export function encodeVarint(value: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Reads the varint at an offset; `undefined` when it is unfinished, longer than five bytes, or not in its shortest form. */
export function decodeVarint(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return byte === 0 && i > 0 ? undefined : { value, end: at + i + 1 };
  }
  return undefined;
}
