import { describe, expect, it } from "vitest";
import { WINDOW_128X32 } from "../../../../circuits/manifest.ts";
import { loadCircuitKey } from "../../../../proofs/groth16/circuit-files.ts";
import { parseVerifyingKey, proofIdentity } from "../../../../proofs/groth16/verifying-key.ts";
import { trapdoorKey, trapdoorKeyJson } from "./trapdoor-proof.ts";

describe("parseVerifyingKey", () => {
  it("reads a key; its hash is that of its points, not of its text", () => {
    const reordered = Object.fromEntries(Object.entries(trapdoorKeyJson()).toReversed());
    expect(parseVerifyingKey(reordered)).toEqual(trapdoorKey());
    const other = parseVerifyingKey({ ...trapdoorKeyJson(), vk_alpha_1: ["1", "2", "1"] });
    expect(other.hash).not.toEqual(trapdoorKey().hash);
  });

  it("throws PROOF_KEY_MALFORMED for anything else", () => {
    const json = trapdoorKeyJson();
    const wrongs = [null, [], {}, { ...json, protocol: "plonk" }, { ...json, curve: "bls12381" }, { ...json, IC: [] }];
    for (const wrong of [
      ...wrongs,
      { ...json, IC: ["1"] },
      { ...json, vk_beta_2: 5 },
      { ...json, vk_alpha_1: ["1", "9".repeat(78), "1"] },
    ]) {
      expect(() => parseVerifyingKey(wrong)).toThrow(expect.objectContaining({ code: "PROOF_KEY_MALFORMED" }));
    }
  });
});

describe("proofIdentity", () => {
  it("is the SHA-256 of key hash and inputs", () => {
    const key = trapdoorKey();
    expect(proofIdentity(key.hash, [1n, 2n])).toEqual(proofIdentity(key.hash, [1n, 2n]));
    expect(proofIdentity(key.hash, [1n, 2n])).not.toEqual(proofIdentity(key.hash, [2n, 1n]));
    expect(proofIdentity(new Uint8Array(32), [1n, 2n])).not.toEqual(proofIdentity(key.hash, [1n, 2n]));
  });
});

describe("loadCircuitKey", () => {
  it("reads the development key of the window circuit, which says what it is", async () => {
    const { key, provenance } = await loadCircuitKey(WINDOW_128X32);
    expect(key.ic).toHaveLength(WINDOW_128X32.publicInputs.length + 1);
    expect(provenance).toMatchObject({
      circuit: "window-128x32",
      production: false,
      label: expect.stringContaining("DEVELOPMENT KEY"),
    });
  });

  it("refuses it for production with CIRCUIT_KEY_NOT_FOR_PRODUCTION", async () => {
    await expect(loadCircuitKey(WINDOW_128X32, { production: true })).rejects.toMatchObject({
      code: "CIRCUIT_KEY_NOT_FOR_PRODUCTION",
    });
  });
});
