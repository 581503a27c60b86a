import { describe, expect, it } from "vitest";
import { SEED } from "../../support/seed.ts";
import { DepotRun } from "./depot-run.ts";

const SCHEDULES = 300;

describe("durable actors under a failing disk, failing effects and crashes", () => {
  it(`lose nothing that was acknowledged, and do everything once, in ${SCHEDULES} schedules`, async () => {
    let crashes = 0;
    for (let seed = SEED; seed < SEED + SCHEDULES; seed++) {
      const run = new DepotRun(seed);
      expect({ seed, problems: await run.run() }).toEqual({ seed, problems: [] });
      crashes += run.crashes;
    }
    expect(crashes).toBeGreaterThan(SCHEDULES);
  });
});
