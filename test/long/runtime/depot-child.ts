// Runs two depots in a folder and sends them events until it is killed, or, with `rest`, lets them come to rest. With an odd seed it seals their
// journals all the time. Writes a line for each event acknowledged (`event depot n`), each effect carried out (`effect request`), and in the end
// each actor's state (`state name json`). Arguments: folder, first number, seed, rest.
import { writeSync } from "node:fs";
import { createRuntime, openStore } from "../../../src/runtime/runtime.ts";
import { Random } from "../../simulation/actors/random.ts";
import { stateLine } from "../../simulation/runtime/depot-check.ts";
import { depot } from "../../simulation/runtime/depot-machine.ts";

const [dir = "", first = "1", seed = "1", rest] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const random = new Random(Number(seed));
const machine = depot({
  ship: {
    retry: { attempts: 100, firstDelayMs: 1, maxDelayMs: 5 },
    run: async ({ id }) => {
      say(`effect ${id}`);
      if (random.chance(0.3)) throw new Error("no wind");
      return { type: "shipped" };
    },
  },
});
const options = { machines: [machine], hotMax: 8, checkpointEvery: 16 };
const sealed = rest === undefined && Number(seed) % 2 === 1 ? await openStore(dir) : undefined;
const runtime = await createRuntime(sealed === undefined ? { ...options, dir } : { ...options, store: sealed });
const depots = await Promise.all(["depot-a", "depot-b"].map((id) => runtime.spawn(machine, { id })));
let sealing = false;
for (let n = Number(first); rest === undefined; n += 4) {
  if (sealed !== undefined && !sealing) {
    sealing = true;
    void sealed.compact({ sealEntriesMin: 8 }).finally(() => {
      sealing = false;
    });
  }
  const sending = [0, 1, 2, 3].map(async (more) => {
    const actor = random.pick(depots);
    const number = n + more;
    const kind = random.below(5);
    if (kind === 0) await actor.send({ type: "wait", n: number, delay: random.below(60) });
    else if (kind === 1) await actor.send({ type: "job", n: number });
    else if (kind === 2 && random.chance(0.4)) await actor.send({ type: "kid", n: number });
    else await actor.send({ type: "ship", n: number });
    say(`event ${actor.id} ${number}`);
  });
  await Promise.all(sending);
}
// At rest is what a whole round finds settled and as the round before left it.
for (let before = -1, events = 0; before !== events; ) {
  before = events;
  events = 0;
  for (const id of await runtime.actors()) {
    await runtime.actor(id).settled();
    events += (await runtime.actor(id).snapshot()).seq;
  }
}
for (const id of await runtime.actors()) say(`state ${stateLine(id, await runtime.actor(id).snapshot()).join(" ")}`);
await runtime.close();
