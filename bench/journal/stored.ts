import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createRuntime, openStore } from "../../src/runtime/runtime.ts";
import { type Measured, measure, median, rounded, type Tell } from "../harness.ts";
import { inFolder } from "./subject.ts";
import { eventOf, orderMachine } from "./workload.ts";

const ACTORS = 10_000;
const EVENTS = 100;
const SINGLE_ACTORS = 1000;
const TOGETHER = 100;
const MILLION = 1_000_000;
const HOT = 10_000;

/** What a large store costs: until it is ready, on the disk, in memory. */
export async function stored(rounds: number, tell: Tell): Promise<Measured> {
  const metrics: Record<string, number> = {};
  const notes: Record<string, string> = {};
  await inFolder(async (folder) => {
    await fill(folder, ACTORS, true);
    tell(`${ACTORS * EVENTS} events are there: ${rounded((await bytesOf(folder)) / (ACTORS * EVENTS))} bytes an event`);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await recovered(folder));
    metrics["recovery_ms"] = Math.round(median(times));
    notes["recovery_ms"] =
      `until an event is durable, of ${ACTORS} actors with ${EVENTS} events each; ${times.map(Math.round).join(", ")}`;
    tell(`ready after ${metrics["recovery_ms"]} ms`);
    metrics["bytes_per_event"] = rounded((await compacted(folder)) / (ACTORS * EVENTS));
    notes["bytes_per_event"] =
      `after compaction, events of ${jsonBytes()} bytes as JSON, sent together, so many an entry`;
    tell(`${metrics["bytes_per_event"]} bytes an event after compaction`);
  });
  await inFolder(async (folder) => {
    await fill(folder, SINGLE_ACTORS, false);
    metrics["bytes_per_event_single"] = rounded((await compacted(folder)) / (SINGLE_ACTORS * EVENTS));
    notes["bytes_per_event_single"] = "the same with an entry for each event";
    tell(`${metrics["bytes_per_event_single"]} bytes an event where each is an entry`);
  });
  await inFolder(async (folder) => {
    const script = join(import.meta.dirname, "million.ts");
    await measure([script, folder, "fill", String(MILLION)]);
    tell(`${MILLION} actors are there`);
    const { rssMb } = await measure([script, folder, "touch", String(MILLION), String(HOT)]);
    metrics["rss_million_mb"] = Math.round(rssMb);
    notes["rss_million_mb"] =
      `most resident memory of a process with ${MILLION} actors in its store and ${HOT} in memory`;
  });
  return { metrics, notes };
}

async function fill(folder: string, actors: number, together: boolean): Promise<void> {
  await using runtime = await createRuntime({ dir: folder, machines: [orderMachine] });
  for (let from = 0; from < actors; from += TOGETHER) {
    await Promise.all(
      Array.from({ length: TOGETHER }, async (_, offset) => {
        const id = from + offset;
        const actor = await runtime.spawn(orderMachine, { id: `order/${id}` });
        const events = Array.from({ length: EVENTS }, (_event, at) => eventOf(id, at));
        if (together) await Promise.all(events.map((event) => actor.send(event)));
        else for (const event of events) await actor.send(event);
      }),
    );
  }
}

async function recovered(folder: string): Promise<number> {
  const start = performance.now();
  await using runtime = await createRuntime({ dir: folder, machines: [orderMachine] });
  await runtime.actor("order/17", orderMachine).send(eventOf(17, 0));
  return performance.now() - start;
}

async function compacted(folder: string): Promise<number> {
  const store = await openStore(folder);
  await store.compact();
  await store.close();
  return await bytesOf(folder);
}

async function bytesOf(folder: string): Promise<number> {
  let sum = 0;
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (item.isFile()) sum += (await stat(join(item.parentPath, item.name))).size;
  return sum;
}

function jsonBytes(): number {
  return Math.round(median(Array.from({ length: EVENTS }, (_, at) => JSON.stringify(eventOf(at, at)).length)));
}
