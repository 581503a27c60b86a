/** Order r of BN254's groups, and of the scalar field in which circuits compute (EIP-196). */
export const SCALAR_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Order of BN254's base field, in which point coordinates lie (EIP-196). */
export const BASE_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

/** Bytes of a field element, big-endian. */
export const ELEMENT_SIZE_BYTES = 32;

const NEGATIVE_FROM = SCALAR_ORDER / 2n + 1n;

/** The field element of a signed integer: a negative x is r + x. The integer must lie within ±r/2. */
export function elementOf(signed: bigint): bigint {
  return signed < 0n ? SCALAR_ORDER + signed : signed;
}

/** The signed integer of a canonical field element: those above r/2 are negative. Inverse of {@link elementOf}. */
export function signedOf(element: bigint): bigint {
  return element < NEGATIVE_FROM ? element : element - SCALAR_ORDER;
}

/** True for a canonical element of the scalar field: 0 <= value < r. */
export function isElement(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= 0n && value < SCALAR_ORDER;
}

/**
 * The field element of 32 uniform bytes, such as a hash: big-endian, upper three bits cleared (253 bits, always below r).
 * Clearing rather than reducing keeps it uniform over its range and injective but for the three bits.
 */
export function elementOfHash(bytes: Uint8Array): bigint {
  return bigEndian(bytes.subarray(0, ELEMENT_SIZE_BYTES)) & ((1n << 253n) - 1n);
}

/** Unsigned big-endian integer of the bytes. */
export function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Writes a value below 2^256 as 32 big-endian bytes at `offset`. */
export function writeElement(bytes: Uint8Array, offset: number, value: bigint): void {
  let rest = value;
  for (let i = ELEMENT_SIZE_BYTES - 1; i >= 0; i--) {
    bytes[offset + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
