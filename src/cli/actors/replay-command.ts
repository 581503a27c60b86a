import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { givenMachines } from "../../audit/actors/given-machines.ts";
import { readable } from "../../audit/actors/readable.ts";
import {
  type ActorReplay,
  type ActorReplayReport,
  isJournalFile,
  replayActor,
  replayJournalFile,
} from "../../audit/actors/replay-actor.ts";
import { openExistingStore } from "../../audit/actors/store-folder.ts";
import { toHex } from "../../core/bytes.ts";
import { EXIT_CODES, hasCode, IpdmError } from "../../core/errors.ts";
import type { Terminal } from "../terminal.ts";
import { eventNumber } from "./tail-command.ts";

/** Flags of a replay of one journal. */
export interface JournalReplayFlags {
  readonly dir?: string;
  readonly machines?: string;
  readonly at?: string;
  readonly from?: string;
}

/** Whether `replay` is about a journal: an actor of a store, the CID of an entry, or a CAR file with a journal. */
export async function isJournal(what: string, flags: JournalReplayFlags): Promise<boolean> {
  if (flags.dir !== undefined || !existsSync(what)) return flags.dir !== undefined;
  try {
    return isJournalFile(new Uint8Array(await readFile(what)));
  } catch {
    return false; // what it is then is told by whoever reads receipts
  }
}

/** Refuses, as a mistake of usage, what is said of a journal where `what` is a receipt: it would change nothing. */
export function refuseJournalFlags(what: string, { at, from, machines }: JournalReplayFlags): void {
  const [flag] = Object.entries({ at, from, machines }).find(([, value]) => value !== undefined) ?? [];
  if (flag === undefined) return;
  throw new IpdmError("USAGE", `--${flag} is about a journal, and ${what} is none`, {
    kind: "usage",
    hint: "name an actor and its folder with --dir, or a CAR file with a journal",
  });
}

/** `ipdm-runtime replay` of a journal. Returns the exit code. */
export async function replayJournalCommand(
  what: string,
  flags: JournalReplayFlags,
  terminal: Terminal,
): Promise<number> {
  const machines = await givenMachines(flags.machines);
  const replay: ActorReplay = {
    machines,
    at: flags.at === undefined ? undefined : eventNumber("--at", flags.at),
    from: flags.from,
  };
  const report = await replayed(what, flags, replay);
  const { actor, machine, entries, transitions, states, final, state, signed, mismatches } = report;
  const [first] = mismatches;
  const ok = first === undefined;
  if (terminal.options.json) {
    terminal.json({
      event: "replayed",
      ok,
      actor,
      machine: machine === undefined ? undefined : `${machine.name}@${machine.version}`,
      entries,
      transitions,
      states,
      ...(final === undefined ? {} : { seq: final.seq, stateCid: final.state.toString() }),
      ...(state === undefined ? {} : { state: readable(state) }),
      ...(signed.length === 0
        ? {}
        : { signed: signed.map(({ key, number, seq }) => ({ key: toHex(key), number, seq })) }),
      mismatches: mismatches.length,
      ...(first === undefined
        ? {}
        : { code: first.code, seq: first.seq, message: first.message, expected: first.expected, found: first.found }),
    });
  } else for (const line of lines(report)) terminal.print(line);
  if (ok) return 0;
  return hasCode(first, "NEEDS_DATA") ? EXIT_CODES.unreachable : EXIT_CODES.verification;
}

async function replayed(what: string, flags: JournalReplayFlags, replay: ActorReplay): Promise<ActorReplayReport> {
  if (flags.dir === undefined) return await replayJournalFile(what, replay);
  await using store = await openExistingStore(flags.dir);
  return await replayActor(store, what, replay);
}

function* lines({
  actor,
  machine,
  entries,
  transitions,
  states,
  final,
  state,
  signed,
  mismatches,
}: ActorReplayReport): Generator<string> {
  if (actor !== undefined) yield `actor        ${actor}  (${machine?.name}@${machine?.version})`;
  yield `transitions  ${transitions} redone in ${entries} entries, ${states} states compared with checkpoints`;
  if (final !== undefined) yield `state        ${final.state.toString()} at event ${final.seq}`;
  for (const { key, number, seq } of signed)
    yield `signed       event ${seq}, by ${toHex(key)} as its number ${number}`;
  if (state !== undefined) yield JSON.stringify(readable(state));
  for (const { code, seq, message, expected, found } of mismatches) {
    yield `✗ ${code} at event ${seq}: ${message}`;
    yield `  expected ${JSON.stringify(expected)}`;
    yield `  found    ${JSON.stringify(found)}`;
  }
  yield mismatches.length === 0 ? "REPLAYED: everything came out the same." : "NOT THE SAME.";
}
