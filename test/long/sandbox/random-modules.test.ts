import { expect, it } from "vitest";
import { instrument } from "../../../src/sandbox/metering/instrument.ts";
import { fuelLeft, METER_EXPORT, type MeterGlobal } from "../../../src/sandbox/metering/meter.ts";
import { OPTIONS } from "../../support/metered.ts";
import { randomModule } from "../../support/random-module/module.ts";
import { CANONICAL, MACHINES, onMachine } from "../../support/random-module/other-machine.ts";
import { difference, Subject } from "../../support/random-module/run.ts";
import { SEED } from "../../support/seed.ts";

const MODULES = 2500;
const options = { ...OPTIONS, memoryPagesMax: 3, tailCalls: true };

it("two thousand five hundred random modules do the same raw, metered, and on machines with other NaNs", () => {
  for (let i = 0; i < MODULES; i++) {
    const seed = SEED + i;
    const choice = {
      seed,
      size: i % 4 === 0 ? 250 : 80,
      signs: i % 2 === 0,
      traps: i % 3 === 0,
      tailCalls: i % 5 === 0,
    };
    const { raw, counted, calls } = randomModule(choice);
    const metered = instrument(raw, { ...options, canonicalNaN: false }).bytes;
    const expected = new Subject(raw).trace(calls, seed);
    expect(difference(expected, new Subject(metered).trace(calls, seed)), `metered, seed ${seed}`).toBeUndefined();
    const canonical = instrument(raw, options).bytes;
    const same = new Subject(canonical).trace(calls, seed);
    for (const machine of MACHINES)
      expect(
        difference(same, new Subject(onMachine(canonical, machine)).trace(calls, seed)),
        `machine, seed ${seed}`,
      ).toBeUndefined();
    if (!choice.signs) {
      const eager = new Subject(onMachine(raw, CANONICAL)).trace(calls, seed);
      expect(difference(eager, same), `eager, seed ${seed}`).toBeUndefined();
    }
    const exact = new Subject(counted);
    const paying = new Subject(metered);
    paying.fill(1e12);
    const ended = calls.map((name) => [exact.call(name, seed), paying.call(name, seed)]);
    if (ended.flat().some((result) => !/^-?\d+$/.test(result))) continue;
    const fuel = 1e12 - fuelLeft((paying.exports[METER_EXPORT] as MeterGlobal).value);
    expect(fuel, `fuel, seed ${seed}`).toBeGreaterThanOrEqual(Number(exact.exports.exact?.value));
  }
}, 900_000);
