// Runs one actor until it was sent `total` moves, and writes a line for each event acknowledged and each effect begun. Arguments: folder, total.
import { writeSync } from "node:fs";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { Kernel } from "../../../src/runtime/kernel.ts";
import { parcelMachine } from "../../unit/runtime/parcel-machine.ts";
import { sha256 } from "../journal/seeded-store.ts";

const [folder = "", total = "100"] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const log = { debug: () => {}, info: () => {}, warn: () => {} };

const store = await LevelStore.open({ path: folder, hash: sha256 });
let sent = 0;
for await (const { entry } of store.entries("parcel/k")) {
  for (const event of entry.events) if ((event as { type: string }).type === "move") sent += 1;
}
const kernel = new Kernel(store, { hash: sha256, log, checkpointEvery: 16 });
const actor = await kernel.spawn({
  id: "parcel/k",
  machine: parcelMachine(),
  input: { name: "box" },
  effects: {
    greet: async () => undefined,
    carry: async ({ id, params }) => {
      say(`effect ${id}`);
      return { type: "moved", by: (params as { by: number }).by };
    },
  },
});
while (sent < Number(total)) {
  const turn = Array.from({ length: Math.min(5, Number(total) - sent) }, () => {
    sent += 1;
    return sent;
  });
  await Promise.all(
    turn.map(async (by) => {
      await actor.send({ type: "move", by });
      say(`event ${by}`);
    }),
  );
}
await actor.settled();
say(`moved ${(actor.snapshot().context as { moved: number }).moved}`);
await kernel.close();
await store.close();
