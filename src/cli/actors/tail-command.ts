import { readable } from "../../audit/actors/readable.ts";
import { openExistingStore } from "../../audit/actors/store-folder.ts";
import { IpdmError } from "../../core/errors.ts";
import { journalEvents } from "../../runtime/event-stream.ts";
import type { Terminal } from "../terminal.ts";

/** Events that are shown where nothing else is said. */
const LAST_EVENTS = 10;

/** Flags of `events tail`. */
export interface TailFlags {
  readonly dir: string;
  readonly from?: string;
}

/** `ipdm-runtime events tail`: the newest events of an actor, or all from a number on. */
export async function tailCommand(actor: string, flags: TailFlags, terminal: Terminal): Promise<void> {
  await using store = await openExistingStore(flags.dir);
  const head = await store.head(actor);
  if (head === undefined)
    throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, {
      kind: "usage",
      where: actor,
      hint: "`ipdm-runtime actors list` shows those that there are",
    });
  const from =
    flags.from === undefined
      ? Math.max(await store.kept(actor), head.seq - LAST_EVENTS + 1)
      : eventNumber("--from", flags.from);
  for await (const { seq, event, requests } of journalEvents(store, actor, from)) {
    if (terminal.options.json)
      terminal.json({ event: "event", seq, data: readable(event), requests: requests.map((each) => readable(each)) });
    else {
      terminal.print(`${seq}  ${JSON.stringify(readable(event))}`);
      for (const { id, type, params } of requests)
        terminal.print(`    → ${id}  ${type}  ${JSON.stringify(readable(params))}`);
    }
  }
}

/** A number of an event, from 1. Throws `USAGE`. */
export function eventNumber(flag: string, text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= 1) return number;
  throw new IpdmError("USAGE", `${flag} takes the number of an event, not ${text}`, {
    kind: "usage",
    hint: "events are counted from 1",
  });
}
