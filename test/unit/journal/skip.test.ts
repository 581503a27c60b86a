import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { type Block, cborBlock, decodeStrict } from "../../../src/dag/block.ts";
import { Chain } from "../../../src/journal/continuity.ts";
import { decodeEntry, encodeEntry } from "../../../src/journal/entry.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import type { JournalEntry, StoredEntry } from "../../../src/journal/port.ts";
import { decodeSignedHead, forkEvidence, isSigned, signHead } from "../../../src/journal/signed-head.ts";
import { nextSkip, type SkipPoint, skipPointAfter, wayBack } from "../../../src/journal/skip.ts";
import { signerOf, verifyEd25519 } from "../../../src/node.ts";
import { sha256 } from "../../contract/journal/store.contract.ts";

const checkpoint = cborBlock(sha256, "checkpoint").cid;

/** Entries of two events, every `every`th with a checkpoint and skip links; `plainTill` have checkpoints without, as older journals do. */
function journal(count: number, { every = 4, plainTill = 0, name = "x" } = {}): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let point: SkipPoint | undefined;
  let prev: CID | null = null;
  for (let at = 0; at < count; at++) {
    let entry: JournalEntry = { v: 1, actor: "a", seq: 2 * at + 1, prev, events: [name, at], requests: [] };
    if (at > 0 && at % every === 0) {
      const skip = point === undefined || at < plainTill ? undefined : nextSkip(point);
      entry = { ...entry, checkpoint, ...(skip === undefined ? {} : { skip }) };
    }
    const block = encodeEntry(sha256, entry);
    decodeStrict(sha256, block);
    const stored = { ...block, entry: decodeEntry(block) };
    expect(stored.entry).toEqual(entry);
    entries.push(stored);
    point = skipPointAfter(point, stored);
    prev = block.cid;
  }
  return entries;
}

