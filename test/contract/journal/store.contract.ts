import { hash } from "node:crypto";
import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { type Block, cborBlock, type Ipld, rawBlock } from "../../../src/dag/block.ts";
import { decodeEntry, encodeEntry, lastSeq } from "../../../src/journal/entry.ts";
import type { EntryAppend, JournalEntry, Store } from "../../../src/journal/port.ts";

/** SHA-256 as the stores are given it. */
export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(hash("sha256", bytes, "buffer"));

/** An adapter under test: `open` yields an empty store; `reopen` closes it and opens what it left behind. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  reopen(store: Store): Promise<Store>;
}

/** All that an iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Entries of one actor, each continuing the one before. */
export class EntryWriter {
  #prev: CID | null = null;
  #seq = 1;
  readonly actor: string;

  constructor(actor: string) {
    this.actor = actor;
  }

  next(events: readonly Ipld[], blocks: readonly Block[] = []): EntryAppend {
    const entry: JournalEntry = { v: 1, actor: this.actor, seq: this.#seq, prev: this.#prev, events, requests: [] };
    const block = encodeEntry(sha256, entry);
    this.#prev = block.cid;
    this.#seq = lastSeq(entry) + 1;
    return { entry, block, blocks };
  }
}

/** What every {@link Store} does. */
export function storeContract(name: string, under: StoreUnderTest): void {
  describe(`${name}: blocks`, () => {
    it("returns what was put, small and large, and undefined for what was not", async () => {
      await using store = await under.open();
      const small = cborBlock(sha256, { hello: "world" });
      const wide = cborBlock(sha256, { text: "x".repeat(100_000) });
      const raw = rawBlock(sha256, new Uint8Array(200_000).fill(7));
      await store.blocks.put(small);
      await store.blocks.putAll([wide, raw, raw]);
      for (const block of [small, wide, raw]) {
        expect(await store.blocks.has(block.cid)).toBe(true);
        expect(Buffer.compare((await store.blocks.get(block.cid)) as Uint8Array, block.bytes)).toBe(0);
      }
      const absent = rawBlock(sha256, Uint8Array.of(1));
      expect(await store.blocks.has(absent.cid)).toBe(false);
      expect(await store.blocks.get(absent.cid)).toBeUndefined();
    });

    it("keeps blocks and meta values over a restart", async () => {
      let store = await under.open();
      const blocks = Array.from({ length: 20 }, (_, at) => rawBlock(sha256, new Uint8Array(5000 * at).fill(at)));
      await store.blocks.putAll(blocks);
      await store.meta.put("node/key", Uint8Array.of(1, 2, 3));
      store = await under.reopen(store);
      for (const block of blocks)
        expect(Buffer.compare((await store.blocks.get(block.cid)) as Uint8Array, block.bytes)).toBe(0);
      expect(await store.meta.get("node/key")).toEqual(Uint8Array.of(1, 2, 3));
      expect(await store.meta.get("node/other")).toBeUndefined();
      await store.close();
    });

    it("finds bytes that do not hash to their CID", async () => {
      await using store = await under.open();
      const cid = rawBlock(sha256, Uint8Array.of(1)).cid;
      await store.blocks.put({ cid, bytes: Uint8Array.of(2) });
      await expect(store.blocks.get(cid)).rejects.toMatchObject({
        code: "JOURNAL_CORRUPT",
        facts: { cid: cid.toString() },
      });
    });

    it("refuses a block over 32 MiB and an overlong meta key", async () => {
      await using store = await under.open();
      const block = rawBlock(sha256, new Uint8Array(32 * 1024 * 1024 + 1));
      await expect(store.blocks.put(block)).rejects.toMatchObject({ code: "JOURNAL_LIMIT" });
      await expect(store.meta.put("k".repeat(513), Uint8Array.of())).rejects.toMatchObject({ code: "JOURNAL_LIMIT" });
    });
  });

  describe(`${name}: journals`, () => {
    it("has no head, entries or actors at first", async () => {
      await using store = await under.open();
      expect(await store.head("task/a")).toBeUndefined();
      expect(await collect(store.entries("task/a"))).toEqual([]);
      expect(await store.actors()).toEqual([]);
    });

    it("returns entries oldest first, with their blocks, over a restart", async () => {
      let store = await under.open();
      const extra = cborBlock(sha256, { state: 1 });
      const writers = ["task/b", "task/a", "task/ab"].map((actor) => new EntryWriter(actor));
      const appends: EntryAppend[] = [];
      for (let at = 0; at < 300; at++) {
        for (const writer of writers)
          appends.push(writer.next([{ type: "n", at }, { type: "m" }], at === 3 ? [extra] : []));
      }
      // All at once: a later entry is queued before an earlier one is durable.
      await Promise.all(appends.map((append) => store.append(append)));
      for (let pass = 0; pass < 2; pass++) {
        expect(await store.actors()).toEqual(["task/a", "task/ab", "task/b"]);
        for (const { actor } of writers) {
          const own = appends.filter((append) => append.entry.actor === actor);
          const stored = await collect(store.entries(actor));
          expect(stored.map((each) => each.cid.toString())).toEqual(own.map((append) => append.block.cid.toString()));
          expect(stored[5]?.entry).toEqual(decodeEntry(own[5]?.block as Block));
          expect(await store.head(actor)).toMatchObject({ seq: 600, entry: { seq: 599, actor } });
        }
        expect(await store.blocks.has(extra.cid)).toBe(true);
        expect(await store.blocks.get(appends[0]?.block.cid as CID)).toBeDefined();
        store = await under.reopen(store);
      }
      await store.close();
    });

    it("refuses an entry that does not continue its journal", async () => {
      await using store = await under.open();
      const writer = new EntryWriter("task/a");
      const [first, second, third] = [writer.next([{ n: 1 }]), writer.next([{ n: 2 }]), writer.next([{ n: 3 }])];
      await store.append(first);
      await expect(store.append(third)).rejects.toMatchObject({ code: "JOURNAL_CONFLICT", where: "task/a" });
      await expect(store.append(first)).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      const stranger = { ...second, entry: { ...second.entry, prev: third.block.cid } };
      await expect(store.append(stranger)).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      await store.append(second);
      expect((await store.head("task/a"))?.seq).toBe(2);
    });

    it("makes durable, on close, what was queued before", async () => {
      let store = await under.open();
      const writer = new EntryWriter("task/a");
      const appended = store.append(writer.next([{ n: 1 }]));
      store = await under.reopen(store);
      await appended;
      expect((await store.head("task/a"))?.seq).toBe(1);
      await store.close();
      await expect(store.append(writer.next([{ n: 2 }]))).rejects.toMatchObject({ code: "JOURNAL_CLOSED" });
      await expect(store.head("task/a")).rejects.toMatchObject({ code: "JOURNAL_CLOSED" });
    });
  });
}
