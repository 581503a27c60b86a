import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { execPath } from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

describe("examples/programmatic/windows.ts", () => {
  it("runs against the built package, on three million rows", { timeout: 120_000 }, async () => {
    const program = join(ROOT, "examples", "programmatic", "windows.ts");
    const { stdout } = await run(execPath, [program], { cwd: ROOT, env: { ...process.env, NO_COLOR: "1" } });
    expect(stdout).toMatch(/│ 0 +│ '2001-06-04' │ 'STL' +│ 382 +│ 39340 +│/);
    expect(stdout).toContain("8864 days of airports with at least 100 flights; 0 rows came too late");
  });
});
