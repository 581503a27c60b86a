import { describe, expect, it } from "vitest";
import { type SimulationOptions, simulate } from "../../simulation/actors/simulation.ts";
import { SEED } from "../../support/seed.ts";

const SEEDS = 30;

/** Liars and hostile members up to what the quorum tolerates: n - q may be silent or wrong, 2q - n - 1 may vote twice. */
function optionsOf(seed: number): SimulationOptions {
  const rows = 40 + ((seed * 7) % 300);
  switch (seed % 6) {
    case 0:
      return { seed, rows, members: 3, quorum: 2, liars: 1, policy: { verify: "full" } };
    case 1:
      return { seed, rows, members: 4, quorum: 3, hostile: 1, kills: 2, splits: 1 };
    case 2:
      return { seed, rows, members: 5, quorum: 3, liars: 2 };
    case 3:
      return { seed, rows, members: 3, kills: 10, policy: { verify: "sample", share: 400_000 } };
    default:
      return { seed, rows };
  }
}

describe("a domain under faults, many times", () => {
  const first = SEED;
  it(`holds for seeds ${first} to ${first + SEEDS - 1}`, { timeout: 300_000 }, async () => {
    for (let seed = first; seed < first + SEEDS; seed++) {
      const report = await simulate(optionsOf(seed));
      for (const { slots } of report.held) expect(slots).toBeLessThan(300);
    }
  });
});
