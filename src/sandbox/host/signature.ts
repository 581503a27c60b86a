import { ED25519_KEY_BYTES, ED25519_SIGNATURE_BYTES, ed25519Verify } from "./ed25519.ts";
import { SECP256K1_HASH_BYTES, SECP256K1_KEY_BYTES, SECP256K1_SIGNATURE_BYTES, secp256k1Recover } from "./secp256k1.ts";

/** Takes the price of a function and of so many bytes. */
type Pay = (name: string, bytes?: number) => void;
/** Bytes of the module's memory; it traps where they lie outside. */
type Range = (address: number, bytes: number) => Uint8Array;

/** The functions that check signatures, as modules import them (docs/reference/abi.md). Paid before the work is done, whatever it finds. */
export function signatureFunctions(pay: Pay, range: Range): Record<string, (...args: number[]) => number> {
  return {
    ed25519_verify: (publicKey = 0, message = 0, messageBytes = 0, signature = 0) => {
      pay("ipdm.ed25519_verify", messageBytes >>> 0);
      const isValid = ed25519Verify(
        range(publicKey, ED25519_KEY_BYTES),
        range(message, messageBytes),
        range(signature, ED25519_SIGNATURE_BYTES),
      );
      return isValid ? 1 : 0;
    },
    secp256k1_recover: (hash = 0, signature = 0, target = 0) => {
      pay("ipdm.secp256k1_recover");
      const place = range(target, SECP256K1_KEY_BYTES);
      const key = secp256k1Recover(range(hash, SECP256K1_HASH_BYTES), range(signature, SECP256K1_SIGNATURE_BYTES));
      if (key === undefined) return 0;
      place.set(key);
      return 1;
    },
  };
}
