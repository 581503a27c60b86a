// Appends entries and blocks for ever, and writes one line for each that is acknowledged. With an even seed it also compacts, all the time.
// Arguments: folder, seed.
import { writeSync } from "node:fs";
import { rawBlock } from "../../../src/dag/block.ts";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { resumeWriters } from "./resume-writers.ts";
import { randomFrom, sha256 } from "./seeded-store.ts";

const [folder = "", seed = "1"] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const store = await LevelStore.open({ path: folder, hash: sha256, segmentBytes: 256 * 1024, aheadBytes: 16 * 1024 });
const writers = await resumeWriters(store, ["task/a", "task/b", "lake/1"]);

const acknowledge = (line: string): void => {
  writeSync(1, `${line}\n`);
};

await Promise.all([
  (async () => {
    while (Number(seed) % 2 === 0) await store.compact({ sealEntriesMin: 8 });
  })(),
  ...writers.map(async (writer) => {
    for (;;) {
      const append = writer.next([
        { type: "n", at: Math.floor(random() * 1e6), text: "x".repeat(Math.floor(random() * 200)) },
      ]);
      await store.append(append);
      acknowledge(`entry ${writer.actor} ${append.entry.seq} ${append.block.cid.toString()}`);
    }
  }),
  (async () => {
    for (;;) {
      const blocks = Array.from({ length: 3 }, () => {
        const bytes = new Uint8Array(1 + Math.floor(random() * 60_000)).fill(Math.floor(random() * 256));
        new DataView(bytes.buffer).setUint8(0, Math.floor(random() * 256));
        return rawBlock(sha256, bytes);
      });
      await store.blocks.putAll(blocks);
      for (const block of blocks) acknowledge(`block - - ${block.cid.toString()}`);
    }
  })(),
]);
