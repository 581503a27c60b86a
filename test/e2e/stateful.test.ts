import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../support/audit.ts";
import { build, endAll, ROOT, runJson } from "../support/command.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { ledgerOf } from "../support/small-ledger.ts";

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("ledger");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("the example stateful", () => {
  it("runs, verifies and replays", async () => {
    const outDir = folder.fresh("out");
    await mkdir(outDir);
    await runJson(["run", join(ROOT, "examples", "stateful"), "--out", outDir]);
    const payments = await readFile(join(ROOT, "examples", "stateful", "payments.csv"), "utf8");
    const lines = payments.trimEnd().split("\n").slice(1);
    expect(await readFile(join(outDir, "ledger.csv"), "utf8")).toBe(ledgerOf(lines));
    await audit(outDir);
  });
});
