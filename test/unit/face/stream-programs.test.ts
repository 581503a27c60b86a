import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { execPath } from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const NAB = resolve(ROOT, "../shared/data/nab/realKnownCause/ambient_temperature_system_failure.csv");
const run = promisify(execFile);

/** Runs programs in one process, one after the other. */
async function output(...names: readonly string[]): Promise<string> {
  const imports = names.map((name) => `await import("./examples/programmatic/${name}");`).join("");
  const { stdout } = await run(execPath, ["--input-type=module", "--eval", imports], { cwd: ROOT });
  return stdout;
}

describe("the tutorial programs of streams", () => {
  it("run against the built package", { timeout: 60_000 }, async () => {
    expect((await output("joins.ts", "custom-aggregate.ts", "anomaly-sessions.ts")).split("\n")).toEqual(
      expect.arrayContaining([
        "intervalJoin(orders, payments): left, 0s before to 10m after",
        "order 2 over 35: card",
        "order 1 over 20: never paid in time",
        "order 4 over 50: card",
        "ACME from minute -5: 3 trades at 1019.60",
        "4032 readings, usually below 59.2",
        "2024-01-05T04:05 to 2024-01-05T05:55: 23 readings, up to 98.2",
      ]),
    );
  });

  it.skipIf(!existsSync(NAB))("find the trouble in recorded temperatures", { timeout: 60_000 }, async () => {
    const { stdout } = await run(execPath, ["examples/programmatic/anomaly-sessions.ts", NAB], { cwd: ROOT });
    expect(stdout).toContain("7267 readings");
  });
});
