import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { decodeStrict, type Ipld } from "../dag/block.ts";
import { decodeCheckpoint, type MachineIdentity, stateBlock } from "../journal/checkpoint.ts";
import { Chain } from "../journal/continuity.ts";
import { decodeEntry } from "../journal/entry.ts";
import type { JournalEntry, StoredEntry } from "../journal/port.ts";
import { isMarker, parseInitEvent } from "./kernel-event.ts";
import { Machine, type MachineSpec, sameMachine } from "./machine.ts";
import type { Progress } from "./progress.ts";
import { beginEntry, replayEntry } from "./recovery.ts";
import { compareRequests } from "./request.ts";

/** Entries that one replay follows at most. */
export const REPLAY_ENTRIES_MAX = 4_000_000;

/** A journal to replay, from blocks that anyone may have given: everything is checked. */
export interface JournalReplay {
  /** Newest entry of the journal. */
  readonly head: CID;
  /** Bytes of a block; `undefined` where it is not there. A `Map` from CID text: `(cid) => map.get(cid.toString())`. */
  readonly block: (cid: CID) => Uint8Array | undefined;
  readonly hash: Hash;
  /** The machines that may have written it; the journal names which one did. */
  readonly machines: readonly MachineSpec[];
  /** When given, the actor and the input that the journal must have. */
  readonly actor?: string;
  readonly input?: Ipld;
}

/** One thing that is not as the journal says. `expected` is what is recorded, `found` what is there or was computed. */
export interface ReplayMismatch {
  /**
   * `NEEDS_DATA` (a block is missing), `JOURNAL_CORRUPT` (bytes, links, numbers), `NON_DETERMINISM` (requests), `STATE_MISMATCH`
   * (a checkpoint), `INPUT_MISMATCH`, `MACHINE_VERSION_MISSING`.
   */
  readonly code: string;
  /** Number of the event, 0 where none is meant. */
  readonly seq: number;
  readonly message: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** What a replay found. It is clean when `mismatches` is empty; it stops at the first mismatch that leaves no state to go on from. */
export interface JournalReplayReport {
  readonly actor: string | undefined;
  readonly machine: MachineIdentity | undefined;
  readonly entries: number;
  /** Transitions redone: one for each event that the machine saw, the initial one included. */
  readonly transitions: number;
  /** States compared with a checkpoint. */
  readonly states: number;
  /** State after the last replayed event. */
  readonly final: { readonly seq: number; readonly state: CID } | undefined;
  readonly mismatches: readonly ReplayMismatch[];
}

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
  #states = 0;
  #markers = 0;

  constructor(replay: JournalReplay) {
    this.#replay = replay;
  }

  run(): void {
    const cids = this.#path();
    let chain: Chain | undefined;
    for (const cid of cids.reverse()) {
      // Bytes and encoding were checked on the way back.
      const stored = this.#read(cid, false);
      const actor: string = this.#replay.actor ?? stored.entry.actor;
      chain ??= new Chain(actor);
      const problem = chain.next(stored);
      if (problem !== undefined)
        this.#stop("JOURNAL_CORRUPT", stored.entry.seq, problem, "a continued journal", problem);
      this.#replayEntry(stored.entry);
      this.#entries += 1;
    }
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
      mismatches: this.#mismatches,
    };
  }

  /** CIDs from the newest entry to the first. */
  #path(): CID[] {
    const cids: CID[] = [];
    for (let at: CID | null = this.#replay.head; at !== null; at = this.#read(at, true).entry.prev) {
      cids.push(at);
      if (cids.length > REPLAY_ENTRIES_MAX)
        this.#stop("JOURNAL_CORRUPT", 0, "too many entries", REPLAY_ENTRIES_MAX, cids.length);
    }
    return cids;
  }

  #read(cid: CID, check: boolean): StoredEntry {
    const bytes = this.#replay.block(cid);
    if (bytes === undefined) this.#stop("NEEDS_DATA", 0, `entry ${cid.toString()} is not there`, cid.toString(), null);
    try {
      if (check) decodeStrict(this.#replay.hash, { cid, bytes });
      return { cid, bytes, entry: decodeEntry({ cid, bytes }) };
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

  #replayEntry(entry: JournalEntry): void {
    try {
      if (this.#progress === undefined) {
        this.#checkInput(entry);
        this.#progress = beginEntry(entry, (_, identity) => this.#machine(identity));
      } else {
        replayEntry(this.#progress, entry, (_, identity) => this.#machine(identity));
      }
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
    if (entry.checkpoint !== undefined) this.#checkCheckpoint(this.#progress, entry.checkpoint);
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
