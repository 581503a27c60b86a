import { dirname } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { buildCircuits } from "../../../circuits/compile.ts";
import { WINDOW_128X32 } from "../../../circuits/manifest.ts";
import { circuitFiles, loadCircuitKey } from "../../../proofs/groth16/circuit-files.ts";
import { SCALAR_ORDER } from "../../../proofs/groth16/field.ts";
import { ProverPool } from "../../../proofs/groth16/prover-pool.ts";
import { verifyGroth16 } from "../../../proofs/groth16/verifier.ts";
import { windowChunk } from "../../../proofs/groth16/window-proof.ts";
import { honest, type Probe, probe } from "../../integration/circuits/probe.ts";
import { SEED } from "../../support/seed.ts";

const value = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0),
);
const values = fc.array(value, { minLength: 1, maxLength: 128, size: "max" });

beforeAll(async () => {
  await buildCircuits(dirname(circuitFiles(WINDOW_128X32).wasmPath));
});

describe(`the window circuit, seed ${SEED}`, () => {
  it("accepts what is true of any values, as computed outside the circuit", async () => {
    const probes = fc.sample(values, { numRuns: 20 }).map((sample) => ({ input: honest(sample) }));
    expect(new Set(await probe(probes))).toEqual(new Set(["accepted"]));
  });

  it("has no witness for claims near the truth", async () => {
    const claims = fc.record({
      values,
      name: fc.constantFrom("sum", "count", "min", "max", "commitment", "salt"),
      by: fc.oneof(
        fc.constantFrom(1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, SCALAR_ORDER / 2n),
        fc.bigInt({ min: 1n, max: SCALAR_ORDER - 1n }),
      ),
    });
    const probes = fc.sample(claims, { numRuns: 150 }).map((claim) => {
      const input = honest(claim.values);
      return { input: { ...input, [claim.name]: input[claim.name] + claim.by } };
    });
    expect(new Set(await probe(probes))).toEqual(new Set(["no-witness"]));
  });

  it("refuses every change of one signal of an honest witness", async () => {
    const input = honest([5, -3, 12, 12, -40, 0, 7]);
    const inputs = [
      "context",
      "commitment",
      "count",
      "sum",
      "min",
      "max",
      "salt",
      "lowest",
      "highest",
      "contextSquare",
    ];
    const rows = [0, 4, 6, 7, 127].flatMap((i) => [
      ...["values", "active", "floor", "lowestProduct", "highestProduct"].map((name) => `${name}[${i}]`),
      ...["below", "above"].flatMap((name) => [0, 31].map((bit) => `${name}[${i}].out[${bit}]`)),
    ]);
    const signals = [...inputs, ...rows];
    const probes: readonly Probe[] = signals.flatMap((signal) =>
      [1n, 2n ** 200n].map((by) => ({ input, change: { signal, by } })),
    );
    const verdicts = await probe(probes);
    const accepted = probes.filter((_, i) => verdicts[i] === "accepted").map(({ change }) => change?.signal);
    expect(accepted).toEqual([]);
    // The compiler takes linear signals out of the witness: those cannot be changed by themselves.
    console.log(
      `${verdicts.filter((verdict) => verdict === "rejected").length} of ${verdicts.length} changes could be made`,
    );
    expect(verdicts.filter((verdict) => verdict === "rejected").length).toBeGreaterThan(60);
  });
});

describe(`proofs of the window circuit, seed ${SEED}`, () => {
  it("verify for their own inputs and for no others", async () => {
    const { key } = await loadCircuitKey(WINDOW_128X32);
    await using pool = new ProverPool();
    for (const sample of fc.sample(values, { numRuns: 3 })) {
      const { proof, publicInputs } = await pool.prove(windowChunk(WINDOW_128X32, sample, 3n, 4n));
      expect(verifyGroth16(key, publicInputs, proof)).toEqual({ ok: true });
      for (const [i, input] of publicInputs.entries()) {
        expect(verifyGroth16(key, publicInputs.with(i, (input + 1n) % SCALAR_ORDER), proof).ok).toBe(false);
        expect(verifyGroth16(key, publicInputs.with(i, input + SCALAR_ORDER), proof).ok).toBe(false);
      }
    }
  });
});
