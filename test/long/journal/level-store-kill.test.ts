import { describe, it } from "vitest";
import { killCycles } from "../../integration/journal/kill-cycles.ts";
import { SEED } from "../../support/seed.ts";

// The seeds of children follow from these by adding the number of the kill, and even ones compact all the time.
describe("LevelStore under kill -9, at length", () => {
  for (const seed of [SEED, SEED + 101, SEED + 202, SEED + 303]) {
    it(`has all that it acknowledged after each of 8 kills, seed ${seed}`, () => killCycles(seed, 8));
  }
});
