import type { CID } from "multiformats/cid";
import type { Ipld } from "../../../src/dag/block.ts";
import { encodeEntry, lastSeq } from "../../../src/journal/entry.ts";
import type { EntryAppend, JournalEntry, Store } from "../../../src/journal/port.ts";
import { sha256 } from "./seeded-store.ts";

/** Makes the entries of one actor, from where its journal ends. */
export interface ResumedWriter {
  readonly actor: string;
  next(events: readonly Ipld[]): EntryAppend;
}

/** A writer for each actor. */
export async function resumeWriters(store: Store, actors: readonly string[]): Promise<ResumedWriter[]> {
  return await Promise.all(
    actors.map(async (actor) => {
      const head = await store.head(actor);
      let prev: CID | null = head?.cid ?? null;
      let seq = (head?.seq ?? 0) + 1;
      const next = (events: readonly Ipld[]): EntryAppend => {
        const entry: JournalEntry = { v: 1, actor, seq, prev, events, requests: [] };
        const block = encodeEntry(sha256, entry);
        prev = block.cid;
        seq = lastSeq(entry) + 1;
        return { entry, block };
      };
      return { actor, next };
    }),
  );
}
