import { describe, it } from "vitest";
import { killCycles } from "./kill-cycles.ts";

describe("LevelStore under kill -9", () => {
  it("has all that it acknowledged after each of 4 kills", () => killCycles(20_261, 4));
});
