import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Bytes of a public key, and of a signature (RFC 8032, section 5.1). */
export const ED25519_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** Keys that a thread keeps ready: making one costs a third of a verification, and the same validators vote in every block. */
const KEYS_MAX = 4096;

/** What stands before the bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** The field's prime 2^255 - 19 and the order of the base point (RFC 8032, section 5.1), little-endian. */
const PRIME = Buffer.from("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "hex");
const ORDER = Buffer.from("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex");

/** The y-coordinates of the eight points whose order divides 8, little-endian: of orders 4, 1, 2, 8 and 8. */
const SMALL_ORDER_Y = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map((hex) => Buffer.from(hex, "hex"));

const keys = new Map<string, KeyObject>();

/**
 * Whether a signature is one of the message under the key, by the strict rules (`verify_strict` of ed25519-dalek, which Solana's
 * transactions are held to): the equation without the cofactor, `s` below the group's order, key and `R` in canonical
 * encoding and not of small order. What libraries disagree about is decided here, byte by byte; the arithmetic is that of
 * `node:crypto`. The key has 32 bytes, the signature 64.
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32);
  const s = signature.subarray(32);
  if (!isBelow(s, ORDER) || !isAllowed(publicKey) || !isAllowed(r)) return false;
  return verify(null, message, keyOf(publicKey), signature);
}

/** False for an encoding that no point has in its canonical form, or that is of a point of small order. */
function isAllowed(point: Uint8Array): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] ?? 0) & 0x7f; // the highest bit is the sign of x
  return isBelow(y, PRIME) && !SMALL_ORDER_Y.some((small) => small.equals(y));
}

/** Compares two numbers of 32 bytes, little-endian. */
function isBelow(value: Uint8Array, limit: Uint8Array): boolean {
  for (let at = 31; at >= 0; at--) {
    const difference = (value[at] ?? 0) - (limit[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function keyOf(bytes: Uint8Array): KeyObject {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const known = keys.get(name);
  const key = known ?? createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" });
  // What was used last stands last, and what stands first goes first.
  if (known !== undefined) keys.delete(name);
  keys.set(name, key);
  const [oldest] = keys.keys();
  if (oldest !== undefined && keys.size > KEYS_MAX) keys.delete(oldest);
  return key;
}
