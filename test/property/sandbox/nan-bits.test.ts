import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instrument } from "../../../src/sandbox/metering/instrument.ts";
import { OPTIONS } from "../../support/metered.ts";
import { randomModule } from "../../support/random-module/module.ts";
import { CANONICAL, MACHINES, onMachine } from "../../support/random-module/other-machine.ts";
import { difference, Subject } from "../../support/random-module/run.ts";

// Each run makes and compiles several modules; test/long/sandbox/random-modules.test.ts has more of them.
const RUNS = 80;
const choices = fc.record({
  seed: fc.nat(),
  size: fc.constantFrom(20, 80, 250),
  signs: fc.boolean(),
  traps: fc.boolean(),
  meter: fc.boolean(),
});

describe("a random module with canonical NaNs", () => {
  it("does the same on machines that make other NaNs", () => {
    fc.assert(
      fc.property(choices, fc.integer(), (choice, argument) => {
        const { raw, calls } = randomModule(choice);
        const { bytes } = instrument(raw, { ...OPTIONS, memoryPagesMax: 3, meter: choice.meter });
        const expected = new Subject(bytes).trace(calls, argument);
        for (const machine of MACHINES) {
          const other = onMachine(bytes, machine);
          expect(WebAssembly.validate(other)).toBe(true);
          expect(difference(expected, new Subject(other).trace(calls, argument))).toBeUndefined();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("does what it does where every NaN is canonical as soon as it is made", () => {
    fc.assert(
      fc.property(choices, fc.integer(), (choice, argument) => {
        // A sign that is changed before a NaN is made canonical is gone; apart from that both agree to the bit, copies included.
        const { raw, calls } = randomModule({ ...choice, signs: false });
        const { bytes } = instrument(raw, { ...OPTIONS, memoryPagesMax: 3, meter: choice.meter });
        const eager = new Subject(onMachine(raw, CANONICAL)).trace(calls, argument);
        expect(difference(eager, new Subject(bytes).trace(calls, argument))).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("would differ without them: the other machines are others", () => {
    const differing = Array.from({ length: 100 }, (_, seed) => randomModule({ seed, size: 80 })).filter(
      ({ raw, calls }) => {
        const traces = MACHINES.map((machine) => new Subject(onMachine(raw, machine)).trace(calls, 1));
        const [first] = traces;
        return first !== undefined && traces.some((trace) => difference(first, trace) !== undefined);
      },
    );
    expect(differing.length).toBeGreaterThan(10);
  });
});
