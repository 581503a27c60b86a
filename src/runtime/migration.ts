import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import { encodeEntry } from "../journal/entry.ts";
import type { JournalEntry, Store } from "../journal/port.ts";
import type { ActorStart } from "./entry-writer.ts";
import { migratedEvent } from "./kernel-event.ts";
import type { Machine, MachineSpec } from "./machine.ts";
import { plainOf } from "./plain-data.ts";

/** Whether an actor of this machine is to become one of another: of the same name and a higher version that says how. */
export function migrates(from: Machine, to: MachineSpec | undefined): to is MachineSpec {
  const { name, version } = from.identity;
  return to?.name === name && version < to.version && to.migrations?.[version] !== undefined;
}

/**
 * Makes an actor one of a newer machine, by an event of its journal that holds the new state: a replay needs the code of both machines,
 * and not that of the migration. Throws `MIGRATION_FAILED`, and then the actor is as it was.
 */
export async function migrateActor(store: Store, hash: Hash, machine: Machine, start: ActorStart): Promise<ActorStart> {
  const { progress } = start;
  const { actor } = progress;
  const seq = progress.seq + 1;
  const state = newState(actor, machine, start);
  const events = [migratedEvent(machine.identity, state)];
  const entry: JournalEntry = { v: 1, actor, seq, prev: start.head, events, requests: [] };
  const block = encodeEntry(hash, entry);
  await store.append({ entry, block });
  return { ...start, head: block.cid };
}

function newState(
  actor: string,
  machine: Machine,
  { progress }: ActorStart,
): { readonly value: Ipld; readonly context: Ipld } {
  const before = progress.machine;
  try {
    const made = machine.spec.migrations?.[before.identity.version]?.(before.stateOf(progress.snapshot));
    const plain = plainOf({ value: made?.value, context: made?.context });
    if (!plain.ok) throw new TypeError(`the new state holds ${plain.reason} at ${plain.path}`);
    const state = plain.value as { readonly value: Ipld; readonly context: Ipld };
    progress.migrate(machine, state);
    return state;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new IpdmError("MIGRATION_FAILED", `actor ${actor} cannot become one of ${machine.label}: ${message}`, {
      where: actor,
      hint: "correct the migration; the actor is as it was",
      cause,
    });
  }
}
