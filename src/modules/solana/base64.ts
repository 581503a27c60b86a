// Base64 with padding (RFC 4648, section 4), as RPC nodes write transactions.

/** Value of a byte as a digit, or 255. */
@inline
function digit(c: u8): u32 {
  if (c >= 0x41 && c <= 0x5a) return c - 0x41;
  if (c >= 0x61 && c <= 0x7a) return c - 0x61 + 26;
  if (c >= 0x30 && c <= 0x39) return c - 0x30 + 52;
  return c == 0x2b ? 62 : c == 0x2f ? 63 : 255;
}

/**
 * Decodes a text of a JSON string to an address with room for 3 bytes of 4. A backslash before a slash is JSON's and left out. Gives the
 * length, or -1 for what is no Base64 in its one form: other bytes, wrong padding, bits that are left over.
 */
export function decodeBase64(text: usize, length: usize, target: usize): i32 {
  let bits: u32 = 0;
  let digits = 0;
  let out = 0;
  let p = text;
  const end = text + length;
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x5c && p + 1 < end && load<u8>(p + 1) == 0x2f) continue;
    const value = digit(c);
    if (value == 255) break;
    bits = (bits << 6) | value;
    if ((++digits & 3) == 0) {
      store<u8>(target + out, <u8>(bits >> 16));
      store<u8>(target + out + 1, <u8>(bits >> 8));
      store<u8>(target + out + 2, <u8>bits);
      out += 3;
    }
  }
  const left = digits & 3;
  if (left == 1) return -1;
  const padding = left == 0 ? 0 : 4 - left;
  if (<i32>(end - p) != padding) return -1;
  for (; p < end; p++) if (load<u8>(p) != 0x3d) return -1;
  if (left == 2) {
    if ((bits & 15) != 0) return -1;
    store<u8>(target + out, <u8>(bits >> 4));
    return out + 1;
  }
  if (left == 3) {
    if ((bits & 3) != 0) return -1;
    store<u8>(target + out, <u8>(bits >> 10));
    store<u8>(target + out + 1, <u8>(bits >> 2));
    return out + 2;
  }
  return out;
}
