import { createHash } from "node:crypto";
import type { CID } from "multiformats/cid";
import { afterEach, describe, expect, it } from "vitest";
import { type Block, rawBlock } from "../../../src/dag/block.ts";
import type { BlockStore } from "../../../src/journal/port.ts";
import { createHeliaBlockstore } from "../../../src/lake/helia-blockstore.ts";
import { BLOB_SIZE_MAX_BYTES, type BlobExchange, createBlobExchange } from "../../../src/lake/helia-exchange.ts";
import { createLibp2pNetwork, type Libp2pNetwork } from "../../../src/network/libp2p-network.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

interface Node {
  readonly network: Libp2pNetwork;
  readonly exchange: BlobExchange;
  readonly store: BlockStore & { readonly size: number };
  readonly publicCids: Set<string>;
}

function memoryBlocks(): BlockStore & { readonly size: number } {
  const blocks = new Map<string, Uint8Array>();
  return {
    get size() {
      return blocks.size;
    },
    get: async (cid) => blocks.get(cid.toString()),
    has: async (cid) => blocks.has(cid.toString()),
    put: async ({ cid, bytes }) => void blocks.set(cid.toString(), bytes),
    putAll: async (all) => {
      for (const { cid, bytes } of all) blocks.set(cid.toString(), bytes);
    },
  };
}

describe("blobs over bitswap", () => {
  const nodes: Node[] = [];

  async function start(): Promise<Node> {
    const seed = sha256(Uint8Array.of(nodes.length));
    const bootstrap = nodes.flatMap(({ network }) => network.addresses);
    const network = await createLibp2pNetwork({ seed, transport: "memory", bootstrap, domainNodes: 2 });
    const store = memoryBlocks();
    const publicCids = new Set<string>();
    const blockstore = createHeliaBlockstore({
      store,
      isPublic: (cid) => publicCids.has(cid.toString()),
      hash: sha256,
    });
    const exchange = await createBlobExchange({ libp2p: network.libp2p, blockstore, hash: sha256 });
    const node = { network, exchange, store, publicCids };
    nodes.push(node);
    await network.waitForPeers(nodes.length - 1, { timeoutMs: 20_000 });
    return node;
  }

  async function two(): Promise<[Node, Node]> {
    return [await start(), await start()];
  }

  const publish = async (node: Node, block: Block): Promise<CID> => {
    node.publicCids.add(block.cid.toString());
    await node.exchange.provide(block);
    return block.cid;
  };

  afterEach(async () => {
    for (const { exchange, network } of nodes.splice(0)) {
      await exchange.close();
      await network.close();
    }
  });

  it("fetches a module by CID, stores it, and has it afterwards without the other", async () => {
    const [a, b] = await two();
    const module = rawBlock(sha256, new Uint8Array(300_000).fill(7));
    const cid = await publish(a, module);
    expect(Buffer.compare(await b.exchange.fetch(cid, { timeoutMs: 10_000 }), module.bytes)).toBe(0);
    expect(b.store.size).toBe(1);
    await a.exchange.close();
    await a.network.close();
    expect((await b.exchange.fetch(cid)).length).toBe(300_000);
  });

  it("carries the largest blob and refuses one byte more", async () => {
    const [a, b] = await two();
    const cid = await publish(a, rawBlock(sha256, new Uint8Array(BLOB_SIZE_MAX_BYTES).fill(1)));
    expect((await b.exchange.fetch(cid, { timeoutMs: 20_000 })).length).toBe(BLOB_SIZE_MAX_BYTES);
    await expect(a.exchange.provide(rawBlock(sha256, new Uint8Array(BLOB_SIZE_MAX_BYTES + 1)))).rejects.toMatchObject({
      code: "BLOB_TOO_LARGE",
    });
  });

  it("gives a blob to a peer that waits for it already", async () => {
    const [a, b] = await two();
    const module = rawBlock(sha256, new Uint8Array(1000).fill(9));
    // The first want is answered "don't have"; only the announcement can bring the block to the second, still waiting.
    await expect(b.exchange.fetch(module.cid, { timeoutMs: 50 })).rejects.toMatchObject({ code: "BLOB_UNAVAILABLE" });
    const waiting = b.exchange.fetch(module.cid, { timeoutMs: 10_000 });
    await publish(a, module);
    expect((await waiting).length).toBe(1000);
  });

  it("says when nobody has a blob, in the time given, and stops when told", async () => {
    const [, b] = await two();
    const { cid } = rawBlock(sha256, Uint8Array.of(1));
    await expect(b.exchange.fetch(cid, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "BLOB_UNAVAILABLE",
      kind: "unreachable",
      where: cid.toString(),
    });
    const controller = new AbortController();
    const fetching = b.exchange.fetch(cid, { signal: controller.signal });
    controller.abort(new Error("no longer needed"));
    await expect(fetching).rejects.toThrow("no longer needed");
    const open = expect(b.exchange.fetch(cid)).rejects.toMatchObject({ code: "BLOB_EXCHANGE_CLOSED" });
    await b.exchange.close();
    await open;
  });

  it("does not serve a block that is not public", async () => {
    const [a, b] = await two();
    const secret = rawBlock(sha256, Uint8Array.of(4, 2));
    await a.exchange.provide(secret);
    await expect(b.exchange.fetch(secret.cid, { timeoutMs: 200 })).rejects.toMatchObject({ code: "BLOB_UNAVAILABLE" });
    expect(await a.exchange.fetch(secret.cid)).toEqual(secret.bytes);
    a.publicCids.add(secret.cid.toString());
    expect((await b.exchange.fetch(secret.cid, { timeoutMs: 10_000 })).length).toBe(2);
  });
});
