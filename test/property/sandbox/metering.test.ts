import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SLACK_MAX } from "../../../src/sandbox/metering/charge-plan.ts";
import { instrument } from "../../../src/sandbox/metering/instrument.ts";
import { fuelLeft, METER_EXPORT, type MeterGlobal, overdrawn } from "../../../src/sandbox/metering/meter.ts";
import { INLINE_COST_MAX } from "../../../src/sandbox/metering/metering-plan.ts";
import { OPTIONS } from "../../support/metered.ts";
import { type ModuleChoice, randomModule } from "../../support/random-module/module.ts";
import { difference, STACK, Subject } from "../../support/random-module/run.ts";

// Each run makes and compiles several modules; test/long/sandbox/random-modules.test.ts has more of them.
const RUNS = 80;
const choices = fc.record({
  seed: fc.nat(),
  size: fc.constantFrom(20, 80, 250),
  signs: fc.boolean(),
  traps: fc.boolean(),
  tailCalls: fc.boolean(),
});

const meterOf = (subject: Subject): MeterGlobal => subject.exports[METER_EXPORT] as MeterGlobal;
const meteredBytes = (raw: Uint8Array, choice: ModuleChoice, canonicalNaN = false): Uint8Array =>
  instrument(raw, { ...OPTIONS, memoryPagesMax: 3, canonicalNaN, tailCalls: choice.tailCalls === true }).bytes;

/** Fuel that one call of a fresh instance takes. */
function spent(bytes: Uint8Array, name: string, argument: number): { fuel: number; result: string } {
  const subject = new Subject(bytes);
  subject.fill(1e12);
  const result = subject.call(name, argument);
  return { fuel: 1e12 - fuelLeft(meterOf(subject).value), result };
}

describe("a random module that is metered", () => {
  it("does what it does without", () => {
    fc.assert(
      fc.property(choices, fc.integer(), (choice, argument) => {
        const { raw, counted, calls } = randomModule(choice);
        const expected = new Subject(raw).trace(calls, argument);
        const bytes = meteredBytes(raw, choice);
        expect(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)).toBe(true);
        expect(difference(expected, new Subject(bytes).trace(calls, argument))).toBeUndefined();
        // The yardstick of the next test has to be one.
        expect(difference(expected, new Subject(counted).trace(calls, argument))).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("pays for all that it executes, and little more", () => {
    fc.assert(
      fc.property(choices, fc.integer(), (choice, argument) => {
        const { raw, counted, calls } = randomModule(choice);
        const bytes = meteredBytes(raw, choice, choice.signs);
        for (const name of calls) {
          const exact = new Subject(counted);
          const ended = exact.call(name, argument);
          const { fuel, result } = spent(bytes, name, argument);
          expect(result).toBe(ended);
          const least = Number(exact.exports.exact?.value);
          const places = Number(exact.exports.places?.value);
          // What a function took before it traps may not have reached the meter.
          if (/^-?\d+$/.test(result)) expect(fuel).toBeGreaterThanOrEqual(least);
          if (/^-?\d+$/.test(result))
            expect(fuel).toBeLessThanOrEqual(least + places * Math.max(SLACK_MAX, INLINE_COST_MAX));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("runs out of fuel below what it needs, and never above", () => {
    fc.assert(
      fc.property(choices, fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (choice, argument, share) => {
        const { raw, calls } = randomModule(choice);
        const bytes = meteredBytes(raw, choice);
        for (const name of calls) {
          const { fuel, result } = spent(bytes, name, argument);
          if (!/^-?\d+$/.test(result)) continue;
          for (const given of [fuel, fuel - 1, Math.floor(fuel * share), 0]) {
            const subject = new Subject(bytes);
            subject.fill(given);
            const ended = subject.call(name, argument);
            const over = overdrawn(meterOf(subject).value);
            if (given >= fuel) expect([ended, over]).toEqual([result, undefined]);
            else expect([ended === result || ended === "unreachable", over]).toEqual([true, "fuel"]);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("takes the same fuel in one instance however its calls are paid for, and gives its stack back", () => {
    fc.assert(
      fc.property(choices, fc.integer(), (choice, argument) => {
        const { raw, calls } = randomModule({ ...choice, traps: false });
        const bytes = meteredBytes(raw, choice);
        const together = new Subject(bytes);
        together.fill(1e12);
        const results = calls.map((name) => together.call(name, argument));
        if (results.some((result) => !/^-?\d+$/.test(result))) return;
        const apart = new Subject(bytes);
        let sum = 0;
        for (const name of calls) {
          apart.fill(1e9);
          apart.call(name, argument);
          sum += 1e9 - fuelLeft(meterOf(apart).value);
        }
        expect(1e12 - fuelLeft(meterOf(together).value)).toBe(sum);
        expect(meterOf(together).value & 0xf_ffffn).toBe(BigInt(STACK));
      }),
      { numRuns: RUNS },
    );
  });
});
