import { equalBytes } from "../../src/core/bytes.ts";
import { Chain } from "../../src/journal/continuity.ts";
import { decodeEntry } from "../../src/journal/entry.ts";
import { MemoryStore } from "../../src/journal/memory-store.ts";
import { sha256 } from "../../src/node.ts";
import { durable } from "../../src/runtime/durable-machine.ts";
import { replayJournal } from "../../src/runtime/replay-journal.ts";
import { createRuntime } from "../../src/runtime/runtime.ts";
import { type Measured, median, type Tell } from "../harness.ts";
import { eventOf, orderMachine } from "./workload.ts";

const EVENTS = 120_000;
/** What waits together for the disk becomes one entry, up to what an entry holds. */
const TOGETHER = 2048;

/** One actor's journal followed by a stranger: links and hashes alone, and every transition done again and compared. One core, everything in memory. */
export async function replay(rounds: number, tell: Tell): Promise<Measured> {
  const store = new MemoryStore({ hash: sha256 });
  const machine = durable(orderMachine);
  await using runtime = await createRuntime({ store, checkpointEvery: 1024 });
  const actor = await runtime.spawn(machine, { id: "order/0" });
  for (let at = 0; at < EVENTS; at += TOGETHER)
    await Promise.all(Array.from({ length: TOGETHER }, (_, event) => actor.send(eventOf(0, at + event))));
  const { blocks, journals } = store.image();
  const cids = journals.get("order/0") ?? [];
  const head = cids.at(-1);
  if (head === undefined) throw new Error("there is no journal");
  const chained: number[] = [];
  const replayed: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    let start = performance.now();
    const chain = new Chain("order/0");
    for (const cid of cids) {
      const bytes = blocks.get(cid.toString());
      if (bytes === undefined || !equalBytes(sha256(bytes), cid.multihash.digest)) throw new Error("another hash");
      const problem = chain.next({ cid, bytes, entry: decodeEntry({ cid, bytes }) });
      if (problem !== undefined) throw new Error(problem);
    }
    const total = chain.tip?.seq ?? 0;
    const chainRate = (total * 1000) / (performance.now() - start);
    start = performance.now();
    const report = replayJournal({
      head,
      block: (cid) => blocks.get(cid.toString()),
      hash: sha256,
      machines: [machine.spec],
    });
    const replayRate = (total * 1000) / (performance.now() - start);
    if (report.mismatches.length > 0 || report.final?.seq !== total) throw new Error("the replay found a difference");
    tell(
      `replay: ${Math.round(replayRate)} events/s, chain: ${Math.round(chainRate)} events/s${round === 0 ? " (cold)" : ""}`,
    );
    if (round === 0) continue;
    chained.push(chainRate);
    replayed.push(replayRate);
  }
  return {
    metrics: { replay_events_s: Math.round(median(replayed)), chain_events_s: Math.round(median(chained)) },
    notes: {
      replay_events_s: `every hash, encoding, link, transition, request and checkpoint; ${total(replayed)}`,
      chain_events_s: `hashes, links and numbers alone; ${total(chained)}`,
    },
  };
}

function total(values: readonly number[]): string {
  return `from ${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}; ${EVENTS} events`;
}
