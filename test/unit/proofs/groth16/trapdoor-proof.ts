import { bn254 } from "@noble/curves/bn254.js";
import { SCALAR_ORDER } from "../../../../proofs/groth16/field.ts";
import type { Groth16Proof, PointG1, PointG2 } from "../../../../proofs/groth16/proof.ts";
import { parseVerifyingKey, type VerifyingKey } from "../../../../proofs/groth16/verifying-key.ts";

const [ALPHA, BETA, GAMMA, DELTA, A, B] = [11n, 13n, 17n, 19n, 23n, 29n];
const IC = [31n, 37n, 41n, 43n, 47n, 53n, 59n];

/** Multiples of the generators, affine. */
export function g1(scalar: bigint): PointG1 {
  const { x, y } = bn254.G1.Point.BASE.multiply(mod(scalar)).toAffine();
  return { x, y };
}

export function g2(scalar: bigint): PointG2 {
  const { x, y } = bn254.G2.Point.BASE.multiply(mod(scalar)).toAffine();
  return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
}

/** A key whose secrets are known, of two public inputs or up to six, as snarkjs would export it. */
export function trapdoorKeyJson(inputs = 2): Record<string, unknown> {
  const json1 = ({ x, y }: PointG1): string[] => [String(x), String(y), "1"];
  const json2 = ({ x, y }: PointG2): string[][] => [
    [String(x.c0), String(x.c1)],
    [String(y.c0), String(y.c1)],
    ["1", "0"],
  ];
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic: inputs,
    vk_alpha_1: json1(g1(ALPHA)),
    vk_beta_2: json2(g2(BETA)),
    vk_gamma_2: json2(g2(GAMMA)),
    vk_delta_2: json2(g2(DELTA)),
    IC: IC.slice(0, inputs + 1).map((scalar) => json1(g1(scalar))),
  };
}

export function trapdoorKey(inputs = 2): VerifyingKey {
  return parseVerifyingKey(trapdoorKeyJson(inputs));
}

/** Whoever knows the secrets proves anything: A and B are free, C solves the pairing equation. */
export function trapdoorProof(inputs: readonly bigint[]): Groth16Proof {
  const sum = inputs.reduce((so, input, i) => so + input * (IC[i + 1] as bigint), IC[0] as bigint);
  const c = mod(A * B - ALPHA * BETA - sum * GAMMA) * bn254.fields.Fr.inv(DELTA);
  return { a: g1(A), b: g2(B), c: g1(c) };
}

/** Another valid proof of the same claim: x·A, B/x, C. */
export function malleated(proof: Groth16Proof, x: bigint): Groth16Proof {
  const a = bn254.G1.Point.fromAffine(proof.a).multiply(x).toAffine();
  const b = bn254.G2.Point.fromAffine(proof.b).multiply(bn254.fields.Fr.inv(x)).toAffine();
  return { a: { x: a.x, y: a.y }, b: { x: { c0: b.x.c0, c1: b.x.c1 }, y: { c0: b.y.c0, c1: b.y.c1 } }, c: proof.c };
}

function mod(value: bigint): bigint {
  return ((value % SCALAR_ORDER) + SCALAR_ORDER) % SCALAR_ORDER;
}
