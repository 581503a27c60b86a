import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import type { Hash, Verify } from "../src/core/ports.ts";

/** SHA-256 (FIPS 180-4) in plain JavaScript: for `verifyReceipt` and the Merkle functions wherever they run, browsers too. */
export const sha256: Hash = (bytes) => nobleSha256(bytes);

/**
 * Ed25519 verification (RFC 8032) in plain JavaScript; false for anything malformed, a scalar that is not reduced, and keys of
 * small order. Nodes and the command line use OpenSSL's: what a signer makes, both take; only over keys or signatures made
 * with points of small order on purpose may they differ.
 */
export const verifyEd25519: Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
};
