import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import { decodeBlock, decodeStrict } from "../dag/block.ts";
import { decodeCheckpoint, decodeState, type MachineIdentity, stateBlock } from "../journal/checkpoint.ts";
import { Chain } from "../journal/continuity.ts";
import { entryOf, lastSeq } from "../journal/entry.ts";
import type { JournalEntry, StoredEntry } from "../journal/port.ts";
import { isMarker, parseInitEvent } from "./kernel-event.ts";
import { Machine, sameMachine } from "./machine.ts";
import { Progress } from "./progress.ts";
import { beginEntry, replayEntry } from "./recovery.ts";
import type { JournalReplay, JournalReplayReport, ReplayMismatch } from "./replay-report.ts";
import { compareRequests } from "./request.ts";

/** Entries that one replay follows at most. */
export const REPLAY_ENTRIES_MAX = 4_000_000;

/** Events whose entries a replay keeps decoded between the way back and the way forth; entries beyond are decoded again. */
const KEPT_EVENTS_MAX = 200_000;

/** Redoes a journal by transitions alone and compares requests and checkpoints with what it records. Executes no effect; never throws for bad input. */
export function replayJournal(replay: JournalReplay): JournalReplayReport {
  const audit = new Audit(replay);
  try {
    audit.run();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return audit.report();
}

class Stop extends Error {}

class Audit {
  readonly #replay: JournalReplay;
  readonly #mismatches: ReplayMismatch[] = [];
  #progress: Progress | undefined;
  #entries = 0;
  /** Entries as they were read on the way back. */
  readonly #kept = new Map<CID, StoredEntry>();
  #keptEvents = 0;
  #states = 0;
  #markers = 0;

  constructor(replay: JournalReplay) {
    this.#replay = replay;
  }

  run(): void {
    const { at = Number.POSITIVE_INFINITY, from, actor } = this.#replay;
    const cids = this.#path();
    let chain: Chain | undefined;
    for (const cid of cids.reverse()) {
      // Bytes and encoding were checked on the way back.
      const stored = this.#read(cid, false);
      const { entry } = stored;
      if (chain === undefined && from !== undefined) {
        chain = new Chain(actor ?? entry.actor, { cid, seq: lastSeq(entry) });
        this.#begin(entry, from);
        continue;
      }
      chain ??= new Chain(actor ?? entry.actor);
      const problem = chain.next(stored);
      if (problem !== undefined) this.#stop("JOURNAL_CORRUPT", entry.seq, problem, "a continued journal", problem);
      if (entry.seq > at) break;
      this.#entries += 1;
      if (lastSeq(entry) > at) {
        this.#replayPart(entry, at);
        break;
      }
      this.#replayEntry(entry);
    }
    const reached = this.#progress?.seq ?? 0;
    if (at !== Number.POSITIVE_INFINITY && reached !== at)
      this.#stop("NEEDS_DATA", at, `the journal does not hold event ${at}`, at, reached);
  }

  report(): JournalReplayReport {
    const progress = this.#progress;
    return {
      actor: progress?.actor,
      machine: progress?.machine.identity,
      entries: this.#entries,
      transitions: progress === undefined ? 0 : progress.seq - this.#markers,
      states: this.#states,
      final: progress === undefined ? undefined : { seq: progress.seq, state: this.#stateCid(progress) },
      ...(progress === undefined || this.#replay.at === undefined
        ? {}
        : { state: progress.machine.stateOf(progress.snapshot) }),
      mismatches: this.#mismatches,
    };
  }

  /** CIDs from the newest entry to the first, or to the one with the checkpoint to begin at. */
  #path(): CID[] {
    const { from } = this.#replay;
    const cids: CID[] = [];
    for (let at: CID | null = this.#replay.head; at !== null; ) {
      cids.push(at);
      const { entry } = this.#read(at, true);
      if (from !== undefined && entry.checkpoint?.equals(from) === true) return cids;
      at = entry.prev;
      if (cids.length > REPLAY_ENTRIES_MAX)
        this.#stop("JOURNAL_CORRUPT", 0, "too many entries", REPLAY_ENTRIES_MAX, cids.length);
    }
    if (from !== undefined)
      this.#stop("NEEDS_DATA", 0, "the journal has no such checkpoint", from.toString(), cids.length);
    return cids;
  }

  #begin(entry: JournalEntry, from: CID): void {
    try {
      const checkpoint = decodeCheckpoint(this.#block(from));
      const state = decodeState(this.#block(checkpoint.state));
      const isOurs = checkpoint.actor === entry.actor && checkpoint.seq === lastSeq(entry);
      if (!isOurs)
        this.#stop("STATE_MISMATCH", entry.seq, "the checkpoint is of another event", lastSeq(entry), checkpoint.seq);
      this.#progress = Progress.restore(this.#machine(checkpoint.machine), checkpoint, state);
      this.#markers = checkpoint.seq;
    } catch (error) {
      if (!(error instanceof IpdmError)) throw error;
      this.#stop("JOURNAL_CORRUPT", entry.seq, error.message, from.toString(), error.code);
    }
  }

  #block(cid: CID): { readonly cid: CID; readonly bytes: Uint8Array } {
    const bytes = this.#replay.block(cid);
    if (bytes === undefined) this.#stop("NEEDS_DATA", 0, `block ${cid.toString()} is not there`, cid.toString(), null);
    decodeStrict(this.#replay.hash, { cid, bytes });
    return { cid, bytes };
  }

  #read(cid: CID, check: boolean): StoredEntry {
    const kept = this.#kept.get(cid);
    if (kept !== undefined) {
      this.#kept.delete(cid);
      return kept;
    }
    const bytes = this.#replay.block(cid);
    if (bytes === undefined) this.#stop("NEEDS_DATA", 0, `entry ${cid.toString()} is not there`, cid.toString(), null);
    try {
      const node = check ? decodeStrict(this.#replay.hash, { cid, bytes }) : decodeBlock({ cid, bytes });
      const stored = { cid, bytes, entry: entryOf(cid, node) };
      if (check && this.#keptEvents < KEPT_EVENTS_MAX) {
        this.#kept.set(cid, stored);
        this.#keptEvents += stored.entry.events.length;
      }
      return stored;
    } catch (error) {
      return this.#stop(
        "JOURNAL_CORRUPT",
        0,
        (error as Error).message,
        cid.toString(),
        (error as IpdmError).code ?? null,
      );
    }
  }

  /** The first events of an entry; what they ask for is not compared, since the entry says only what all of its events ask for. */
  #replayPart(entry: JournalEntry, at: number): void {
    const part = { ...entry, events: entry.events.slice(0, at - entry.seq + 1) };
    this.#redo(() => {
      if (this.#progress === undefined)
        this.#progress = beginEntry(part, (_, identity) => this.#machine(identity), false);
      else replayEntry(this.#progress, part, (_, identity) => this.#machine(identity), false);
    }, part);
  }

  #replayEntry(entry: JournalEntry): void {
    this.#redo(() => {
      if (this.#progress === undefined) {
        this.#checkInput(entry);
        this.#progress = beginEntry(entry, (_, identity) => this.#machine(identity));
      } else {
        replayEntry(this.#progress, entry, (_, identity) => this.#machine(identity));
      }
    }, entry);
    if (entry.checkpoint !== undefined && this.#progress !== undefined)
      this.#checkCheckpoint(this.#progress, entry.checkpoint);
  }

  #redo(redo: () => void, entry: JournalEntry): void {
    try {
      redo();
    } catch (error) {
      if (!(error instanceof IpdmError)) throw error;
      const {
        seq = entry.seq,
        expected = null,
        found = null,
      } = error.facts as { seq?: number; expected?: unknown; found?: unknown };
      this.#stop(error.code, seq, error.message, expected, found);
    }
    for (const event of entry.events) if (isMarker(event)) this.#markers += 1;
  }

  #machine(identity: MachineIdentity): Machine {
    const spec = this.#replay.machines.find((each) => each.name === identity.name && each.version === identity.version);
    if (spec !== undefined) return new Machine(this.#replay.hash, spec);
    return this.#stop(
      "MACHINE_VERSION_MISSING",
      1,
      "the machine is not here",
      `${identity.name}@${identity.version}`,
      null,
    );
  }

  #checkInput(entry: JournalEntry): void {
    const expected = this.#replay.input;
    const found = parseInitEvent(entry.events[0])?.input;
    if (expected === undefined || found === undefined) return;
    const same = stateBlock(this.#replay.hash, { status: "active", value: null, context: expected });
    const other = stateBlock(this.#replay.hash, { status: "active", value: null, context: found });
    if (!same.cid.equals(other.cid))
      this.#note("INPUT_MISMATCH", 1, "the journal was begun with another input", expected, found);
  }

  #checkCheckpoint(progress: Progress, cid: CID): void {
    const bytes = this.#replay.block(cid);
    if (bytes === undefined) {
      this.#note("NEEDS_DATA", progress.seq, `checkpoint ${cid.toString()} is not there`, cid.toString(), null);
      return;
    }
    try {
      decodeStrict(this.#replay.hash, { cid, bytes });
      const checkpoint = decodeCheckpoint({ cid, bytes });
      const state = this.#stateCid(progress).toString();
      this.#states += 1;
      const pending = compareRequests(checkpoint.pending, [...progress.pending.values()]);
      if (
        checkpoint.actor !== progress.actor ||
        checkpoint.seq !== progress.seq ||
        !sameMachine(checkpoint.machine, progress.machine.identity)
      ) {
        this.#note(
          "STATE_MISMATCH",
          progress.seq,
          "the checkpoint is of another actor, event or machine",
          cid.toString(),
          progress.seq,
        );
      } else if (checkpoint.state.toString() !== state) {
        this.#note(
          "STATE_MISMATCH",
          progress.seq,
          "the state differs from the checkpoint's",
          checkpoint.state.toString(),
          state,
        );
      } else if (pending !== undefined) {
        this.#note(
          "STATE_MISMATCH",
          progress.seq,
          "the open requests differ from the checkpoint's",
          pending.expected,
          pending.found,
        );
      }
    } catch (error) {
      if (!(error instanceof IpdmError)) throw error;
      this.#note("JOURNAL_CORRUPT", progress.seq, error.message, cid.toString(), error.code);
    }
  }

  #stateCid(progress: Progress): CID {
    return stateBlock(this.#replay.hash, progress.machine.stateOf(progress.snapshot)).cid;
  }

  #note(code: string, seq: number, message: string, expected: unknown, found: unknown): void {
    this.#mismatches.push({ code, seq, message, expected, found });
  }

  #stop(code: string, seq: number, message: string, expected: unknown, found: unknown): never {
    this.#note(code, seq, message, expected, found);
    throw new Stop(message);
  }
}
