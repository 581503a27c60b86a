import { expect, it } from "vitest";
import { judge, seedModules } from "../../support/mutants.ts";
import { SEED } from "../../support/seed.ts";

it("ten thousand mutants of modules are judged as the engine does, without a crash", async () => {
  const { valid, accepted } = judge(await seedModules(), SEED + 1_000_000, 10_000);
  expect(valid).toBeGreaterThan(1000);
  expect(accepted).toBeGreaterThan(1000);
}, 600_000);
