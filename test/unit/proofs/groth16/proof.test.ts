import { describe, expect, it } from "vitest";
import { BASE_ORDER, elementOf, elementOfHash, SCALAR_ORDER, signedOf } from "../../../../proofs/groth16/field.ts";
import {
  PROOF_SIZE_BYTES,
  proofFromBytes,
  proofToBytes,
  publicInputsFromBytes,
  publicInputsToBytes,
} from "../../../../proofs/groth16/proof.ts";
import { proofFromJson, proofToJson } from "../../../../proofs/groth16/snarkjs-json.ts";
import { trapdoorProof } from "./trapdoor-proof.ts";

const proof = trapdoorProof([1n, 2n]);

describe("proof bytes", () => {
  it("come back as the same proof, imaginary parts first", () => {
    const bytes = proofToBytes(proof);
    expect(bytes).toHaveLength(PROOF_SIZE_BYTES);
    expect(proofFromBytes(bytes)).toEqual(proof);
    expect(BigInt(`0x${Buffer.from(bytes.subarray(64, 96)).toString("hex")}`)).toBe(proof.b.x.c1);
  });

  it("are refused when too short, too long or not canonical", () => {
    const bytes = proofToBytes(proof);
    expect(proofFromBytes(bytes.subarray(1))).toBeUndefined();
    expect(proofFromBytes(new Uint8Array(PROOF_SIZE_BYTES + 1))).toBeUndefined();
    for (let i = 0; i < 8; i++) {
      const wrong = bytes.slice();
      wrong.fill(0xff, 32 * i, 32 * i + 32);
      expect(proofFromBytes(wrong)).toBeUndefined();
    }
    const order = proofToBytes({ ...proof, a: { x: BASE_ORDER, y: proof.a.y } });
    expect(proofFromBytes(order)).toBeUndefined();
  });
});

describe("public inputs as bytes", () => {
  it("come back in order", () => {
    const inputs = [0n, 1n, SCALAR_ORDER - 1n];
    expect(publicInputsFromBytes(publicInputsToBytes(inputs))).toEqual(inputs);
    expect(publicInputsFromBytes(new Uint8Array(0))).toEqual([]);
  });

  it("are refused when not canonical, cut, or too many", () => {
    expect(publicInputsFromBytes(publicInputsToBytes([SCALAR_ORDER]))).toBeUndefined();
    expect(publicInputsFromBytes(new Uint8Array(33))).toBeUndefined();
    expect(publicInputsFromBytes(new Uint8Array(65 * 32))).toBeUndefined();
  });
});

describe("a proof as snarkjs writes it", () => {
  it("comes back as the same proof", () => {
    expect(proofFromJson(proofToJson(proof))).toEqual(proof);
  });

  it("is refused in any other shape", () => {
    const json = proofToJson(proof);
    const [x, y] = json.pi_a;
    for (const wrong of [
      undefined,
      null,
      [],
      "proof",
      {},
      { ...json, pi_a: [x, y] },
      { ...json, pi_a: [x, y, "0"] },
      { ...json, pi_a: [`0${x}`, y, "1"] },
      { ...json, pi_a: [`-${x}`, y, "1"] },
      { ...json, pi_a: ["0x10", y, "1"] },
      { ...json, pi_a: [1, y, "1"] },
      { ...json, pi_a: [String(BigInt(x ?? "0") + BASE_ORDER), y, "1"] },
      { ...json, pi_a: ["9".repeat(1000), y, "1"] },
      { ...json, pi_b: [json.pi_b[0], json.pi_b[1], ["0", "0"]] },
      { ...json, pi_b: json.pi_a },
    ]) {
      expect(proofFromJson(wrong)).toBeUndefined();
    }
  });
});

describe("field elements", () => {
  it("stand for signed integers", () => {
    for (const value of [0n, 1n, -1n, 2n ** 64n, -(2n ** 64n), (SCALAR_ORDER - 1n) / 2n, -(SCALAR_ORDER - 1n) / 2n]) {
      expect(signedOf(elementOf(value))).toBe(value);
    }
    expect(elementOf(-1n)).toBe(SCALAR_ORDER - 1n);
  });

  it("of a hash are its lower 253 bits", () => {
    expect(elementOfHash(new Uint8Array(32).fill(0xff))).toBe(2n ** 253n - 1n);
    expect(elementOfHash(new Uint8Array(32).fill(0xff))).toBeLessThan(SCALAR_ORDER);
    expect(elementOfHash(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 5 : 0)))).toBe(5n);
  });
});
