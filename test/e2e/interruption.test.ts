import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../support/audit.ts";
import { build, endAll, lastJson, run, runJson, start } from "../support/command.ts";
import { makeTestFolder, type TestFolder } from "../support/folder.ts";
import { numbers, writeSmall } from "../support/small-flights.ts";

/** Seed of the moments at which runs are killed. */
const SEED = 7;
/** How soon an interrupted command has to be gone, in milliseconds. */
const PROMPT_MS = 5000;

let folder: TestFolder;
let config: string;
let result: unknown;
let seconds: number;
/** The folder of a run that ended. */
let finished: string;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("stop");
  config = await writeSmall(folder.path, { rows: 12_000, replicas: 3, quorum: 2 });
  finished = folder.fresh("out");
  const done = await runJson(["run", config, "--out", finished]);
  result = done["result"];
  seconds = Number(done["seconds"]);
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("a run that is interrupted", () => {
  it.each([
    ["SIGINT", 3],
    ["SIGTERM", 1],
  ] as const)(
    "by %s on %i nodes ends soon with exit code 130, and the same command goes on",
    async (signal, replicas) => {
      const outDir = folder.fresh("out");
      const args = ["run", config, "--replicas", String(replicas), "--out", outDir, "--json"];
      const running = start(args);
      await running.says('"phase":"running"');
      const asked = performance.now();
      running.child.kill(signal);
      const ended = await running.ended;
      expect(performance.now() - asked).toBeLessThan(PROMPT_MS);
      expect(ended.code).toBe(130);
      expect(lastJson(ended)).toMatchObject({ event: "error", code: "INTERRUPTED", exit: 130 });
      expect(ended.stderr).toBe("✗ INTERRUPTED stopped; the same command goes on from here\n");
      expect(lastJson(await run(args))).toMatchObject({ event: "done", result });
      await audit(outDir);
    },
  );

  it("before anything began is interrupted as well", async () => {
    const running = start(["run", config, "--out", folder.fresh("out"), "--json"]);
    await running.says('"phase":"planning"');
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
  });
});

describe("a run that is killed", () => {
  it("at drawn moments goes on with the same command to the same result", async () => {
    const next = numbers(SEED + 1);
    const outDir = folder.fresh("out");
    const args = ["run", config, "--out", outDir, "--json"];
    const moments: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const afterMs = 300 + next(Math.max(500, Math.round(seconds * 600)));
      moments.push(afterMs);
      const running = start(args);
      const timer = setTimeout(() => running.child.kill("SIGKILL"), afterMs);
      await running.ended;
      clearTimeout(timer);
    }
    const ended = await run(args);
    expect(ended.code, `killed after ${moments.join(", ")} ms: ${ended.stderr}`).toBe(0);
    expect(lastJson(ended)["result"]).toBe(result);
    await audit(outDir);
    expect((await readdir(outDir)).toSorted()).toEqual([".data", "daily.csv", "keys.json", "receipt.car"]);
  });
});

describe("two runs at once", () => {
  it("in one data folder: the second is refused, the first is not disturbed", async () => {
    const outDir = folder.fresh("out");
    const first = start(["run", config, "--out", outDir, "--json"]);
    await first.says('"phase":"running"');
    const second = await run(["run", config, "--out", outDir, "--json"]);
    expect(second.code).toBe(6);
    expect(lastJson(second)).toMatchObject({ code: "DATA_DIR_IN_USE" });
    expect(second.stderr).toContain("--data");
    expect(lastJson(await first.ended)).toMatchObject({ event: "done", result });
  });
});

describe("a reader that goes away", () => {
  it.each(["--json", "--verbose"])("is no failure (%s)", async (flag) => {
    const outDir = folder.fresh("out");
    const { code, stderr, stdout } = await run(["run", config, "--replicas", "1", "--out", outDir, flag], {
      shell: (command) => `set -o pipefail; ${command} | head -1`,
    });
    expect({ code, stderr: stderr.includes("    at ") || stderr.includes("EPIPE") }).toEqual({
      code: 0,
      stderr: false,
    });
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    await audit(outDir);
  });
});

describe("a member that stopped earlier than the others", () => {
  it("catches up when its data folder is gone", async () => {
    await rm(join(finished, ".data", "charlie", "store"), { recursive: true });
    const again = await runJson(["run", config, "--out", finished]);
    expect(again["result"]).toBe(result);
    await audit(finished);
  });
});
