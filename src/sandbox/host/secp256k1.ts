import { createRequire } from "node:module";
import type { secp256k1 as Secp256k1 } from "@noble/curves/secp256k1.js";

/** Bytes of a hash that is signed, of a signature with the number that tells its key, and of a key without its prefix. */
export const SECP256K1_HASH_BYTES = 32;
export const SECP256K1_SIGNATURE_BYTES = 65;
export const SECP256K1_KEY_BYTES = 64;

/** The group's order and the field's prime (SEC 2, section 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PRIME = 2n ** 256n - 2n ** 32n - 977n;

let loaded: typeof Secp256k1 | undefined;

/** Loads the curve when it is first asked for: most lanes never need it. */
function curve(): typeof Secp256k1 {
  loaded ??= (createRequire(import.meta.url)("@noble/curves/secp256k1.js") as { secp256k1: typeof Secp256k1 })
    .secp256k1;
  return loaded;
}

/**
 * The public key (x ‖ y, 32 bytes each, big-endian) whose signature this is (SEC 1, section 4.1.6), or `undefined` where there is
 * none. The signature is r ‖ s ‖ v: r and s big-endian within [1, n), v from 0 to 3 (bit 0: y of the point R is odd; bit 1: its x is r + n).
 * A high s is allowed: whether it is, is a rule of the chain.
 */
export function secp256k1Recover(hash: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const r = numberOf(signature.subarray(0, 32));
  const s = numberOf(signature.subarray(32, 64));
  const recovery = signature[64] ?? 0;
  const isInRange = r > 0n && r < ORDER && s > 0n && s < ORDER && recovery < 4;
  if (!isInRange || (recovery >= 2 && r + ORDER >= PRIME)) return undefined;
  const { Signature } = curve();
  try {
    return new Signature(r, s, recovery).recoverPublicKey(Uint8Array.from(hash)).toBytes(false).slice(1);
  } catch (error) {
    // What is left to refuse, a point that is not on the curve or a key at infinity, comes as a plain error. Anything else is this node's.
    if (error instanceof Error && error.constructor === Error) return undefined;
    throw error;
  }
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}
