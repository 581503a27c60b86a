import { describe, it } from "vitest";
import { killCycles } from "../../integration/journal/kill-cycles.ts";
import { ROTATING_SEED } from "../../support/seed.ts";

// The seeds of children follow from these by adding the number of the kill, and even ones compact all the time.
describe("LevelStore under kill -9, at length", () => {
  for (const seed of [ROTATING_SEED, ROTATING_SEED + 101])
    it(`has all that it acknowledged after each of 4 kills, seed ${seed}`, () => killCycles(seed, 4));
});
