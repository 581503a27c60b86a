import { expect, it } from "vitest";
import { CHECKS, type CheckName } from "../../../proofs/receipt/verdict.ts";
import { checkLines } from "../../../src/cli/verify-command.ts";

function lines(counts: readonly (number | undefined)[], production = false): string[] {
  const checks = CHECKS.map((name, i) => [name, { ok: counts[i] !== undefined, count: counts[i] ?? 0 }] as const);
  return [...checkLines(Object.fromEntries(checks) as Record<CheckName, { ok: boolean; count: number }>, production)];
}

it("says what was passed, what was not, and what was not reached", () => {
  expect(lines([461, 1376])).toEqual([
    "✓ blocks      461 blocks hash to their names, in canonical form, none twice",
    "✓ links       1376 links followed: none missing, nothing unreferenced",
    "✗ signatures  not passed, see below",
    "– seal        not reached",
    "– merkle      not reached",
    "– groth16     not reached",
  ]);
});

it("counts one as one", () => {
  expect(lines([9, 1, 1, 1, 1, 1]).slice(1)).toEqual([
    "✓ links       1 link followed: none missing, nothing unreferenced",
    "✓ signatures  1 Ed25519 signature of slots, votes and challenges",
    "✓ seal        1 statement covers every input range once and names the result",
    "✓ merkle      1 frontier leads to the tables' row roots",
    "✓ groth16     1 zero-knowledge proof of window aggregates (DEVELOPMENT keys: whoever made them could forge)",
  ]);
});

it("speaks of development keys only where proofs were made with them", () => {
  expect(lines([9, 9, 9, 9, 9, 0]).at(-1)).toBe("✓ groth16     0 zero-knowledge proofs of window aggregates");
  expect(lines([9, 9, 9, 9, 9, 2], true).at(-1)).toBe("✓ groth16     2 zero-knowledge proofs of window aggregates");
});
