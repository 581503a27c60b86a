import { sha256 } from "@noble/hashes/sha2.js";
import { concat } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { BASE_ORDER, ELEMENT_SIZE_BYTES, writeElement } from "./field.ts";
import { type PointG1, type PointG2, PUBLIC_INPUTS_MAX, publicInputsToBytes } from "./proof.ts";
import { pointG1Of, pointG2Of, recordOf } from "./snarkjs-json.ts";

/** What a verifier needs to know of a circuit (Groth16, BN254). */
export interface VerifyingKey {
  readonly alpha: PointG1;
  readonly beta: PointG2;
  readonly gamma: PointG2;
  readonly delta: PointG2;
  /** One point more than there are public inputs. */
  readonly ic: readonly PointG1[];
  /** SHA-256 of the key's canonical bytes: alpha, beta, gamma, delta, ic, coordinates as in `proofToBytes`. */
  readonly hash: Uint8Array;
}

/** Reads a verifying key as snarkjs exports it. Throws `PROOF_KEY_MALFORMED`. Points are checked by the verifier. */
export function parseVerifyingKey(json: unknown): VerifyingKey {
  const record = recordOf(json) ?? {};
  if (record["protocol"] !== "groth16" || record["curve"] !== "bn128")
    throw malformed("is not a Groth16 key over BN254");
  const ic = Array.isArray(record["IC"]) ? record["IC"].map(pointG1Of) : [];
  if (ic.length < 1 || ic.length > PUBLIC_INPUTS_MAX + 1) throw malformed("has no usable list IC");
  const key = {
    alpha: present(pointG1Of(record["vk_alpha_1"]), "vk_alpha_1"),
    beta: present(pointG2Of(record["vk_beta_2"]), "vk_beta_2"),
    gamma: present(pointG2Of(record["vk_gamma_2"]), "vk_gamma_2"),
    delta: present(pointG2Of(record["vk_delta_2"]), "vk_delta_2"),
    ic: ic.map((point) => present(point, "IC")),
  };
  return { ...key, hash: sha256(bytesOf(key)) };
}

/**
 * The identity of a proven claim: SHA-256(hash of the verifying key ‖ public inputs, 32 bytes big-endian each). Never the proof's
 * bytes: anyone can turn a Groth16 proof into another valid one of the same claim.
 */
export function proofIdentity(keyHash: Uint8Array, publicInputs: readonly bigint[]): Uint8Array {
  return sha256(concat(keyHash, publicInputsToBytes(publicInputs)));
}

function bytesOf(key: Omit<VerifyingKey, "hash">): Uint8Array {
  const g2 = ({ x, y }: PointG2): bigint[] => [x.c1, x.c0, y.c1, y.c0];
  const values = [
    key.alpha.x,
    key.alpha.y,
    ...g2(key.beta),
    ...g2(key.gamma),
    ...g2(key.delta),
    ...key.ic.flatMap(({ x, y }) => [x, y]),
  ];
  if (values.some((value) => value >= BASE_ORDER)) throw malformed("has a coordinate outside the field");
  const bytes = new Uint8Array(values.length * ELEMENT_SIZE_BYTES);
  values.forEach((value, i) => {
    writeElement(bytes, i * ELEMENT_SIZE_BYTES, value);
  });
  return bytes;
}

function present<T>(point: T | undefined, name: string): T {
  if (point === undefined) throw malformed(`has no usable point ${name}`);
  return point;
}

function malformed(what: string): IpdmError {
  return new IpdmError("PROOF_KEY_MALFORMED", `a verifying key ${what}`, { kind: "verification" });
}
