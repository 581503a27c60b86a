import { expect, it } from "vitest";
import { judge, seedModules } from "../../support/mutants.ts";
import { SEED } from "../../support/seed.ts";

it("mutants of modules are judged as the engine does, without a crash", async () => {
  const { valid, accepted } = judge(await seedModules(), SEED, 800);
  // Otherwise the mutants say nothing about valid modules.
  expect(valid).toBeGreaterThan(80);
  expect(accepted).toBeGreaterThan(80);
});
