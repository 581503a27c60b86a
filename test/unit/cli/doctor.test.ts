import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { broken, fine, limited } from "../../../src/cli/doctor/check.ts";
import { runChecks } from "../../../src/cli/doctor/doctor-command.ts";
import { machineChecks } from "../../../src/cli/doctor/machine-checks.ts";
import { runtimeChecks } from "../../../src/cli/doctor/runtime-checks.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { IpdmError } from "../../../src/core/errors.ts";
import { makeTestFolder } from "../../support/folder.ts";

/** A terminal that keeps the objects it is given. */
class Kept extends Terminal {
  readonly said: object[] = [];

  constructor() {
    super({ json: true, quiet: false, verbose: false });
  }

  override json(value: object): void {
    this.said.push(value);
  }
}

const signal = new AbortController().signal;

describe("doctor", () => {
  it("says of each check what it found, fails with one of them, and goes on behind one that throws", async () => {
    const terminal = new Kept();
    const checks = [
      { name: "a", run: async () => fine("it works") },
      { name: "b", run: async () => limited("it is small", "make it larger") },
      { name: "c", run: async () => Promise.reject(new IpdmError("DISK_FULL", "no space", { hint: "free some" })) },
      { name: "d", run: async () => broken("it does not work", "replace it") },
    ];
    expect(await runChecks(checks, terminal, signal)).toBe(1);
    expect(terminal.said).toMatchObject([
      { event: "check", name: "a", level: "ok", message: "it works" },
      { name: "b", level: "warn", hint: "make it larger" },
      { name: "c", level: "fail", message: "DISK_FULL: no space", hint: "free some" },
      { name: "d", level: "fail" },
      { event: "doctor", ok: false, passed: 1, limited: 1, failed: 2 },
    ]);
    expect(await runChecks(checks.slice(0, 2), terminal, signal)).toBe(0);
  });

  it("finds this machine well, and leaves nothing behind", async () => {
    const folder = await makeTestFolder("doctor");
    try {
      const terminal = new Kept();
      // Provers have tests of their own, and take seconds.
      const checks = [
        ...machineChecks(folder.path),
        ...runtimeChecks(folder.path).filter(({ name }) => name !== "prover"),
      ];
      expect(await runChecks(checks, terminal, signal)).toBe(0);
      expect(terminal.said.at(-1)).toMatchObject({ ok: true, failed: 0 });
      expect(await readdir(folder.path)).toEqual([]);
    } finally {
      await folder.remove();
    }
  });

  it("fails where nothing can be written", async () => {
    const terminal = new Kept();
    const checks = machineChecks("/nonexistent").filter(({ name }) => name === "disk" || name === "write");
    expect(await runChecks(checks, terminal, signal)).toBe(1);
    expect(terminal.said.at(-1)).toMatchObject({ ok: false, failed: 2 });
  });
});
