/** Reflected polynomial of CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

// Table n holds what a byte does to the sum when n more bytes follow it, so that eight bytes are taken at once.
const TABLES = tables();

/** Begins a sum; {@link crc32cOf} ends it. */
export const CRC32C_BEGIN = -1;

/** CRC-32C of some bytes, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  return crc32cOf(crc32cOver(CRC32C_BEGIN, bytes));
}

/** Takes further bytes into a sum that is not ended. */
export function crc32cOver(begun: number, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const whole = bytes.length - (bytes.length % SLICES);
  let crc = begun;
  for (let at = 0; at < whole; at += SLICES) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      slice(7, low) ^
      slice(6, low >>> 8) ^
      slice(5, low >>> 16) ^
      slice(4, low >>> 24) ^
      slice(3, high) ^
      slice(2, high >>> 8) ^
      slice(1, high >>> 16) ^
      slice(0, high >>> 24);
  }
  for (let at = whole; at < bytes.length; at++) crc = slice(0, crc ^ view.getUint8(at)) ^ (crc >>> 8);
  return crc;
}

/** The number that a sum is written as. */
export function crc32cOf(sum: number): number {
  return ~sum >>> 0;
}

function slice(table: number, byte: number): number {
  return TABLES[(table << 8) | (byte & 0xff)] as number; // always within
}

function tables(): Int32Array {
  const all = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[byte] = crc;
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256] as number; // always within
    all[at] = (all[before & 0xff] as number) ^ (before >>> 8);
  }
  return all;
}
