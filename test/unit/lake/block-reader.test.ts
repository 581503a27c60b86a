import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import { rawBlock } from "../../../src/dag/block.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { BlockReader, HEAD_START_MS, READ_TIMEOUT_MS } from "../../../src/lake/block-reader.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import { sha256 } from "../../../src/node.ts";
import { VirtualTime } from "../../simulation/actors/virtual-time.ts";

const block = (text: string) => rawBlock(sha256, utf8(text));

function scene() {
  const hub = new MemoryHub({ mode: "manual" });
  const time = new VirtualTime(hub);
  const [own, other] = ["own", "other"].map((name) => hub.join(sha256(utf8(name)))) as [
    ReturnType<MemoryHub["join"]>,
    ReturnType<MemoryHub["join"]>,
  ];
  const store = new MemoryStore({ hash: sha256 });
  return { hub, time, own, other, store, reader: new BlockReader(store.blocks, own, 100, time) };
}

describe("a block reader", () => {
  it("finds blocks in memory, in its store, and with peers, in that order", async () => {
    const { time, other, store, reader } = scene();
    const [hot, stored, theirs] = [block("hot"), block("stored"), block("theirs")];
    reader.keep(hot);
    await store.blocks.put(stored);
    other.serveBlocks(async (cid) => (cid.equals(theirs.cid) ? theirs.bytes : undefined));
    expect(await reader.read(hot.cid)).toEqual(hot.bytes);
    expect(await reader.read(stored.cid)).toEqual(stored.bytes);
    let found: Uint8Array | undefined;
    void reader.read(theirs.cid).then((bytes) => (found = bytes));
    expect(await time.until(() => found !== undefined, 5000)).toBe(true);
    expect(found).toEqual(theirs.bytes);
    expect(await reader.find(theirs.cid)).toEqual(theirs.bytes);
  });

  it("asks again while the network is split, and finds the block once it heals", async () => {
    const { hub, time, own, other, reader } = scene();
    const wanted = block("wanted");
    other.serveBlocks(async () => wanted.bytes);
    hub.partition([own.self], [other.self]);
    let found: Uint8Array | undefined;
    void reader.read(wanted.cid).then((bytes) => (found = bytes));
    expect(await time.until(() => found !== undefined, 5000)).toBe(false);
    hub.heal();
    expect(await time.until(() => found !== undefined, 5000)).toBe(true);
  });

  it("gives up after a minute, naming the block, and at once where there is no network", async () => {
    const { time, store, reader } = scene();
    const { cid } = block("nowhere");
    const code = { code: "NEEDS_DATA", kind: "unreachable", where: cid.toString() };
    await expect(new BlockReader(store.blocks, undefined).read(cid)).rejects.toMatchObject(code);
    let failure: unknown;
    void reader.read(cid).catch((error: unknown) => (failure = error));
    expect(await time.until(() => failure !== undefined, 30_000)).toBe(false);
    expect(await time.until(() => failure !== undefined, 60_000)).toBe(true);
    expect(failure).toMatchObject(code);
  });

  it("ends its waits when it closes, or when the asker gives up", async () => {
    const { time, reader } = scene();
    const stop = new AbortController();
    const failures: unknown[] = [];
    for (const signal of [undefined, stop.signal]) {
      void reader.read(block("nowhere").cid, signal).catch((error: unknown) => failures.push(error));
    }
    await time.until(() => false, 100);
    stop.abort(new Error("enough"));
    expect(await time.until(() => failures.length === 1, 5000)).toBe(true);
    reader.close();
    expect(await time.until(() => failures.length === 2, 5000)).toBe(true);
    expect(failures[0]).toMatchObject({ message: "enough" });
    expect(failures[1]).toMatchObject({ code: "READER_CLOSED" });
  });

  it("ends a fetch under way when the asker gives up, though the peer says nothing", async () => {
    const { time, other, reader } = scene();
    const asked = new Set<string>();
    other.serveBlocks((cid) => {
      asked.add(cid.toString());
      return new Promise(() => {});
    });
    const { cid } = block("wanted");
    const stop = new AbortController();
    let failure: unknown;
    void reader.read(cid, stop.signal).catch((error: unknown) => (failure = error));
    expect(await time.until(() => asked.has(cid.toString()), 1000)).toBe(true);
    stop.abort(new Error("enough"));
    expect(await time.until(() => failure !== undefined, 50)).toBe(true);
    expect(failure).toMatchObject({ message: "enough" });
  });

  it("does not wait for silent peers before it asks the others, and keeps to its time with any number of them", async () => {
    const { hub, time, own, other, reader } = scene();
    const silent = Array.from({ length: 8 }, (_, i) => hub.join(sha256(utf8(`silent ${i}`))));
    const wanted = block("wanted");
    for (const peer of silent) peer.serveBlocks(() => new Promise(() => {}));
    let found: Uint8Array | undefined;
    let failure: unknown;
    void reader.read(wanted.cid).catch((error: unknown) => (failure = error));
    expect(await time.until(() => failure !== undefined, READ_TIMEOUT_MS + 1000)).toBe(true);
    expect(failure).toMatchObject({ code: "NEEDS_DATA" });
    const last = hub.join(sha256(utf8("last")));
    for (const peer of [other, last]) peer.serveBlocks(async () => wanted.bytes);
    expect(own.peers().length).toBe(10);
    hub.partition([own.self, last.self, ...silent.map((peer) => peer.self)]);
    void reader.read(wanted.cid).then((bytes) => (found = bytes));
    expect(await time.until(() => found !== undefined, 9 * HEAD_START_MS + 100)).toBe(true);
  });

  it("keeps no more bytes in memory than it may, the latest used last", async () => {
    const { reader } = scene();
    const blocks = Array.from({ length: 5 }, (_, i) => block(`${i}`.repeat(30)));
    for (const item of blocks.slice(0, 3)) reader.keep(item);
    await reader.find((blocks[0] as (typeof blocks)[number]).cid);
    reader.keep(blocks[3] as (typeof blocks)[number]);
    const kept = await Promise.all(blocks.map(async ({ cid }) => (await reader.find(cid)) !== undefined));
    expect(kept).toEqual([true, false, true, true, false]);
  });
});
