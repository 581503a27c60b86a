// Appends entries of one actor one after the other, and prints how many were acknowledged and the error that ended it.
import { LevelStore } from "../../../src/journal/level-store.ts";
import { resumeWriters } from "./resume-writers.ts";
import { sha256 } from "./seeded-store.ts";

const [path = "", count = "0"] = process.argv.slice(2);
const store = await LevelStore.open({ path, hash: sha256 });
const [writer] = await resumeWriters(store, ["a"]);
let acknowledged = 0;
const codes: unknown[] = [];
for (let at = 0; at < Number(count) && codes.length < 2; at++) {
  try {
    if (writer !== undefined) await store.append(writer.next([{ type: "n", at }]));
    acknowledged += 1;
  } catch (error) {
    codes.push((error as { code?: unknown }).code);
  }
}
process.stdout.write(`${JSON.stringify({ acknowledged, codes })}\n`);
