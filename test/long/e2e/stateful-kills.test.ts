import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../../support/audit.ts";
import { build, endAll, lastJson, run, runJson, start } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { SEED } from "../../support/seed.ts";
import { numbers } from "../../support/small-flights.ts";
import { ledgerOf, paymentLines, writeLedger } from "../../support/small-ledger.ts";

const ROWS = 20_000;

let folder: TestFolder;
let config: string;
let result: unknown;
let seconds: number;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("ledger");
  config = await writeLedger(folder.path, { rows: ROWS });
  const done = await runJson(["run", config, "--out", folder.fresh("out")]);
  result = done["result"];
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("a run with a stateful module that is killed", () => {
  it.each([1, 3])(
    "between and in slots goes on from its states to the same result, with %i replicas",
    async (replicas) => {
      // 256 batches a slot: some twenty slots.
      const flags = ["--batch-rows", "4", "--replicas", String(replicas), "--json"];
      const whole = await runJson(["run", config, "--out", folder.fresh("out"), ...flags.slice(0, 4)]);
      expect(whole["result"]).toBe(result);
      seconds = Number(whole["seconds"]);
      const next = numbers(SEED + replicas);
      const outDir = folder.fresh("out");
      const args = ["run", config, "--out", outDir, ...flags];
      const moments: number[] = [];
      for (let kill = 0; kill < 4; kill++) {
        const afterMs = 400 + next(Math.max(500, Math.round(seconds * 500)));
        moments.push(afterMs);
        const running = start(args);
        const timer = setTimeout(() => running.child.kill("SIGKILL"), afterMs);
        await running.ended;
        clearTimeout(timer);
      }
      const ended = await run(args);
      expect(ended.code, `killed after ${moments.join(", ")} ms: ${ended.stderr}`).toBe(0);
      expect(lastJson(ended)["result"]).toBe(result);
      expect(await readFile(join(outDir, "ledger.csv"), "utf8")).toBe(ledgerOf(paymentLines(ROWS)));
      await audit(outDir);
    },
  );
});
