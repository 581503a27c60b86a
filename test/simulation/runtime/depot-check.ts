import type { AnyStateMachine } from "xstate";
import type { Store, StoredEntry } from "../../../src/journal/port.ts";
import type { DurableSnapshot } from "../../../src/runtime/durable-actor.ts";
import type { MachineSpec } from "../../../src/runtime/machine.ts";
import { replayJournal } from "../../../src/runtime/replay-journal.ts";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";
import { settle, VirtualClock } from "../../support/virtual-clock.ts";
import { calmDepot, type DepotContext, type DepotEvent, KID_TICKS } from "./depot-machine.ts";

interface Plain {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The state of an actor, without what differs from run to run: when its parent made it. */
export function stateLine(
  id: string,
  { status, value, context, output }: Pick<DurableSnapshot<AnyStateMachine>, "status" | "value" | "context" | "output">,
): readonly [name: string, state: string] {
  return [id.replaceAll(/@\d+\.\d+/g, ""), JSON.stringify({ status, value, context, output })];
}

/** The states of all actors when a runtime that nothing happens to is sent the events that the journals of a store hold, in their order. */
async function unharmedStates(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const clock = new VirtualClock();
  await using runtime = await createRuntime({ clock, machines: [calmDepot] });
  for (const id of ids) {
    const actor = await runtime.spawn(calmDepot, { id });
    const sent = eventsOf(await entriesOf(store, id)).filter(({ n }) => typeof n === "number");
    await Promise.all(sent.map((event) => actor.send(event as unknown as DepotEvent)));
  }
  await settle();
  while (clock.next !== undefined) await clock.advance(clock.next - clock.now());
  const states = (await runtime.actors()).map(async (id) => stateLine(id, await runtime.actor(id).snapshot()));
  return new Map(await Promise.all(states));
}

/** What somebody outside knows of a depot. */
export interface Known {
  /** Its context, when everything has come to rest. */
  readonly found: DepotContext | undefined;
  /** Numbers of events whose `send` resolved. */
  readonly acknowledged: readonly number[];
  /** Requests that were carried out. */
  readonly shipments: { has(request: string): boolean };
}

/** A replay repeats the journal; a timer ran out once, a message was taken once, and in order. Gives what is not so. */
export async function replayProblems(
  store: Store,
  machines: readonly MachineSpec[],
  id: string,
): Promise<readonly string[]> {
  const blocks = new Map<string, Uint8Array>();
  const entries = await entriesOf(store, id);
  for (const { cid, bytes, entry } of entries) {
    blocks.set(cid.toString(), bytes);
    if (entry.checkpoint === undefined) continue;
    const checkpoint = await store.blocks.get(entry.checkpoint);
    if (checkpoint !== undefined) blocks.set(entry.checkpoint.toString(), checkpoint);
  }
  const head = entries.at(-1)?.cid;
  if (head === undefined) return [`${id} has no journal`];
  const block = (cid: { toString(): string }): Uint8Array | undefined => blocks.get(cid.toString());
  const report = replayJournal({ head, block, hash: sha256, machines, actor: id });
  const problems = report.mismatches.map(({ code, seq, message }) => `${id} at ${seq}: ${code} ${message}`);
  const taken = new Map<string, number>();
  const places = new Map<string, number>();
  for (const { type, request, from, id: message } of eventsOf(entries)) {
    if (type === "ipdm.fired") count(taken, `timer ${String(request)}`);
    if (type !== "ipdm.message") continue;
    count(taken, `message ${String(message)}`);
    const place = orderOf(String(message));
    if (place <= (places.get(String(from)) ?? 0)) problems.push(`${id}: message ${String(message)} after a later one`);
    places.set(String(from), place);
  }
  for (const [what, times] of taken) if (times !== 1) problems.push(`${id}: ${what} taken ${times} times`);
  return problems;
}

/** Everything acknowledged is in the journal, and everything there had its effect, once. Gives what is not so. */
export async function depotProblems(store: Store, id: string, known: Known): Promise<readonly string[]> {
  const entries = await entriesOf(store, id);
  const events = eventsOf(entries);
  const problems: string[] = [];
  const numbers = new Set(events.map(({ n }) => n));
  for (const n of known.acknowledged) if (!numbers.has(n)) problems.push(`${id}: event ${n} was lost`);
  const times = (type: string): number => events.filter((each) => each.type === type).length;
  const odd = events.filter(({ type, n }) => type === "job" && Number(n) % 4 === 0).length;
  const expected: DepotContext = {
    shipped: times("ship"),
    late: times("wait"),
    jobs: times("job") - odd,
    failed: odd,
    ticks: times("kid") * KID_TICKS,
    kids: times("kid"),
  };
  const keys = Object.keys(expected).sort();
  if (JSON.stringify(known.found, keys) !== JSON.stringify(expected, keys))
    problems.push(`${id}: ${JSON.stringify(known.found)} instead of ${JSON.stringify(expected)}`);
  for (const { entry } of entries)
    for (const { id: request, type } of entry.requests)
      if (type === "ship" && !known.shipments.has(request)) problems.push(`${id}: ${request} was never carried out`);
  return problems;
}

/** What states differ from those of an unharmed run. */
export async function stateProblems(
  store: Store,
  ids: readonly string[],
  found: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const expected = await unharmedStates(store, ids);
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names]
    .filter((name) => expected.get(name) !== found.get(name))
    .map((name) => `${name}: ${found.get(name)} instead of ${expected.get(name)} of an unharmed run`);
}

async function entriesOf(store: Store, id: string): Promise<readonly StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for await (const entry of store.entries(id)) entries.push(entry);
  return entries;
}

function eventsOf(entries: readonly StoredEntry[]): readonly Plain[] {
  return entries.flatMap(({ entry }) => entry.events as unknown as readonly Plain[]);
}

function orderOf(request: string): number {
  const parts = request.split(":");
  return Number(parts.at(-2)) * 1_000_000 + Number(parts.at(-1));
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
