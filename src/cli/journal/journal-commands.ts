import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openExistingStore } from "../../audit/actors/store-folder.ts";
import { type JournalFork, journalFork, verifyStore } from "../../audit/journals/journal-check.ts";
import {
  exportJournal,
  importJournal,
  type JournalFile,
  journalCar,
  readJournalFile,
} from "../../audit/journals/journal-file.ts";
import { toHex } from "../../core/bytes.ts";
import { EXIT_CODES, IpdmError } from "../../core/errors.ts";
import { lastSeq } from "../../journal/entry.ts";
import type { StoredEntry } from "../../journal/port.ts";
import { loadOrMakeSeed, signerOf } from "../../node.ts";
import { openStore } from "../../runtime/runtime.ts";
import { writeWhole } from "../../sinks/atomic-file.ts";
import { bytesText, counted } from "../counted.ts";
import type { Terminal } from "../terminal.ts";

/** Flags of `journal export`. */
export interface ExportFlags {
  readonly dir: string;
  readonly sign?: boolean;
}

/** Flags of `journal import`. */
export interface ImportFlags {
  readonly dir: string;
}

/** Flags of `journal verify`. */
export interface VerifyFlags {
  readonly dir?: string;
}

/** Flags of `journal compact`. */
export interface CompactFlags {
  readonly dir: string;
  readonly keepCheckpoints?: string;
  readonly archive?: string;
}

/** `ipdm-runtime journal export`: an actor's journal as a CAR file. */
export async function exportCommand(
  actor: string,
  file: string,
  { dir, sign }: ExportFlags,
  terminal: Terminal,
): Promise<void> {
  await using store = await openExistingStore(dir);
  const signer = sign === true ? signerOf((await loadOrMakeSeed(join(dir, "key"))).seed) : undefined;
  const bytes = await exportJournal(store, actor, signer);
  await writeWhole(file, bytes);
  const told = toldOf(readJournalFile(bytes));
  if (terminal.options.json) terminal.json({ event: "exported", file, bytes: bytes.length, ...told });
  else terminal.print(`${file}: ${summary(told)}, ${bytesText(bytes.length)}`);
}

/** `ipdm-runtime journal import`: a journal from a CAR file into a store. */
export async function importCommand(file: string, { dir }: ImportFlags, terminal: Terminal): Promise<void> {
  const journal = readJournalFile(await bytesOf(file));
  await mkdir(dir, { recursive: true });
  await using store = await openStore(dir);
  const added = await importJournal(store, journal);
  const told = toldOf(journal);
  if (terminal.options.json) terminal.json({ event: "imported", file, added, ...told });
  else terminal.print(`${told.actor}: ${counted(added, "entry", "entries")} added of ${told.entries}`);
}

/** `ipdm-runtime journal verify`: checks files, or the journals of a store. Returns the exit code. */
export async function verifyCommand(
  files: readonly string[],
  { dir }: VerifyFlags,
  terminal: Terminal,
): Promise<number> {
  if (dir !== undefined) return await verifyDir(dir, files, terminal);
  if (files.length !== 1 && files.length !== 2)
    throw new IpdmError("USAGE", "journal verify takes one file, or two of one actor", {
      kind: "usage",
      hint: "ipdm-runtime journal verify a.car",
    });
  const journals: JournalFile[] = [];
  for (const file of files) {
    const journal = readJournalFile(await bytesOf(file));
    journals.push(journal);
    const told = toldOf(journal);
    if (terminal.options.json) terminal.json({ event: "journal", file, ...told });
    else terminal.print(`${file}: ${summary(told)}`);
  }
  const [a, b] = journals;
  const fork = a === undefined || b === undefined ? undefined : await journalFork(a, b);
  if (terminal.options.json) terminal.json({ event: "verified", ok: fork === undefined, ...fork });
  else if (fork !== undefined) for (const line of forkLines(fork)) terminal.print(line);
  else terminal.print(b === undefined ? "VERIFIED." : "VERIFIED: one continues the other, or they are the same.");
  return fork === undefined ? 0 : EXIT_CODES.verification;
}

