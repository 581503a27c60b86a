import { bn254 } from "@noble/curves/bn254.js";
import { IpdmError } from "../../src/core/errors.ts";
import { isElement } from "./field.ts";
import { type Groth16Proof, isCanonical, type PointG1, type PointG2 } from "./proof.ts";
import type { VerifyingKey } from "./verifying-key.ts";

/** Why a proof was refused. */
export type Groth16Refusal =
  /** A public input is missing, one too many, or not in 0 <= x < r. */
  | "PROOF_INPUTS_INVALID"
  /** A coordinate is not canonical, or a point is not on its curve, is at infinity, or is outside the prime-order subgroup. */
  | "PROOF_POINT_INVALID"
  /** The pairing equation does not hold: another claim, another key, or no proof at all. */
  | "PROOF_REJECTED";

export type Groth16Verdict = { readonly ok: true } | { readonly ok: false; readonly code: Groth16Refusal };

/**
 * Checks a Groth16 proof over BN254: e(A, B) = e(alpha, beta) · e(IC0 + Σ input_i · IC_i, gamma) · e(C, delta)
 * (https://eprint.iacr.org/2016/260). Public inputs are in the circuit's order. Whatever the proof and the inputs hold, it
 * returns a verdict; a key with unusable points, which is never a stranger's, throws `PROOF_KEY_MALFORMED`.
 */
export function verifyGroth16(key: VerifyingKey, publicInputs: readonly bigint[], proof: Groth16Proof): Groth16Verdict {
  // Inputs x and x + r mean the same to the pairing: without this check one proof would show two claims.
  if (publicInputs.length !== key.ic.length - 1 || !publicInputs.every(isElement))
    return { ok: false, code: "PROOF_INPUTS_INVALID" };
  const prepared = prepare(key);
  const a = isCanonical(proof) ? pointG1(proof.a) : undefined;
  const b = a === undefined ? undefined : pointG2(proof.b);
  const c = b === undefined ? undefined : pointG1(proof.c);
  if (a === undefined || b === undefined || c === undefined) return { ok: false, code: "PROOF_POINT_INVALID" };

  let inputs = prepared.ic[0] as G1;
  publicInputs.forEach((value, i) => {
    inputs = inputs.add((prepared.ic[i + 1] as G1).multiplyUnsafe(value));
  });
  const pairs = [
    { g1: a.negate(), g2: b },
    { g1: prepared.alpha, g2: prepared.beta },
    { g1: inputs, g2: prepared.gamma },
    { g1: c, g2: prepared.delta },
  ];
  // e(infinity, Q) = 1: the pair drops out. Only the sum of the inputs can be infinity here.
  const product = bn254.pairingBatch(pairs.filter(({ g1 }) => !g1.is0()));
  return bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE) ? { ok: true } : { ok: false, code: "PROOF_REJECTED" };
}

type G1 = typeof bn254.G1.Point.BASE;
type G2 = typeof bn254.G2.Point.BASE;

interface Prepared {
  readonly alpha: G1;
  readonly beta: G2;
  readonly gamma: G2;
  readonly delta: G2;
  readonly ic: readonly G1[];
}

const preparedKeys = new WeakMap<VerifyingKey, Prepared>();

function prepare(key: VerifyingKey): Prepared {
  const known = preparedKeys.get(key);
  if (known !== undefined) return known;
  const prepared = {
    alpha: usable(pointG1(key.alpha)),
    beta: usable(pointG2(key.beta)),
    gamma: usable(pointG2(key.gamma)),
    delta: usable(pointG2(key.delta)),
    ic: key.ic.map((point) => usable(pointG1(point))),
  };
  preparedKeys.set(key, prepared);
  return prepared;
}

function usable<T>(point: T | undefined): T {
  if (point !== undefined) return point;
  throw new IpdmError("PROOF_KEY_MALFORMED", "a verifying key has a point that is not on its curve", {
    kind: "verification",
  });
}

/** The point, or `undefined` when it is at infinity, off the curve or outside the subgroup. Coordinates must be canonical. */
function pointG1(affine: PointG1): G1 | undefined {
  return checked(() => bn254.G1.Point.fromAffine(affine));
}

function pointG2({ x, y }: PointG2): G2 | undefined {
  return checked(() => bn254.G2.Point.fromAffine({ x, y }));
}

function checked<T extends { assertValidity(): void; is0(): boolean }>(make: () => T): T | undefined {
  try {
    const point = make();
    // On the curve and in the subgroup of order r; G2's curve has a cofactor, so the second is not implied there.
    point.assertValidity();
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}
