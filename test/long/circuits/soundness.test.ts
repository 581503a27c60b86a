import { dirname } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildCircuits } from "../../../circuits/compile.ts";
import { WINDOW_128X32 } from "../../../circuits/manifest.ts";
import { circuitFiles } from "../../../proofs/groth16/circuit-files.ts";
import { type CircuitInput, commitment, honest, type Probe, probe } from "../../integration/circuits/probe.ts";

const VALUES = [5, -3, 12, 12, -40, 0, 7];
const base = honest(VALUES);
const OFFSET = 2n ** 31n;

beforeAll(async () => {
  await buildCircuits(dirname(circuitFiles(WINDOW_128X32).wasmPath));
});

// The circuit takes its claims as inputs and has no hints, so the witness program finds every witness there is for given
// inputs. What it refuses, no prover can prove.
describe("the window circuit", () => {
  it("accepts what is true", async () => {
    const full = Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? -(2 ** 31) : 2 ** 31 - 1));
    const truths = [VALUES, [0], [-(2 ** 31)], [2 ** 31 - 1], [-1, -1, -1], [-(2 ** 31), -(2 ** 31)], full].map(
      (values) => ({ input: honest(values) }),
    );
    expect(await probe(truths)).toEqual(truths.map(() => "accepted"));
  });

  it("has no witness for a false claim, whatever the private inputs", async () => {
    const at = (list: readonly bigint[], row: number, value: bigint): readonly bigint[] => list.with(row, value);
    const cheats: Readonly<Record<string, Partial<CircuitInput>>> = {
      "sum one more": { sum: base.sum + 1n },
      "sum one less": { sum: base.sum - 1n },
      "a minimum that no row has": { min: base.min - 1n },
      "a minimum that one row undercuts": { min: -3n },
      "a maximum that no row has": { max: base.max + 1n },
      "a maximum that one row exceeds": { max: 7n },
      "a maximum of the padding": { max: -OFFSET },
      "a minimum of the padding": { min: -OFFSET },
      "a minimum below the range": { min: base.min - 2n ** 32n },
      "a maximum above the range": { max: base.max + 2n ** 32n },
      "one row more": { count: base.count + 1n },
      "one row less": { count: base.count - 1n },
      "no row": { count: 0n, active: base.active.map(() => 0n), values: base.values.map(() => 0n), sum: 0n },
      "another commitment": { commitment: base.commitment + 1n },
      "another salt": { salt: base.salt + 1n },
      "the commitment of other values": { commitment: commitment([...VALUES.slice(0, 6), 8]) },
      "a row left out of the flags": { active: at(base.active, 6, 0n), count: 6n },
      "a flag of 2": { active: at(base.active, 1, 2n), count: 8n, sum: base.sum - OFFSET },
      "two flags that add up": {
        active: at(at(base.active, 1, 2n), 6, 0n),
        values: at(base.values, 6, 0n),
        sum: base.sum - 7n - OFFSET,
      },
      "a gap": {
        active: at(at(base.active, 3, 0n), 7, 1n),
        values: at(at(base.values, 3, 0n), 7, base.values[3] ?? 0n),
      },
      "a first row that is padding": {
        active: at(base.active, 0, 0n),
        values: at(base.values, 0, 0n),
        count: 6n,
        sum: base.sum - 5n,
      },
      "a value in the padding": { values: at(base.values, 9, 1n), sum: base.sum + 1n },
      "a value below the range": {
        values: at(base.values, 4, -1n),
        sum: base.sum + 40n - OFFSET - 1n,
        min: -OFFSET - 1n,
      },
      "a value above the range": { values: at(base.values, 2, 2n ** 32n), sum: base.sum - 12n + OFFSET, max: OFFSET },
      "a carry between packed values": {
        values: at(at(base.values, 0, (base.values[0] ?? 0n) + 2n ** 32n), 1, (base.values[1] ?? 0n) - 1n),
        sum: base.sum + 2n ** 32n - 1n,
        max: 5n + 2n ** 32n,
      },
    };
    const verdicts = await probe(Object.values(cheats).map((cheat) => ({ input: { ...base, ...cheat } })));
    expect(Object.fromEntries(Object.keys(cheats).map((name, i) => [name, verdicts[i]]))).toEqual(
      Object.fromEntries(Object.keys(cheats).map((name) => [name, "no-witness"])),
    );
  });

  it("refuses an honest witness with one signal changed", async () => {
    const signals = [
      "context",
      "commitment",
      "count",
      "sum",
      "min",
      "max",
      "salt",
      "values[2]",
      "values[100]",
      "active[5]",
      "active[90]",
      "lowestProduct[5]",
      "below[3].out[4]",
    ];
    const probes: readonly Probe[] = signals.map((signal) => ({ input: base, change: { signal, by: 1n } }));
    const verdicts = await probe(probes);
    expect(Object.fromEntries(signals.map((signal, i) => [signal, verdicts[i]]))).toEqual(
      Object.fromEntries(signals.map((signal) => [signal, "rejected"])),
    );
  });
});
