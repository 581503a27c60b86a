import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../../src/runtime/runtime.ts";
import { Random } from "../../simulation/actors/random.ts";
import { depotProblems, replayProblems, stateProblems } from "../../simulation/runtime/depot-check.ts";
import { calmDepot, type DepotContext, kid } from "../../simulation/runtime/depot-machine.ts";
import { MEMORY_PLACE, makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { IS_SOAK, ROTATING_SEED } from "../../support/seed.ts";

const CHILD = fileURLToPath(new URL("./depot-child.ts", import.meta.url));
const DEPOTS = ["depot-a", "depot-b"];
const KILLS = IS_SOAK ? 200 : 40;
/** Kills of one folder; then the next begins. */
const KILLS_A_FOLDER = 20;

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("depot", MEMORY_PLACE);
});
afterAll(() => folder.remove());

describe("durable actors with timers, children and effects in flight", () => {
  for (let first = 0; first < KILLS; first += KILLS_A_FOLDER) {
    const seed = ROTATING_SEED + first;
    it(`lose nothing, do nothing twice and end as if nothing had happened: ${KILLS_A_FOLDER} kills with -9 (seed ${seed})`, () =>
      killed(seed));
  }
});

async function killed(seed: number): Promise<void> {
  const dir = folder.fresh();
  const random = new Random(seed);
  const acknowledged = new Map<string, number[]>(DEPOTS.map((id) => [id, []]));
  const shipments = new Set<string>();
  const states = new Map<string, string>();
  for (let kill = 0; kill <= KILLS_A_FOLDER; kill++) {
    const args = [dir, String(1 + 1000 * kill), String(seed + kill)];
    // At a number of lines, or at a moment after the first.
    const moment = random.chance(0.5) ? { lines: 1 + random.below(150) } : { ms: random.below(100) };
    for (const line of await run(
      kill === KILLS_A_FOLDER ? [...args, "rest"] : args,
      kill === KILLS_A_FOLDER ? undefined : moment,
    )) {
      const [kind, what = "", value = ""] = line.split(" ");
      if (kind === "event") acknowledged.get(what)?.push(Number(value));
      if (kind === "effect") shipments.add(what);
      if (kind === "state") states.set(what, line.slice(`state ${what} `.length));
    }
  }
  await using store = await openStore(dir);
  const problems: string[] = [];
  for (const id of await store.actors())
    problems.push(...(await replayProblems(store, [calmDepot.spec, kid.spec], id)));
  for (const [id, numbers] of acknowledged) {
    const { context } = JSON.parse(states.get(id) ?? "{}") as { readonly context?: DepotContext };
    problems.push(...(await depotProblems(store, id, { found: context, acknowledged: numbers, shipments })));
  }
  problems.push(...(await stateProblems(store, DEPOTS, states)));
  for (const { actor, at } of await store.wakes()) problems.push(`${actor} still has something to do at ${at}`);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  expect([...acknowledged.values()].flat().length).toBeGreaterThan(KILLS_A_FOLDER);
}

/** Lines of a child that is killed after so many of them, or so long after the first. A line that the kill cut is none. */
async function run(
  args: readonly string[],
  moment: { readonly lines?: number; readonly ms?: number } | undefined,
): Promise<readonly string[]> {
  const env = { ...process.env, NODE_COMPILE_CACHE: `${folder.path}/compiled` };
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ["ignore", "pipe", "inherit"], env });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let text = "";
  let lines = 0;
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    if (lines === 0 && moment?.ms !== undefined) setTimeout(() => child.kill("SIGKILL"), moment.ms);
    text += String(chunk);
    lines += String(chunk).split("\n").length - 1;
    if (lines >= (moment?.lines ?? Number.POSITIVE_INFINITY)) child.kill("SIGKILL");
  }
  await closed;
  expect(child.signalCode ?? child.exitCode).toBe(moment === undefined ? 0 : "SIGKILL");
  return text.split("\n").slice(0, -1);
}