function follow(entries: readonly StoredEntry[]): string | undefined {
  const chain = new Chain("a");
  for (const stored of entries) {
    const problem = chain.next(stored);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function reader(entries: readonly StoredEntry[]): { reads: number; read(cid: CID): Promise<StoredEntry | undefined> } {
  const known = new Map(entries.map((stored) => [stored.cid.toString(), stored]));
  const counted = {
    reads: 0,
    read: async (cid: CID) => {
      counted.reads += 1;
      return known.get(cid.toString());
    },
  };
  return counted;
}

describe("skip links", () => {
  it("lead from any entry to any older one in logarithmic steps", async () => {
    const entries = journal(4000);
    expect(follow(entries)).toBeUndefined();
    const head = entries.at(-1) as StoredEntry;
    let longest = 0;
    for (let at = 0; at < 4000; at += 37) {
      const seq = 2 * at + 2;
      const way = (await wayBack(reader(entries).read, head.cid, seq)) ?? [];
      expect(way.at(-1)?.cid.toString()).toBe(entries[at]?.cid.toString());
      longest = Math.max(longest, way.length);
    }
    // log2(1000 checkpoints), and the entries between two checkpoints at either end.
    expect(longest).toBeLessThanOrEqual(10 + 2 * 4);
    expect(await wayBack(reader(entries).read, head.cid, 8001)).toBeUndefined();
    expect(await wayBack(reader(entries.slice(10)).read, head.cid, 1)).toBeUndefined();
  });

  it("are checked, and begin at the newest checkpoint of a journal from before there were any", () => {
    const entries = journal(60, { plainTill: 21 });
    expect(follow(entries)).toBeUndefined();
    expect(entries[24]?.entry.skip).toMatchObject({ n: 1 });
    expect(entries[24]?.entry.skip?.links[0]?.equals((entries[20] as StoredEntry).cid)).toBe(true);
    const wrong = journal(9);
    const last = wrong[8] as StoredEntry;
    const block = encodeEntry(sha256, { ...last.entry, skip: { n: 2, links: [checkpoint, checkpoint] } });
    expect(follow([...wrong.slice(0, 8), { ...block, entry: decodeEntry(block) }])).toMatch(/skip links/);
  });

  it("are refused in other forms", () => {
    const last = journal(9)[8] as StoredEntry;
    const encode = (skip: unknown, more: object = {}): Block => cborBlock(sha256, { ...last.entry, skip, ...more });
    for (const skip of [
      null,
      {},
      { n: 0, links: [] },
      { n: 2, links: [checkpoint] },
      { n: 1, links: [1] },
      { n: 1, links: [checkpoint], x: 1 },
    ])
      expect(() => decodeEntry(encode(skip))).toThrow(expect.objectContaining({ code: "ENTRY_MALFORMED" }));
    const { checkpoint: _dropped, ...without } = last.entry;
    expect(() => decodeEntry(cborBlock(sha256, without))).toThrow(/skip/);
  });
});

describe("signed heads", () => {
  const signer = signerOf(new Uint8Array(32).fill(7));
  const storeOf = async (entries: readonly StoredEntry[]): Promise<MemoryStore> => {
    const store = new MemoryStore({ hash: sha256 });
    for (const { entry, cid, bytes } of entries) await store.append({ entry, block: { cid, bytes } });
    return store;
  };

  it("count up, link the one before, and are the same for the same head", async () => {
    const entries = journal(20);
    const store = await storeOf(entries.slice(0, 10));
    const first = decodeSignedHead(await signHead(store, sha256, signer, "a"));
    expect(decodeSignedHead(await signHead(store, sha256, signer, "a"))).toEqual(first);
    for (const { entry, cid, bytes } of entries.slice(10)) await store.append({ entry, block: { cid, bytes } });
    const block = await signHead(store, sha256, signer, "a");
    const second = decodeSignedHead(block);
    expect(second).toMatchObject({ number: 2, seq: 40 });
    expect(second.prev).not.toBeNull();
    expect(isSigned(verifyEd25519, second)).toBe(true);
    expect(isSigned(verifyEd25519, { ...second, seq: 39 })).toBe(false);
    expect(() => decodeSignedHead(cborBlock(sha256, { ...second, number: 0 }))).toThrow(
      expect.objectContaining({ code: "HEAD_MALFORMED" }),
    );
    expect(forkEvidence(verifyEd25519, second, first)).toBeUndefined();
    const way = await wayBack(reader(entries).read, second.head, first.seq);
    expect(forkEvidence(verifyEd25519, first, second, way)).toBeUndefined();
    await expect(signHead(store, sha256, signer, "b")).rejects.toMatchObject({ code: "ACTOR_UNKNOWN" });
    // An older copy of the store, with the memory of what was signed.
    const older = new MemoryStore({
      hash: sha256,
      image: { ...(await storeOf(entries.slice(0, 12))).image(), meta: store.image().meta },
    });
    await expect(signHead(older, sha256, signer, "a")).rejects.toMatchObject({ code: "JOURNAL_FORK", where: "a" });
  });

  it("prove a fork: by number, by event, by order, and by a history that does not hold what was signed", async () => {
    const [one, other] = [journal(20), journal(30, { name: "y" })];
    const sign = async (entries: readonly StoredEntry[], times = 1) => {
      const store = await storeOf(entries.slice(0, entries.length - times + 1));
      for (let at = entries.length - times + 1; at < entries.length; at++) {
        await signHead(store, sha256, signer, "a");
        const { entry, cid, bytes } = entries[at] as StoredEntry;
        await store.append({ entry, block: { cid, bytes } });
      }
      return decodeSignedHead(await signHead(store, sha256, signer, "a"));
    };
    const a = await sign(one);
    expect(forkEvidence(verifyEd25519, a, await sign(other))).toMatchObject({ kind: "number" });
    expect(forkEvidence(verifyEd25519, await sign(other.slice(0, 20), 2), a)).toMatchObject({ kind: "seq" });
    expect(forkEvidence(verifyEd25519, a, await sign(other.slice(0, 10), 3))).toMatchObject({ kind: "order" });
    const b = await sign(other, 2);
    expect(forkEvidence(verifyEd25519, a, b)).toBeUndefined();
    const way = await wayBack(reader(other).read, b.head, a.seq);
    expect(forkEvidence(verifyEd25519, a, b, way)).toMatchObject({ kind: "history" });
    expect(forkEvidence(verifyEd25519, a, b, way?.slice(1))).toBeUndefined();
    expect(forkEvidence(verifyEd25519, a, { ...b, signature: a.signature }, way)).toBeUndefined();
  });
});
