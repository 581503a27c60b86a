import { IpdmError } from "../../core/errors.ts";
import type { ActorState } from "../../journal/checkpoint.ts";
import { encodeEntry } from "../../journal/entry.ts";
import type { JournalEntry, JournalHead, RequestRecord, Store } from "../../journal/port.ts";
import { sha256 } from "../../node.ts";
import type { Attempts } from "../../runtime/bookkeeping.ts";
import { parseInitEvent, revivedEvent } from "../../runtime/kernel-event.ts";
import { Machine, type MachineSpec, sameMachine } from "../../runtime/machine.ts";
import type { Progress } from "../../runtime/progress.ts";
import { Quarantine, type Quarantined, readQuarantine } from "../../runtime/quarantine.ts";
import { firstEntry, recoverActor } from "../../runtime/recovery.ts";
import { nonDeterminism, requestNotDead } from "../../runtime/request.ts";
import { systemEntropy, wallClock } from "../../runtime/wall-clock.ts";

/** An actor, as a list shows it. */
export interface ListedActor {
  readonly actor: string;
  /** `name@version` of the machine that it was born with. */
  readonly machine: string;
  /** Number of its newest event. */
  readonly events: number;
  /** When it has something to do by itself: milliseconds since 1970, 0 for at once. */
  readonly wake: number | undefined;
  readonly quarantined: Quarantined | undefined;
}

/** An actor, looked at closely. */
export interface ShownActor {
  readonly actor: string;
  readonly machine: string;
  readonly events: number;
  readonly head: string;
  readonly state: ActorState;
  readonly open: readonly (RequestRecord & { readonly attempts: Attempts | undefined; readonly waits: Waits })[];
  readonly children: Readonly<Record<string, string>>;
  readonly quarantined: Quarantined | undefined;
}

/** What an open request waits for: to be carried out, for its time, or for a person. */
export type Waits = "work" | "time" | "person";

/** The actors of a store, by id. Needs no machine. */
export async function* listActors(store: Store): AsyncGenerator<ListedActor> {
  const quarantine = new Map((await readQuarantine(store.meta)).map((each) => [each.actor, each]));
  const wakes = new Map((await store.wakes()).map(({ actor, at }) => [actor, at]));
  for (const actor of await store.actors()) {
    const head = await store.head(actor);
    const machine = parseInitEvent((await firstEntry(store, actor)).events[0])?.machine;
    yield {
      actor,
      machine: machine === undefined ? "unknown" : `${machine.name}@${machine.version}`,
      events: head?.seq ?? 0,
      wake: wakes.get(actor),
      quarantined: quarantine.get(actor),
    };
  }
}

/** An actor's state and open requests, by its machine; nothing is carried out. Throws `ACTOR_UNKNOWN`, and as {@link recoverActor}. */
export async function showActor(store: Store, machines: readonly MachineSpec[], actor: string): Promise<ShownActor> {
  const head = await headOf(store, actor);
  const progress = await recovered(store, machines, head);
  const { pending, books, machine, snapshot, seq } = progress;
  const children = [...books.children].flatMap(([id, place]) => ("actor" in place ? [[id, place.actor] as const] : []));
  return {
    actor,
    machine: machine.label,
    events: seq,
    head: head.cid.toString(),
    state: machine.stateOf(snapshot),
    open: [...pending.values()].map((request) => ({
      ...request,
      attempts: books.attempts.get(request.id),
      waits: waitsOf(progress, request),
    })),
    children: Object.fromEntries(children),
    quarantined: (await readQuarantine(store.meta)).find((each) => each.actor === actor),
  };
}

/**
 * Lets an actor's dead requests, or one of them, be tried again at the next start of its runtime, and the actor itself where it is
 * quarantined. Gives the requests. Throws `REQUEST_NOT_DEAD`, `ACTOR_UNKNOWN`, and as {@link recoverActor}.
 */
export async function retryActor(
  store: Store,
  machines: readonly MachineSpec[],
  actor: string,
  request: string | undefined,
): Promise<{ readonly requests: readonly string[]; readonly released: boolean }> {
  const head = await headOf(store, actor);
  const quarantine = await Quarantine.open(store.meta, wallClock, systemEntropy);
  const released = quarantine.has(actor);
  await quarantine.release(actor);
  const progress = await recovered(store, machines, head);
  const dead = [...progress.pending.values()]
    .filter((each) => waitsOf(progress, each) === "person")
    .map(({ id }) => id);
  const requests = request === undefined ? dead : dead.filter((id) => id === request);
  if (request !== undefined && requests.length === 0) throw requestNotDead(request);
  if (requests.length > 0) {
    const events = requests.map(revivedEvent);
    const entry: JournalEntry = { v: 1, actor, seq: head.seq + 1, prev: head.cid, events, requests: [] };
    await store.append({ entry, block: encodeEntry(sha256, entry), wake: 0 });
  }
  return { requests, released };
}

async function headOf(store: Store, actor: string): Promise<JournalHead> {
  const head = await store.head(actor);
  if (head !== undefined) return head;
  throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, {
    kind: "usage",
    where: actor,
    hint: "`ipdm-runtime actors list` shows those that there are",
  });
}

async function recovered(store: Store, machines: readonly MachineSpec[], head: JournalHead): Promise<Progress> {
  const { progress } = await recoverActor(store, head, (actor, identity) => {
    const label = `${identity.name}@${identity.version}`;
    const spec = machines.find(({ name, version }) => name === identity.name && version === identity.version);
    if (spec === undefined)
      throw new IpdmError(
        "MACHINE_VERSION_MISSING",
        `actor ${actor} was journalled by machine ${label}, which is not here`,
        {
          where: actor,
          hint: "name the module that exports it with --machines",
        },
      );
    const machine = new Machine(sha256, spec);
    if (sameMachine(machine.identity, identity)) return machine;
    const expected = { definition: identity.definition.toString() };
    throw nonDeterminism(actor, label, {
      seq: 1,
      expected,
      found: { definition: machine.identity.definition.toString() },
    });
  });
  return progress;
}

function waitsOf({ books }: Progress, request: RequestRecord): Waits {
  const attempts = books.attempts.get(request.id);
  if (attempts !== undefined) return attempts.due === undefined ? "person" : "time";
  return request.type === "ipdm.after" || request.type === "ipdm.restarted" ? "time" : "work";
}
