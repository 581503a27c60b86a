import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";

/** `JOURNAL_CORRUPT`: what is stored is not what was stored; `what` names the file, commit, actor or block. */
export function corrupt(what: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown): IpdmError {
  return new IpdmError("JOURNAL_CORRUPT", `the data folder is damaged: ${what}`, {
    kind: "failed",
    hint: "restore the folder from a copy, or start again with an empty data folder",
    facts,
    cause,
  });
}

/** `JOURNAL_CORRUPT`: the record of a group commit is missing or altered. */
export function damagedCommit(number: number, what: string): IpdmError {
  return corrupt(`group commit ${number}: ${what}`, { commit: number });
}

/** `JOURNAL_CLOSED`: a call after `close`. */
export function closed(): IpdmError {
  return new IpdmError("JOURNAL_CLOSED", "the store is closed");
}

/** `JOURNAL_STOPPED`: a write or sync failed before, so nothing more is accepted. */
export function stopped(cause: unknown): IpdmError {
  return new IpdmError("JOURNAL_STOPPED", `the store stopped after a failed write: ${messageOf(cause)}`, {
    hint: "free the cause of the failed write and start the node again; everything acknowledged is safe",
    retry: "later",
    cause,
  });
}

/** `JOURNAL_CONFLICT`: an entry does not continue the actor's journal. */
export function conflict(actor: string, message: string, facts: Readonly<Record<string, unknown>>): IpdmError {
  return new IpdmError("JOURNAL_CONFLICT", `an entry of ${actor} does not continue its journal: ${message}`, {
    kind: "conflict",
    where: actor,
    facts,
  });
}

/** `JOURNAL_ARCHIVED`: entries are asked for that were dropped after a checkpoint. */
export function archived(actor: string, from: number, base: { readonly seq: number; readonly prev: CID }): IpdmError {
  const { seq, prev } = base;
  return new IpdmError("JOURNAL_ARCHIVED", `the journal of ${actor} is kept from event ${seq} on, not from ${from}`, {
    where: actor,
    hint: `read on from event ${seq}, or import the archive that ends with ${prev.toString()}`,
    facts: { actor, from, kept: seq, archive: prev.toString() },
  });
}

/** `JOURNAL_LIMIT`: a name, value, block or entry is larger than the store takes. */
export function overLimit(what: string, size: number, max: number): IpdmError {
  return new IpdmError("JOURNAL_LIMIT", `${what} has ${size}, more than ${max}`, { facts: { size, max } });
}

/** The error of a failed write: `DISK_FULL` where the disk has no room, else `JOURNAL_WRITE_FAILED`; such an error stays as it is. */
export function writeFailed(cause: unknown, path: string): IpdmError {
  if (cause instanceof IpdmError && (cause.code === "DISK_FULL" || cause.code === "JOURNAL_WRITE_FAILED")) return cause;
  if (isDiskFull(cause)) {
    return new IpdmError("DISK_FULL", `no space left on the disk of ${path}`, {
      where: path,
      hint: "free space on that disk, or use another data folder (--data), and start again; everything acknowledged is safe",
      retry: "later",
      cause,
    });
  }
  return new IpdmError("JOURNAL_WRITE_FAILED", `writing to ${path} failed: ${messageOf(cause)}`, {
    where: path,
    retry: "later",
    cause,
  });
}

/** `DISK_FULL` while a store waits for room. */
export function fullUntilRoom({ message, where, cause }: IpdmError): IpdmError {
  return new IpdmError("DISK_FULL", `${message}: nothing more is taken until there is some`, {
    ...(where === undefined ? {} : { where }),
    hint: "free space on that disk: it goes on by itself within a second or two; everything acknowledged is safe",
    retry: "later",
    cause,
  });
}

// LevelDB reports a full disk only in the text of its error, as strerror(ENOSPC or EDQUOT).
const DISK_FULL_TEXT = /no space left on device|disk quota exceeded/i;

function isDiskFull(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (code === "ENOSPC" || code === "EDQUOT" || DISK_FULL_TEXT.test(at.message)) return true;
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
