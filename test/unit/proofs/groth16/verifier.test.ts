import { bn254 } from "@noble/curves/bn254.js";
import { describe, expect, it } from "vitest";
import { BASE_ORDER, SCALAR_ORDER } from "../../../../proofs/groth16/field.ts";
import { type PointG2, proofToBytes } from "../../../../proofs/groth16/proof.ts";
import { verifyGroth16 } from "../../../../proofs/groth16/verifier.ts";
import { parseVerifyingKey } from "../../../../proofs/groth16/verifying-key.ts";
import { g1, malleated, trapdoorKey, trapdoorKeyJson, trapdoorProof } from "./trapdoor-proof.ts";

const INPUTS: readonly [bigint, bigint] = [5n, SCALAR_ORDER - 3n];
const key = trapdoorKey();
const proof = trapdoorProof(INPUTS);

describe("verifyGroth16", () => {
  it("accepts a proof that satisfies the pairing equation", () => {
    expect(verifyGroth16(key, INPUTS, proof)).toEqual({ ok: true });
    expect(verifyGroth16(key, [0n, 0n], trapdoorProof([0n, 0n]))).toEqual({ ok: true });
  });

  it("refuses the proof for every other input", () => {
    expect(verifyGroth16(key, [6n, INPUTS[1]], proof)).toEqual({ ok: false, code: "PROOF_REJECTED" });
    expect(verifyGroth16(key, [INPUTS[1], INPUTS[0]], proof)).toEqual({ ok: false, code: "PROOF_REJECTED" });
  });

  it("refuses inputs that are not canonical: x + r satisfies the same equation", () => {
    for (const inputs of [[5n + SCALAR_ORDER, INPUTS[1]], [5n, -3n], [5n], [...INPUTS, 0n], []]) {
      expect(verifyGroth16(key, inputs, proof)).toEqual({ ok: false, code: "PROOF_INPUTS_INVALID" });
    }
  });

  it("accepts a malleated proof: its bytes are others, so the identity is of key and inputs", () => {
    const other = malleated(proof, 7n);
    expect(proofToBytes(other)).not.toEqual(proofToBytes(proof));
    expect(verifyGroth16(key, INPUTS, other)).toEqual({ ok: true });
  });

  it("refuses exchanged and negated points", () => {
    const negated = { ...proof, a: { x: proof.a.x, y: BASE_ORDER - proof.a.y } };
    for (const wrong of [negated, { ...proof, a: proof.c, c: proof.a }, { ...proof, c: g1(2n) }]) {
      expect(verifyGroth16(key, INPUTS, wrong)).toEqual({ ok: false, code: "PROOF_REJECTED" });
    }
  });

  it("refuses points off the curve, at infinity, and coordinates that are not canonical", () => {
    const zero = { c0: 0n, c1: 0n };
    for (const wrong of [
      { ...proof, a: { x: proof.a.x, y: proof.a.y + 1n } },
      { ...proof, a: { x: 0n, y: 0n } },
      { ...proof, a: { x: proof.a.x + BASE_ORDER, y: proof.a.y } },
      { ...proof, a: { x: -proof.a.x, y: proof.a.y } },
      { ...proof, b: { x: zero, y: zero } },
      { ...proof, b: { x: proof.b.y, y: proof.b.x } },
      { ...proof, c: { x: 1n, y: 1n } },
    ]) {
      expect(verifyGroth16(key, INPUTS, wrong)).toEqual({ ok: false, code: "PROOF_POINT_INVALID" });
    }
  });

  it("refuses a point of G2's curve outside the subgroup", () => {
    const b = outsideSubgroup();
    expect(() => bn254.G2.Point.fromAffine(b).assertValidity()).toThrow();
    expect(verifyGroth16(key, INPUTS, { ...proof, b })).toEqual({ ok: false, code: "PROOF_POINT_INVALID" });
  });

  it("throws PROOF_KEY_MALFORMED for a key whose points are off the curve", () => {
    const broken = parseVerifyingKey({ ...trapdoorKeyJson(), vk_alpha_1: ["1", "3", "1"] });
    expect(() => verifyGroth16(broken, INPUTS, proof)).toThrow(
      expect.objectContaining({ code: "PROOF_KEY_MALFORMED" }),
    );
  });
});

/** The curve of G2 has about r² points, of which r are in the subgroup: the first point found is not. */
function outsideSubgroup(): PointG2 {
  const { Fp2 } = bn254.fields;
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.fromBigTuple([c0, 1n]);
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b);
    try {
      const y = Fp2.sqrt(square);
      return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
    } catch {
      // Not a square: no point has this x.
    }
  }
}
