import { describe, expect, it } from "vitest";
import { DepotRun } from "../../simulation/runtime/depot-run.ts";
import { ROTATING_SEED } from "../../support/seed.ts";

const SCHEDULES = 2000;

describe("durable actors under a failing disk, failing effects and crashes", () => {
  it(`lose nothing and do nothing twice in ${SCHEDULES} schedules from seed ${ROTATING_SEED} on`, async () => {
    let reopenings = 0;
    for (let seed = ROTATING_SEED; seed < ROTATING_SEED + SCHEDULES; seed++) {
      const run = new DepotRun(seed);
      expect({ seed, problems: await run.run() }).toEqual({ seed, problems: [] });
      reopenings += run.reopenings;
    }
    expect(reopenings).toBeGreaterThan(SCHEDULES / 20);
  });
});
