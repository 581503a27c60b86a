import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { execPath } from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { makeTestFolder } from "../../support/folder.ts";

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

describe("examples/actors/shop.ts", () => {
  it("runs an order to its end, and finds it over when it is started again", async () => {
    const folder = await makeTestFolder("shop");
    try {
      const program = join(ROOT, "examples", "actors", "shop.ts");
      const shop = async (): Promise<string> => (await run(execPath, [program, folder.path], { cwd: ROOT })).stdout;
      const first = await shop();
      expect(first).toMatch(/^mail order-1:\d+:0 to ann@example\.org: paid 1999$/m);
      expect(first).toContain("order-1 is over: delivered, 1999 cents");
      const second = await shop();
      expect(second).not.toContain("mail");
      expect(second).toContain("order-1 is over: delivered, 1999 cents");
    } finally {
      await folder.remove();
    }
  });
});
