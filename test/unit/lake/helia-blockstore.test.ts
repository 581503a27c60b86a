import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import type { BlockStore } from "../../../src/journal/port.ts";
import { createHeliaBlockstore } from "../../../src/lake/helia-blockstore.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
const open = rawBlock(sha256, Uint8Array.of(1));
const secret = rawBlock(sha256, Uint8Array.of(2));

async function setUp() {
  const blocks = new Map<string, Uint8Array>();
  const store: BlockStore = {
    get: async (cid) => blocks.get(cid.toString()),
    has: async (cid) => blocks.has(cid.toString()),
    put: async ({ cid, bytes }) => void blocks.set(cid.toString(), bytes),
    putAll: async (all) => {
      for (const { cid, bytes } of all) blocks.set(cid.toString(), bytes);
    },
  };
  await store.putAll([open, secret]);
  return { blocks, view: createHeliaBlockstore({ store, isPublic: (cid) => !cid.equals(secret.cid), hash: sha256 }) };
}

async function all<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("helia blockstore", () => {
  it("shows public blocks and hides the others, as if they were not there", async () => {
    const { view } = await setUp();
    expect(await all(view.get(open.cid))).toEqual([open.bytes]);
    expect(await view.has(open.cid)).toBe(true);
    expect(await view.has(secret.cid)).toBe(false);
    await expect(all(view.get(secret.cid))).rejects.toMatchObject({ name: "NotFoundError" });
    await expect(all(view.get(rawBlock(sha256, Uint8Array.of(3)).cid))).rejects.toMatchObject({
      name: "NotFoundError",
    });
    await expect(all(view.getMany([open.cid, secret.cid]))).rejects.toMatchObject({ name: "NotFoundError" });
    const [pair] = await all(view.getMany([open.cid]));
    expect(await all(pair?.bytes ?? [])).toEqual([open.bytes]);
  });

  it("deletes nothing and lists nothing", async () => {
    const { view, blocks } = await setUp();
    await expect((async () => view.delete(open.cid))()).rejects.toMatchObject({ code: "BLOCK_UNDELETABLE" });
    await expect(all(view.deleteMany([open.cid]))).rejects.toMatchObject({ code: "BLOCK_UNDELETABLE" });
    expect(await all(view.getAll())).toEqual([]);
    expect(blocks.size).toBe(2);
  });

  it("takes new blocks up to its quota, and what is there already for nothing", async () => {
    const { store } = (await setUp()).view;
    const view = createHeliaBlockstore({ store, isPublic: () => true, hash: sha256, fetchedBytesMax: 100 });
    const blocks = [60, 40, 1].map((size) => rawBlock(sha256, new Uint8Array(size)));
    for (const { cid, bytes } of blocks.slice(0, 2)) await view.put(cid, bytes);
    const [first, , last] = blocks;
    if (first === undefined || last === undefined) throw new Error("no blocks");
    await view.put(first.cid, first.bytes);
    await expect((async () => view.put(last.cid, last.bytes))()).rejects.toMatchObject({
      code: "BLOCK_QUOTA",
      where: last.cid.toString(),
    });
    expect(await store.has(last.cid)).toBe(false);
  });

  it("stores what hashes to its CID, in one piece or many, and nothing else", async () => {
    const { view, blocks } = await setUp();
    const block = cborBlock(sha256, { a: 1 });
    expect(await view.put(block.cid, [block.bytes.subarray(0, 1), block.bytes.subarray(1)])).toBe(block.cid);
    expect(blocks.get(block.cid.toString())).toEqual(block.bytes);
    const other = rawBlock(sha256, Uint8Array.of(7));
    expect(await all(view.putMany([{ cid: other.cid, bytes: other.bytes }]))).toEqual([other.cid]);
    await expect((async () => view.put(block.cid, Uint8Array.of(9)))()).rejects.toMatchObject({
      code: "DAG_CID_MISMATCH",
    });
    const endless = (function* () {
      for (;;) yield new Uint8Array(1024 * 1024);
    })();
    await expect((async () => view.put(block.cid, endless))()).rejects.toMatchObject({ code: "DAG_MALFORMED" });
    expect(blocks.size).toBe(4);
  });
});
