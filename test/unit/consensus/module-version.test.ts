import { describe, expect, it } from "vitest";
import { type ModuleEntryBody, operatorOfEntry } from "../../../src/consensus/module-entry.ts";
import { operatorHistory, takeoverFault } from "../../../src/consensus/module-version.ts";
import { verifyEd25519 } from "../../../src/node.ts";
import { entryOf } from "../../support/catalogue.ts";

const entry = (version: string, change: Partial<ModuleEntryBody> = {}) =>
  entryOf(new Uint8Array(8), { version, ...change });
const operator = (number: number, unit: number | null = null) =>
  operatorOfEntry(entryOf(Uint8Array.of(number), { unit }));

describe("the history of a task's operator", () => {
  it("is the operator alone where nothing took over", () => {
    expect(operatorHistory(operator(1), [])).toEqual({ operator: operator(1) });
    expect(operatorHistory({ kind: "copy" }, [])).toEqual({ operator: { kind: "copy" } });
  });

  it("has the row from which each version was called; on units that of the unit, and none that was never called", () => {
    const later = [100, 250, 260].map((from, i) => ({ from, operator: operator(i + 2) }));
    expect(operatorHistory(operator(1), later)).toEqual({ operator: operator(1), later });
    const units = later.map(({ from }, i) => ({ from, operator: operator(i + 2, 100) }));
    expect(operatorHistory(operator(1, 100), units)).toEqual({
      operator: operator(1, 100),
      later: [
        { from: 100, operator: operator(2, 100) },
        { from: 200, operator: operator(4, 100) },
      ],
    });
    // All of the first unit was computed by what was there when it was full.
    expect(operatorHistory(operator(1, 1000), units)).toEqual({ operator: operator(4, 100) });
  });
});

describe("a stateful version", () => {
  it("takes over only where it says that it goes on from the memory of the one before", () => {
    const fault = (continues?: string): string | undefined =>
      takeoverFault(
        entry("1.2.0", { unit: 8, stateful: true }),
        entry("1.3.0", { unit: 8, stateful: true, ...(continues === undefined ? {} : { continues }) }),
        { name: "late", range: "^1.0" },
        verifyEd25519,
      );
    expect(fault("^1.2")).toBeUndefined();
    expect(fault("1.2.1")).toContain("memory of 1.2.0");
    expect(fault()).toContain("memory of 1.2.0");
  });
});
