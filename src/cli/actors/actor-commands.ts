import { givenMachines } from "../../audit/actors/given-machines.ts";
import { listActors, retryActor, type ShownActor, showActor } from "../../audit/actors/inspection.ts";
import { readable } from "../../audit/actors/readable.ts";
import { openExistingStore } from "../../audit/actors/store-folder.ts";
import type { Terminal } from "../terminal.ts";

/** Flags that say where a store is, and of which machines its actors are. */
export interface StoreFlags {
  readonly dir: string;
  readonly machines?: string;
}

/** `ipdm-runtime actors list`: every actor of a store. */
export async function listCommand({ dir }: StoreFlags, terminal: Terminal): Promise<void> {
  await using store = await openExistingStore(dir);
  let actors = 0;
  for await (const { actor, machine, events, wake, quarantined } of listActors(store)) {
    actors += 1;
    if (terminal.options.json) {
      const due = wake === undefined ? {} : { wake };
      terminal.json({
        event: "actor",
        actor,
        machine,
        events,
        ...due,
        ...(quarantined === undefined ? {} : { quarantined: quarantined.code }),
      });
      continue;
    }
    const next = wake === undefined ? "rests" : wake === 0 ? "has work" : `wakes ${new Date(wake).toISOString()}`;
    terminal.print(
      `${actor}  ${machine}  ${events} events  ${quarantined === undefined ? next : `left alone: ${quarantined.code}`}`,
    );
  }
  if (terminal.options.json) terminal.json({ event: "actors", actors });
  else if (actors === 0) terminal.print("no actors");
}

/** `ipdm-runtime actors show`: an actor's state and open requests. */
export async function showCommand(actor: string, flags: StoreFlags, terminal: Terminal): Promise<void> {
  const machines = await givenMachines(flags.machines);
  await using store = await openExistingStore(flags.dir);
  const shown = await showActor(store, machines, actor);
  if (terminal.options.json) {
    const { state, open, quarantined, ...rest } = shown;
    const requests = open.map(({ id, type, params, attempts, waits }) => ({
      id,
      type,
      params: readable(params),
      waits,
      ...(attempts === undefined ? {} : { attempts: attempts.failed, error: readable(attempts.error) }),
      ...(attempts?.due === undefined ? {} : { due: attempts.due }),
    }));
    const alone =
      quarantined === undefined ? {} : { quarantined: { code: quarantined.code, message: quarantined.message } };
    terminal.json({ event: "actor", ...rest, state: readable(state), open: requests, ...alone });
  } else for (const line of shownLines(shown)) terminal.print(line);
}

/** `ipdm-runtime actors retry`: dead requests are tried again at the next start. */
export async function retryCommand(
  actor: string,
  request: string | undefined,
  flags: StoreFlags,
  terminal: Terminal,
): Promise<void> {
  const machines = await givenMachines(flags.machines);
  await using store = await openExistingStore(flags.dir);
  const { requests, released } = await retryActor(store, machines, actor, request);
  if (terminal.options.json) terminal.json({ event: "retried", actor, requests, released });
  else {
    for (const id of requests) terminal.print(`${id} is tried again when the runtime starts`);
    if (released) terminal.print(`${actor} runs again when the runtime starts`);
    if (requests.length === 0 && !released) terminal.print(`nothing of ${actor} waits for a person`);
  }
}

function* shownLines({
  actor,
  machine,
  events,
  head,
  state,
  open,
  children,
  quarantined,
}: ShownActor): Generator<string> {
  yield `actor     ${actor}  (${machine}, ${events} events)`;
  yield `head      ${head}`;
  yield `status    ${state.status}`;
  yield `value     ${JSON.stringify(readable(state.value))}`;
  yield `context   ${JSON.stringify(readable(state.context))}`;
  if (state.output !== undefined) yield `output    ${JSON.stringify(readable(state.output))}`;
  if (state.error !== undefined) yield `error     ${JSON.stringify(readable(state.error))}`;
  for (const [id, child] of Object.entries(children)) yield `child     ${id}: ${child}`;
  for (const { id, type, params, attempts, waits } of open) {
    const tried =
      attempts === undefined ? "" : ` after ${attempts.failed} failed: ${JSON.stringify(readable(attempts.error))}`;
    yield `open      ${id}  ${type}  ${JSON.stringify(readable(params))}`;
    yield `          waits for ${waits === "person" ? "a person (actors retry)" : waits}${tried}`;
  }
  if (quarantined !== undefined) yield `left alone: ${quarantined.code}: ${quarantined.message}`;
}
