// node bench/journal/slow-subject.ts ours | sqliteEach: drives a subject with 64 actors, and prints how many events became durable a second.
import { ours } from "./ours.ts";
import { sqliteEach } from "./sqlite.ts";
import { drive, inFolder } from "./subject.ts";
import { eventsOf } from "./workload.ts";

const FLIGHT = 64;
const open = process.argv[2] === "ours" ? ours : sqliteEach;
await inFolder(async (folder) => {
  await using subject = await open(folder, FLIGHT);
  const { perSecond } = await drive(subject, eventsOf(FLIGHT, 600), [], { warmMs: 500, ms: 1500 });
  process.stdout.write(String(perSecond));
});
