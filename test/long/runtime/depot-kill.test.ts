import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../../src/runtime/runtime.ts";
import { Random } from "../../simulation/actors/random.ts";
import { depotProblems, replayProblems } from "../../simulation/runtime/depot-check.ts";
import { type DepotContext, depot } from "../../simulation/runtime/depot-machine.ts";
import { DepotRun } from "../../simulation/runtime/depot-run.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { SEED } from "../../support/seed.ts";

const CHILD = fileURLToPath(new URL("./depot-child.ts", import.meta.url));
const KILLS = 8;
const SIMULATIONS = 60;

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("depot");
});
afterAll(() => folder.remove());

describe("durable actors", () => {
  it(`lose nothing and do nothing twice over ${KILLS} kills with -9 (seed ${SEED})`, async () => {
    const dir = folder.fresh();
    const random = new Random(SEED);
    const acknowledged = new Map<string, number[]>([
      ["depot-a", []],
      ["depot-b", []],
    ]);
    const shipments = new Set<string>();
    const contexts = new Map<string, DepotContext>();
    let next = 1;
    for (let kill = 0; kill <= KILLS; kill++) {
      const last = kill === KILLS;
      const lines = await run(
        [dir, String(next), String(SEED + kill), ...(last ? ["rest"] : [])],
        last ? undefined : 20 + random.below(150),
      );
      for (const line of lines) {
        const [kind, what = "", value = ""] = line.split(" ");
        if (kind === "event") acknowledged.get(what)?.push(Number(value));
        if (kind === "effect") shipments.add(what);
        if (kind === "context") contexts.set(what, JSON.parse(value) as DepotContext);
      }
      next += 1000;
    }
    const machine = depot({ ship: async () => undefined });
    await using store = await openStore(dir);
    const problems: string[] = [];
    for (const id of await store.actors()) problems.push(...(await replayProblems(store, machine, id)));
    for (const [id, numbers] of acknowledged)
      problems.push(...(await depotProblems(store, id, { found: contexts.get(id), acknowledged: numbers, shipments })));
    expect(problems).toEqual([]);
    expect(await store.wakes()).toEqual([]);
    expect([...acknowledged.values()].flat().length).toBeGreaterThan(KILLS * 10);
  });

  it(`come through ${SIMULATIONS} more simulated schedules`, async () => {
    for (let seed = SEED + 10_000; seed < SEED + 10_000 + SIMULATIONS; seed++)
      expect({ seed, problems: await new DepotRun(seed).run() }).toEqual({ seed, problems: [] });
  });
});

/** Lines of a child that is killed after so many of them. A line that the kill cut is none. */
async function run(args: readonly string[], killAfter: number | undefined): Promise<readonly string[]> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill("SIGKILL");
  }
  await closed;
  expect(child.signalCode ?? child.exitCode).toBe(killAfter === undefined ? 0 : "SIGKILL");
  return killAfter === undefined ? lines : lines.slice(0, -1);
}
