import type { CID } from "multiformats/cid";
import { hasCode, IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import {
  type ActorState,
  type Checkpoint,
  decodeCheckpoint,
  decodeState,
  type MachineIdentity,
} from "../journal/checkpoint.ts";
import { decodeEntry, lastSeq } from "../journal/entry.ts";
import type { JournalEntry, JournalHead, RequestRecord, Store } from "../journal/port.ts";
import { type SkipPoint, skipPointAfter } from "../journal/skip.ts";
import { parseInitEvent, parseMigration } from "./kernel-event.ts";
import { type Machine, sameMachine } from "./machine.ts";
import { Progress } from "./progress.ts";
import { compareRequests, nonDeterminism } from "./request.ts";

/** Finds the machine that a journal names; throws `MACHINE_VERSION_MISSING`. */
export type MachineFinder = (actor: string, identity: MachineIdentity) => Machine;

/** An actor brought back, and the number of the event that its newest valid checkpoint was taken at (0 for none). */
export interface Recovered {
  readonly progress: Progress;
  readonly checkpointSeq: number;
  /** The newest entry that skip links count from. */
  readonly point: SkipPoint | undefined;
  /** Checkpoints that could not be read and were passed over. */
  readonly skipped: readonly CID[];
}

/**
 * Brings an actor back: newest valid checkpoint, then the entries after it. The requests of every replayed entry are compared
 * with those it records. Throws `NON_DETERMINISM`, `MACHINE_VERSION_MISSING`, `JOURNAL_CORRUPT`.
 */
export async function recoverActor(store: Store, head: JournalHead, machineFor: MachineFinder): Promise<Recovered> {
  const { actor } = head.entry;
  const tail: JournalEntry[] = [];
  const skipped: CID[] = [];
  let entry: JournalEntry = head.entry;
  let { cid } = head;
  let point: SkipPoint | undefined;
  for (;;) {
    point ??= skipPointAfter(undefined, { cid, entry });
    if (entry.checkpoint !== undefined) {
      const found = await readCheckpoint(store, entry, entry.checkpoint);
      if (found !== undefined) {
        const progress = Progress.restore(machineFor(actor, found.checkpoint.machine), found.checkpoint, found.state);
        for (const each of tail.reverse()) replayEntry(progress, each, machineFor);
        return { progress, checkpointSeq: found.checkpoint.seq, point, skipped };
      }
      skipped.push(entry.checkpoint);
    }
    if (entry.prev === null) break;
    tail.push(entry);
    cid = entry.prev;
    entry = await previousEntry(store, entry, cid);
  }
  const progress = beginEntry(entry, machineFor);
  for (const each of tail.reverse()) replayEntry(progress, each, machineFor);
  return { progress, checkpointSeq: 0, point, skipped };
}

/** Replays the first entry of a journal. Throws `JOURNAL_CORRUPT` where it does not begin with an init event, and as {@link recoverActor}. */
export function beginEntry(entry: JournalEntry, machineFor: MachineFinder, compared = true): Progress {
  const init = parseInitEvent(entry.events[0]);
  if (init === undefined) {
    throw new IpdmError("JOURNAL_CORRUPT", `the journal of ${entry.actor} does not begin with its machine and input`, {
      where: entry.actor,
    });
  }
  const machine = machineFor(entry.actor, init.machine);
  if (!sameMachine(machine.identity, init.machine)) {
    throw nonDeterminism(entry.actor, machine.label, {
      seq: 1,
      expected: { definition: init.machine.definition.toString() },
      found: { definition: machine.identity.definition.toString() },
    });
  }
  const begun = orNonDeterminism(entry.actor, machine, 1, () =>
    Progress.begin(machine, entry.actor, init.input, { at: init.at, parent: init.parent }),
  );
  replayEvents(begun.progress, entry, { events: entry.events.slice(1), before: begun.requests, compared }, machineFor);
  return begun.progress;
}

/**
 * Replays an entry that continues `progress`. `compared` says whether its requests are. Throws `NON_DETERMINISM`,
 * `MACHINE_VERSION_MISSING`.
 */
export function replayEntry(progress: Progress, entry: JournalEntry, machineFor: MachineFinder, compared = true): void {
  replayEvents(progress, entry, { events: entry.events, before: [], compared }, machineFor);
}

function replayEvents(
  progress: Progress,
  entry: JournalEntry,
  {
    events,
    before,
    compared,
  }: { readonly events: readonly Ipld[]; readonly before: readonly RequestRecord[]; readonly compared: boolean },
  machineFor: MachineFinder,
): void {
  const derived: RequestRecord[] = [...before];
  for (const event of events) {
    const migration = parseMigration(event);
    if (migration !== undefined) progress.migrate(machineFor(progress.actor, migration.machine), migration.state);
    else
      derived.push(
        ...orNonDeterminism(progress.actor, progress.machine, progress.seq + 1, () => progress.apply(event)),
      );
  }
  progress.takeCancelled();
  if (!compared) return;
  const difference = compareRequests(entry.requests, derived);
  if (difference !== undefined) throw nonDeterminism(progress.actor, progress.machine.label, difference);
}

// A journalled event did not throw when it was journalled, so throwing now is a difference.
function orNonDeterminism<T>(actor: string, machine: Machine, seq: number, replay: () => T): T {
  try {
    return replay();
  } catch (error) {
    if (hasCode(error, "NON_DETERMINISM")) throw error;
    const found = error instanceof IpdmError ? `${error.code}: ${error.message}` : String(error);
    throw nonDeterminism(actor, machine.label, { seq, expected: "a state", found });
  }
}

/** The first entry of an actor's journal, which is kept whatever else was dropped. Throws `JOURNAL_CORRUPT`. */
export async function firstEntry(store: Store, actor: string): Promise<JournalEntry> {
  const first = await store.first(actor);
  if (first !== undefined) return first.entry;
  throw new IpdmError("JOURNAL_CORRUPT", `the journal of ${actor} is empty`, { where: actor });
}

async function previousEntry(store: Store, entry: JournalEntry, prev: CID): Promise<JournalEntry> {
  const bytes = await store.blocks.get(prev);
  const before = bytes === undefined ? undefined : decodeEntry({ cid: prev, bytes });
  if (before === undefined || before.actor !== entry.actor || lastSeq(before) !== entry.seq - 1) {
    throw new IpdmError(
      "JOURNAL_CORRUPT",
      `the journal of ${entry.actor}: the entry before event ${entry.seq} is missing or another one`,
      {
        where: prev.toString(),
        facts: { actor: entry.actor, seq: entry.seq, prev: prev.toString() },
      },
    );
  }
  return before;
}

async function readCheckpoint(
  store: Store,
  entry: JournalEntry,
  cid: CID,
): Promise<{ checkpoint: Checkpoint; state: ActorState } | undefined> {
  try {
    const bytes = await store.blocks.get(cid);
    if (bytes === undefined) return undefined;
    const checkpoint = decodeCheckpoint({ cid, bytes });
    if (checkpoint.actor !== entry.actor || checkpoint.seq !== lastSeq(entry)) return undefined;
    const state = await store.blocks.get(checkpoint.state);
    return state === undefined
      ? undefined
      : { checkpoint, state: decodeState({ cid: checkpoint.state, bytes: state }) };
  } catch (error) {
    // A checkpoint only saves time: an older one, or the first entry, does as well.
    const unreadable = ["JOURNAL_CORRUPT", "CHECKPOINT_MALFORMED", "DAG_MALFORMED"].some((code) =>
      hasCode(error, code),
    );
    if (unreadable) return undefined;
    throw error;
  }
}
