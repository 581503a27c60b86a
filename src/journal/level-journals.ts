import type { CID } from "multiformats/cid";
import type { Block } from "../dag/block.ts";
import { Chain, type Tip } from "./continuity.ts";
import { decodeEntry, lastSeq } from "./entry.ts";
import { archived, corrupt } from "./errors.ts";
import type { LevelBlocks } from "./level-blocks.ts";
import type { LevelIndex } from "./level-index.ts";
import type { JournalHead, StoredEntry } from "./port.ts";

const ENTRIES_PAGE = 256;

/** Reads the journals of a store: newest entries one by one, older ones from sealed frames. */
export class LevelJournals {
  readonly #index: LevelIndex;
  readonly #blocks: LevelBlocks;

  constructor(index: LevelIndex, blocks: LevelBlocks) {
    this.#index = index;
    this.#blocks = blocks;
  }

  async head(actor: string): Promise<JournalHead | undefined> {
    const tip = await this.#index.tip(actor);
    if (tip === undefined) return undefined;
    const stored = await this.#entry(actor, tip.cid);
    if (stored.entry.actor !== actor || lastSeq(stored.entry) !== tip.seq) {
      throw corrupt(`the journal of ${actor}: its newest entry ${tip.cid.toString()} is another one`, {
        actor,
        cid: tip.cid.toString(),
      });
    }
    return { ...stored, seq: tip.seq };
  }

  /** The first entry, which is kept whatever else is dropped. */
  async first(actor: string): Promise<StoredEntry | undefined> {
    const base = await this.#index.base(actor);
    if (base !== undefined) return await this.#entry(actor, base.first);
    for await (const stored of this.entries(actor, 1)) return stored;
    return undefined;
  }

  /** Number of the first event of the oldest entry that is kept in a row up to the newest; 1 where nothing was dropped. */
  async kept(actor: string): Promise<number> {
    return (await this.#index.base(actor))?.seq ?? 1;
  }

  async *entries(actor: string, from: number): AsyncIterable<StoredEntry> {
    const head = await this.head(actor);
    if (head === undefined) return;
    const base = await this.#index.base(actor);
    if (base !== undefined && from < base.seq) throw archived(actor, from, base);
    const chain = new Chain(actor, await this.#before(actor, from));
    let missed = false;
    while ((chain.tip?.seq ?? 0) < head.seq) {
      const after = chain.tip?.seq ?? 0;
      let count = 0;
      for await (const stored of this.#next(actor, after)) {
        count += 1;
        const problem = chain.next(stored);
        if (problem !== undefined) throw corrupt(`the journal of ${actor}: ${problem}`, { actor, seq: after + 1 });
        yield stored;
        if (stored.cid.equals(head.cid)) return;
      }
      // Entries may have been sealed between looking for a frame and looking for them.
      if (count === 0 && missed)
        throw corrupt(`the journal of ${actor}: event ${after + 1} is missing`, { actor, seq: after + 1 });
      missed = count === 0;
    }
  }

  /** Entries after an event, from the frame that holds the next one, else one by one. */
  async *#next(actor: string, after: number): AsyncIterable<StoredEntry> {
    const place = await this.#index.frameAt(actor, after + 1);
    if (place !== undefined) {
      let count = 0;
      for (const block of await this.#blocks.frame(place.frame)) {
        const stored = this.decoded(actor, block);
        if (stored.entry.seq <= after) continue;
        count += 1;
        yield stored;
      }
      if (count > 0) return;
    }
    let expected = after + 1;
    for (const cid of await this.#index.entryCids(actor, after, ENTRIES_PAGE)) {
      const stored = await this.#entry(actor, cid);
      // What is between is sealed.
      if (stored.entry.seq !== expected) return;
      expected = lastSeq(stored.entry) + 1;
      yield stored;
    }
  }

  /** The end of the entry before the one that holds an event. */
  async #before(actor: string, seq: number): Promise<Tip | undefined> {
    if (seq <= 1) return undefined;
    const place = await this.#index.frameAt(actor, seq);
    if (place !== undefined) {
      for (const block of await this.#blocks.frame(place.frame)) {
        const { entry } = this.decoded(actor, block);
        if (lastSeq(entry) >= seq) return before(entry);
      }
    }
    const cid = await this.#index.entryCidAt(actor, seq);
    return cid === undefined ? undefined : before((await this.#entry(actor, cid)).entry);
  }

  async #entry(actor: string, cid: CID): Promise<StoredEntry> {
    const bytes = await this.#blocks.get(cid);
    if (bytes === undefined)
      throw corrupt(`the journal of ${actor}: entry ${cid.toString()} is missing`, { actor, cid: cid.toString() });
    return this.decoded(actor, { cid, bytes });
  }

  /** An entry's block, decoded. Throws `JOURNAL_CORRUPT`. */
  decoded(actor: string, { cid, bytes }: Block): StoredEntry {
    try {
      return { cid, bytes, entry: decodeEntry({ cid, bytes }) };
    } catch (error) {
      throw corrupt(
        `the journal of ${actor}: block ${cid.toString()} is not an entry`,
        { actor, cid: cid.toString() },
        error,
      );
    }
  }
}

function before({ prev, seq }: StoredEntry["entry"]): Tip | undefined {
  return prev === null ? undefined : { cid: prev, seq: seq - 1 };
}
