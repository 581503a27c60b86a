import type { CID } from "multiformats/cid";
import { encodeBase } from "./base.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import { lastSeq } from "./entry.ts";
import { packFrame } from "./frame.ts";
import type { LevelBlocks } from "./level-blocks.ts";
import { type LevelIndex, put, type Write } from "./level-index.ts";
import type { LevelJournals } from "./level-journals.ts";
import * as keys from "./level-keys.ts";
import { FRAME_BYTES_MAX, FRAME_ENTRIES_MAX } from "./limits.ts";
import type { StoredEntry } from "./port.ts";

/** What compaction does beside sealing. */
export interface CompactOptions {
  /** Drops, of every journal, what is older than so many of its newest checkpoints. Without it everything is kept. */
  readonly keepCheckpoints?: number;
  /** Takes the entries of an actor, oldest first, before they are dropped. They stay when it rejects. */
  readonly archive?: (actor: string, entries: readonly StoredEntry[]) => Promise<void>;
  /** Entries of one journal that are worth a frame; 16. */
  readonly sealEntriesMin?: number;
}

/** What compaction did. */
export interface Compacted {
  readonly sealed: number;
  readonly frames: number;
  readonly dropped: number;
}

/** What compaction works with. */
export interface CompactionPorts {
  readonly index: LevelIndex;
  readonly blocks: LevelBlocks;
  readonly journals: LevelJournals;
  /** Makes writes durable as one commit. */
  commit(writes: readonly Write[]): Promise<void>;
}

const SEAL_ENTRIES_MIN = 16;

/** Seals older entries into compressed frames, and drops what is not to be kept. Safe while the store is in use, and to be stopped anywhere. */
export class Compaction {
  readonly #ports: CompactionPorts;
  readonly #options: CompactOptions;
  #frame = 0;
  #sealed = 0;
  #frames = 0;
  #dropped = 0;

  constructor(ports: CompactionPorts, options: CompactOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  async run(): Promise<Compacted> {
    const { index, blocks } = this.#ports;
    this.#frame = await index.lastFrame();
    const actors = await index.actors();
    if (this.#options.keepCheckpoints !== undefined) for (const actor of actors) await this.#drop(actor);
    for (const actor of actors) await this.#seal(actor);
    blocks.forget();
    await index.compact();
    return { sealed: this.#sealed, frames: this.#frames, dropped: this.#dropped };
  }

  /** Seals all entries but the newest. */
  async #seal(actor: string): Promise<void> {
    const tip = await this.#ports.index.tip(actor);
    let after = 0;
    for (;;) {
      const entries = await this.#run(actor, after, tip?.cid);
      const last = entries.at(-1);
      if (last === undefined) return;
      after = lastSeq(last.entry);
      // Too few, or one that is too large: they stay as they are.
      if (entries.length < (this.#options.sealEntriesMin ?? SEAL_ENTRIES_MIN)) continue;
      const gone = entries.flatMap((stored) => unsealed(actor, stored));
      await this.#ports.commit([...this.#frameOf(actor, entries), ...gone]);
      this.#sealed += entries.length;
    }
  }

  /** The next entries after an event that are not sealed, without a gap, as many as a frame holds; the newest is not among them. */
  async #run(actor: string, after: number, newest: CID | undefined): Promise<readonly StoredEntry[]> {
    const { index, blocks, journals } = this.#ports;
    const entries: StoredEntry[] = [];
    let sizeBytes = 0;
    for (const cid of await index.entryCids(actor, after, FRAME_ENTRIES_MAX)) {
      const bytes = newest?.equals(cid) === true ? undefined : await blocks.get(cid);
      if (bytes === undefined) break;
      const stored = journals.decoded(actor, { cid, bytes });
      const before = entries.at(-1);
      if (before !== undefined && stored.entry.seq !== lastSeq(before.entry) + 1) break;
      if (before !== undefined && sizeBytes + bytes.length > FRAME_BYTES_MAX) break;
      entries.push(stored);
      sizeBytes += bytes.length;
    }
    return entries;
  }

  #frameOf(actor: string, entries: readonly StoredEntry[]): readonly Write[] {
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) return [];
    const frame = (this.#frame += 1);
    this.#frames += 1;
    const place = { frame, from: first.entry.seq, to: lastSeq(last.entry) };
    return [
      put(keys.frameKey(frame), packFrame(entries)),
      put(keys.frameAtKey(actor, place.from), keys.frameAtValue(place)),
      ...entries.map(({ cid }) => put(keys.sealedKey(cid), keys.sealedValue(frame))),
    ];
  }

  /** Drops what is older than the checkpoints to keep, and keeps the first entry apart. */
  async #drop(actor: string): Promise<void> {
    const { index, journals } = this.#ports;
    const old: StoredEntry[] = [];
    const checkpoints: StoredEntry[] = [];
    const kept = await journals.kept(actor);
    for await (const stored of journals.entries(actor, kept)) {
      old.push(stored);
      if (stored.entry.checkpoint !== undefined) checkpoints.push(stored);
    }
    const base = checkpoints.at(-Math.max(1, this.#options.keepCheckpoints ?? 1));
    const first = await journals.first(actor);
    if (base === undefined || first === undefined || base.entry.prev === null || base.entry.seq === kept) return;
    const dropped = old.filter(({ entry }) => entry.seq < base.entry.seq);
    await this.#options.archive?.(actor, dropped);
    const gone = new Set(dropped.map(({ cid }) => cid.toString()));
    const writes: Write[] = [
      put(keys.baseKey(actor), encodeBase({ seq: base.entry.seq, prev: base.entry.prev, first: first.cid })),
    ];
    // The first entry says which machine it is and with what it began.
    writes.push(put(keys.blockKey(first.cid), first.bytes));
    for (const { cid, entry } of dropped) {
      writes.push(del(keys.entryKey(actor, entry.seq)), del(keys.sealedKey(cid)));
      if (!cid.equals(first.cid)) writes.push(del(keys.blockKey(cid)));
      writes.push(...(await this.#checkpointOf(entry.checkpoint)));
    }
    for (const place of await index.frames(actor)) {
      if (place.from >= base.entry.seq) break;
      writes.push(del(keys.frameKey(place.frame)), del(keys.frameAtKey(actor, place.from)));
      const rest = (await this.#ports.blocks.frame(place.frame)).filter(({ cid }) => !gone.has(cid.toString()));
      if (place.to >= base.entry.seq)
        writes.push(
          ...this.#frameOf(
            actor,
            rest.map((block) => journals.decoded(actor, block)),
          ),
        );
    }
    await this.#ports.commit(writes);
    this.#dropped += dropped.length;
  }

  /** The checkpoint's block goes with its entry. Its state stays: it is stored by content, and may be another actor's too. */
  async #checkpointOf(cid: CID | undefined): Promise<readonly Write[]> {
    if (cid === undefined) return [];
    const bytes = await this.#ports.blocks.get(cid);
    if (bytes === undefined) return [];
    decodeCheckpoint({ cid, bytes });
    return [del(keys.blockKey(cid))];
  }
}

function unsealed(actor: string, { cid, entry }: StoredEntry): readonly Write[] {
  return [del(keys.blockKey(cid)), del(keys.entryKey(actor, entry.seq))];
}

function del(key: Buffer): Write {
  return { type: "del", key };
}
