import { describe, it } from "vitest";
import { killCycles } from "../../integration/journal/kill-cycles.ts";

describe("LevelStore under kill -9, at length", () => {
  for (const seed of [7, 11, 13, 17]) {
    it(`has all that it acknowledged after each of 10 kills, seed ${seed}`, () => killCycles(seed, 10));
  }
});
