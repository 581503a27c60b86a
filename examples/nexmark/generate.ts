// Writes persons.ndjson, auctions.ndjson and bids.ndjson: node examples/nexmark/generate.ts [events] [folder] [events a second]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nexmarkEvent, RATE_DEFAULT } from "./events.ts";

const EVENTS_DEFAULT = 100_000;

/** Writes the first `events` events into a folder. */
export async function writeEvents(events: number, folder: string, rate = RATE_DEFAULT): Promise<void> {
  const lines = { person: [] as string[], auction: [] as string[], bid: [] as string[] };
  for (let n = 0; n < events; n++) {
    const { kind, row } = nexmarkEvent(n, rate);
    lines[kind].push(JSON.stringify(row));
  }
  await mkdir(folder, { recursive: true });
  for (const [kind, each] of Object.entries(lines))
    await writeFile(join(folder, `${kind}s.ndjson`), `${each.join("\n")}\n`);
}

if (process.argv[1] === import.meta.filename) {
  const [events = String(EVENTS_DEFAULT), folder = join(import.meta.dirname, "data"), rate = RATE_DEFAULT] =
    process.argv.slice(2);
  await writeEvents(Number(events), folder, Number(rate));
}