/** `ipdm-runtime journal compact`. */
export async function compactCommand(flags: CompactFlags, terminal: Terminal): Promise<void> {
  const keepCheckpoints = flags.keepCheckpoints === undefined ? undefined : wholeNumber(flags.keepCheckpoints);
  if (flags.archive !== undefined && keepCheckpoints === undefined)
    throw new IpdmError("USAGE", "--archive needs --keep-checkpoints: nothing is dropped without it", {
      kind: "usage",
      hint: "add --keep-checkpoints 2",
    });
  await using store = await openExistingStore(flags.dir);
  const { archive: folder } = flags;
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const archive = async (actor: string, entries: readonly StoredEntry[]): Promise<void> => {
    if (folder === undefined) return;
    const newest = (entries.at(-1) as StoredEntry).cid.toString();
    await writeWhole(join(folder, `${newest}.car`), await journalCar(store, entries));
    terminal.say(`${actor}: ${counted(entries.length, "entry", "entries")} archived in ${newest}.car`);
  };
  const done = await store.compact({ ...(keepCheckpoints === undefined ? {} : { keepCheckpoints }), archive });
  if (terminal.options.json) terminal.json({ event: "compacted", ...done });
  else terminal.print(`${done.sealed} entries sealed in ${done.frames} frames, ${done.dropped} dropped`);
}

async function verifyDir(dir: string, actors: readonly string[], terminal: Terminal): Promise<number> {
  await using store = await openExistingStore(dir);
  let bad = 0;
  let journals = 0;
  for await (const { actor, entries, events, from, problem } of verifyStore(store, actors)) {
    journals += 1;
    if (problem !== undefined) bad += 1;
    const { code, message } = problem ?? {};
    if (terminal.options.json)
      terminal.json({
        event: "journal",
        actor,
        entries,
        events,
        from,
        ...(problem === undefined ? {} : { code, message }),
      });
    else if (problem !== undefined) terminal.print(`✗ ${actor}: ${code}: ${message}`);
    else terminal.print(`${actor}: ${events} events in ${entries} entries, from event ${from}`);
  }
  if (terminal.options.json) terminal.json({ event: "verified", ok: bad === 0, journals, bad });
  else terminal.print(bad === 0 ? `VERIFIED: ${counted(journals, "journal")}.` : `${bad} of ${journals} are damaged.`);
  return bad === 0 ? 0 : EXIT_CODES.verification;
}

interface Told {
  readonly actor: string;
  readonly head: string;
  readonly entries: number;
  readonly events: number;
  /** Numbers of the first and the last event. */
  readonly from: number;
  readonly to: number;
  readonly checkpoints: number;
  readonly signed: readonly { readonly key: string; readonly number: number; readonly seq: number }[];
}

function toldOf({ actor, entries, checkpoints, heads }: JournalFile): Told {
  const [first, last] = [entries[0] as StoredEntry, entries.at(-1) as StoredEntry];
  return {
    actor,
    head: last.cid.toString(),
    entries: entries.length,
    events: lastSeq(last.entry) - first.entry.seq + 1,
    from: first.entry.seq,
    to: lastSeq(last.entry),
    checkpoints,
    signed: heads.map(({ key, number, seq }) => ({ key: toHex(key), number, seq })),
  };
}

function summary({ actor, entries, from, to, checkpoints, signed }: Told): string {
  const by = signed.map(({ key, number }) => `, signed by ${key} as its number ${number}`).join("");
  return `${actor}, events ${from} to ${to} in ${counted(entries, "entry", "entries")}, ${counted(checkpoints, "checkpoint")}${by}`;
}

function* forkLines({ code, at, message, signedBy }: JournalFork): Generator<string> {
  yield `✗ ${code} at event ${at}: ${message}`;
  yield signedBy === undefined
    ? "Nobody has signed both, so this shows no one's fault."
    : `Both are signed by ${signedBy}: these two files prove it.`;
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new IpdmError("JOURNAL_FILE_UNREADABLE", `${file} cannot be read: ${(cause as Error).message}`, {
      kind: "usage",
      where: file,
      cause,
    });
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,6}$/.test(text) && value >= 1) return value;
  throw new IpdmError("USAGE", `--keep-checkpoints takes a number from 1 to 999999, not ${JSON.stringify(text)}`, {
    kind: "usage",
    hint: "--keep-checkpoints 2",
  });
}
