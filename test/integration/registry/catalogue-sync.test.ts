import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CatalogueRecord } from "../../../actors/catalogue/record.ts";
import type { Config } from "../../../src/config/config.ts";
import type { ModuleEntry } from "../../../src/consensus/module-entry.ts";
import { type Block, cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { quietLog, sha256 } from "../../../src/node.ts";
import { Catalogue } from "../../../src/registry/catalogue.ts";
import { CatalogueLease } from "../../../src/registry/catalogue-lease.ts";
import {
  CATALOGUE_PROTOCOL,
  encodeAsk,
  encodePage,
  parseAsk,
  signHead,
} from "../../../src/registry/catalogue-protocol.ts";
import { serveCatalogue } from "../../../src/registry/catalogue-server.ts";
import { syncCatalogue } from "../../../src/registry/catalogue-sync.ts";
import { openCatalogueServer, syncFromAddress } from "../../../src/registry/peers.ts";
import { resolveModules } from "../../../src/registry/resolve.ts";
import { entryOf, publisher } from "../../support/catalogue.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";

const NODE = publisher(7);
let folder: TestFolder;
let echo: Uint8Array;
let other: Uint8Array;

beforeAll(async () => {
  folder = await makeTestFolder("catalogue-sync");
  echo = await watBytes(watSource());
  other = await watBytes(watSource({ fields: "(global i32 (i32.const 7))" }));
});
afterAll(() => folder.remove());

const opened = (path = folder.fresh()): Promise<Catalogue> => Catalogue.open(path, { create: true });
const versions = (catalogue: Catalogue): string[] =>
  catalogue.records().map(({ name, version }) => `${name}@${version}`);

/** Two nodes, of which the first serves a catalogue. */
function pair(catalogue: Catalogue): { server: Network; client: Network } {
  const hub = new MemoryHub();
  const server = hub.join(NODE.publicKey);
  serveCatalogue(server, (work) => work(catalogue), NODE);
  return { server, client: hub.join(publisher(8).publicKey) };
}

/** A peer that serves whatever list it likes, over the protocol as it is. */
class Liar {
  readonly blocks = new Map<string, Uint8Array>();
  readonly records: Block[] = [];
  readonly network: Network;
  readonly client: Network;
  count: number | undefined;
  signer = NODE;

  constructor() {
    const hub = new MemoryHub();
    this.network = hub.join(NODE.publicKey);
    this.client = hub.join(publisher(8).publicKey);
    this.network.serveBlocks(async (cid) => this.blocks.get(cid.toString()));
    this.network.handle(CATALOGUE_PROTOCOL, async (_from, request) => {
      const asked = parseAsk(request);
      if (asked.want === "head")
        return signHead({ head: this.head, count: this.count ?? this.records.length }, this.signer);
      const from = this.records.findIndex(({ cid }) => cid.equals(asked.from));
      return encodePage(this.page(this.records.slice(0, from + 1).reverse()));
    });
  }

  /** What it answers, newest first. */
  page: (records: Block[]) => Uint8Array[] = (records) => records.map(({ bytes }) => bytes);

  get head(): CID | null {
    return this.records.at(-1)?.cid ?? null;
  }

  put(entry: ModuleEntry, bytes: Uint8Array, change: Partial<CatalogueRecord> = {}): this {
    const block = cborBlock(sha256, entry);
    const module = rawBlock(sha256, bytes);
    const { name, version, publisher } = entry;
    const record = { v: 1, seq: this.records.length, prev: this.head, entry: block.cid, name, version, publisher };
    for (const one of [block, module]) this.blocks.set(one.cid.toString(), one.bytes);
    this.records.push(cborBlock(sha256, { ...record, module: entry.module, ...change }));
    return this;
  }
}

const fault = async (liar: Liar, catalogue?: Catalogue): Promise<unknown> => {
  await using own = catalogue ?? (await opened());
  const error = await syncCatalogue(own, liar.client, NODE.publicKey).catch((reason: unknown) => reason);
  expect(own.size).toBe(0);
  return error;
};

describe("a sync", () => {
  it("takes all that a peer has and asks for nothing twice", async () => {
    await using first = await opened();
    await using second = await opened();
    for (const version of ["1.0.0", "1.1.0"]) await first.add(entryOf(echo, { version }), echo);
    await first.add(entryOf(other, { name: "hot" }, publisher(2)), other);
    const { client } = pair(first);
    const report = await syncCatalogue(second, client, NODE.publicKey);
    expect(report).toMatchObject({ records: 3, present: 0, refused: [] });
    expect(report.added.map(({ name, version }) => `${name}@${version}`)).toEqual([
      "late@1.0.0",
      "late@1.1.0",
      "hot@1.0.0",
    ]);
    expect(versions(second)).toEqual(versions(first));
    expect(await syncCatalogue(second, client, NODE.publicKey)).toMatchObject({ added: [], present: 3, bytes: 0 });
    await first.add(entryOf(other, { version: "2.0.0" }), other);
    expect(await syncCatalogue(second, client, NODE.publicKey)).toMatchObject({
      added: [{ version: "2.0.0" }],
      present: 3,
    });
    // The third hears of it from the second.
    await using third = await opened();
    const from = pair(second);
    await syncCatalogue(third, from.client, NODE.publicKey);
    expect(versions(third)).toEqual(versions(first));
  });

  it("takes the newest version that is wanted, and nothing else", async () => {
    await using first = await opened();
    await using second = await opened();
    for (const version of ["1.0.0", "1.2.0", "1.3.0-beta.1", "2.0.0"])
      await first.add(entryOf(echo, { version }), echo);
    const { client } = pair(first);
    const wanted = [
      { name: "late", range: "^1" },
      { name: "cold", range: "*" },
    ];
    await syncCatalogue(second, client, NODE.publicKey, { wanted });
    expect(versions(second)).toEqual(["late@1.2.0"]);
  });

  it("keeps its own rules, and says what it did not take", async () => {
    await using first = await opened();
    await using second = await opened();
    await first.add(entryOf(other, {}, publisher(2)), other);
    await first.add(entryOf(other, { name: "hot", description: "first" }), other);
    await second.add(entryOf(echo), echo);
    await second.add(entryOf(other, { name: "hot" }), other);
    const { client } = pair(first);
    const report = await syncCatalogue(second, client, NODE.publicKey);
    expect(report.refused.map(({ name, code }) => [name, code])).toEqual([
      ["late", "CATALOGUE_NAME_TAKEN"],
      ["hot", "CATALOGUE_VERSION_TAKEN"],
    ]);
    expect(report.added).toEqual([]);
  });

  it("leaves out what it cannot run, which may be newer than it is", async () => {
    const hostile = await watBytes(`(module (import "env" "steal" (func)) (memory (export "memory") 1))`);
    const liar = new Liar()
      .put(entryOf(hostile), hostile)
      .put({ ...entryOf(echo, { name: "b" }), more: 1 } as ModuleEntry, echo);
    liar.put(entryOf(echo, { name: "good" }), echo);
    await using own = await opened();
    const report = await syncCatalogue(own, liar.client, NODE.publicKey);
    expect(report.refused.map(({ code }) => code).sort()).toEqual(["MODULE_IMPORT_DENIED", "NODE_MALFORMED"]);
    expect(versions(own)).toEqual(["good@1.0.0"]);
  });

  it("goes on where it was stopped", async () => {
    await using first = await opened();
    await using second = await opened();
    const fields = (n: number): string => `(global i32 (i32.const ${n}))`;
    const several = await Promise.all([1, 2, 3].map((n) => watBytes(watSource({ fields: fields(n) }))));
    for (const [n, bytes] of several.entries()) await first.add(entryOf(bytes, { version: `1.${n}.0` }), bytes);
    const { client, server } = pair(first);
    await using whole = await opened();
    // A byte less than it takes: the last module is missing.
    const bytesMax = (await syncCatalogue(whole, client, NODE.publicKey)).bytes - 1;
    const limited = syncCatalogue(second, client, NODE.publicKey, { bytesMax });
    await expect(limited).rejects.toMatchObject({ code: "CATALOGUE_SYNC_LIMIT", retry: "now" });
    expect(second.size).toBe(2);
    const rest = await syncCatalogue(second, client, NODE.publicKey);
    expect(rest).toMatchObject({ present: 2, added: [{ version: "1.2.0" }] });
    await server.close();
    await expect(syncCatalogue(second, client, NODE.publicKey)).rejects.toMatchObject({ code: "PEER_UNREACHABLE" });
  });

  it("is given records, entries and modules of the catalogue, and nothing else", async () => {
    await using first = await opened();
    const { entryBlock, moduleBlock } = await first.add(entryOf(echo), echo);
    const { client, server } = pair(first);
    const { head } = first.head;
    const got: Uint8Array[] = [];
    const cids = [head as CID, entryBlock.cid, moduleBlock.cid];
    for await (const block of client.fetchBlocks(server.self, cids)) got.push(block.bytes);
    expect(got.slice(1)).toEqual([entryBlock.bytes, moduleBlock.bytes]);
    const ask = (from: CID): Promise<Uint8Array> =>
      client.request(server.self, CATALOGUE_PROTOCOL, encodeAsk({ v: 1, want: "records", from }));
    await expect(ask(entryBlock.cid)).rejects.toMatchObject({ code: "CATALOGUE_RECORD_UNKNOWN" });
    const garbled = client.request(server.self, CATALOGUE_PROTOCOL, Uint8Array.of(1, 2));
    await expect(garbled).rejects.toMatchObject({ code: "DAG_MALFORMED" });
  });
});

describe("a false peer", () => {
  const named = {
    code: "CATALOGUE_PEER_FALSE",
    kind: "verification",
    where: Buffer.from(NODE.publicKey).toString("hex"),
  };

  it.each<[string, (liar: Liar) => void]>([
    ["signs with another key", (liar) => (liar.signer = publisher(9))],
    ["counts more records than there are", (liar) => (liar.count = 5)],
    ["claims more records than a catalogue holds", (liar) => (liar.count = 1e6)],
    ["sends other bytes", (liar) => (liar.page = () => [dagCbor.encode({ v: 1 })])],
    ["sends no record", (liar) => (liar.page = () => [])],
    ["sends more than the list", (liar) => (liar.page = ([one]) => [one?.bytes ?? echo, echo])],
    ["numbers them wrong", (liar) => liar.put(entryOf(echo, { name: "b" }), echo, { seq: 9 })],
    ["gives a name to two publishers", (liar) => liar.put(entryOf(other, { version: "3.0.0" }, publisher(2)), other)],
    ["changes a version", (liar) => liar.put(entryOf(other), other)],
    ["gives other words than the entry", (liar) => liar.put(entryOf(echo, { name: "b" }), echo, { version: "7.0.0" })],
    [
      "names another module than the entry",
      (liar) => liar.put(entryOf(echo, { name: "b" }), echo, { module: rawBlock(sha256, other).cid }),
    ],
  ])("that %s is named, and nothing of it is kept", async (_what, lie) => {
    const liar = new Liar().put(entryOf(echo), echo);
    lie(liar);
    expect(await fault(liar)).toMatchObject(named);
  });

  it("that gives an entry which its publisher did not sign is named", async () => {
    const liar = new Liar().put({ ...entryOf(echo), description: "better" }, echo);
    expect(await fault(liar)).toMatchObject({ ...named, cause: { code: "MODULE_SIGNATURE" } });
  });

  it("that gives other bytes for a block is named", async () => {
    const liar = new Liar().put(entryOf(echo), echo);
    liar.blocks.set(rawBlock(sha256, echo).cid.toString(), other);
    expect(await fault(liar)).toMatchObject({ ...named, cause: { code: "BLOCK_MISMATCH" } });
  });

  it("that takes back what it signed before is named, whatever its new list is", async () => {
    await using own = await opened();
    const liar = new Liar().put(entryOf(echo), echo).put(entryOf(echo, { version: "1.1.0" }), echo);
    await syncCatalogue(own, liar.client, NODE.publicKey);
    const [first] = liar.records;
    liar.records.splice(1, 1);
    await expect(syncCatalogue(own, liar.client, NODE.publicKey)).rejects.toMatchObject(named);
    liar.put(entryOf(other, { version: "1.1.0" }), other).put(entryOf(other, { version: "1.2.0" }), other);
    expect(liar.records[0]).toBe(first);
    await expect(syncCatalogue(own, liar.client, NODE.publicKey)).rejects.toMatchObject(named);
    expect(versions(own)).toEqual(["late@1.0.0", "late@1.1.0"]);
  });

  it("that withholds a block it names is told apart", async () => {
    const liar = new Liar().put(entryOf(echo), echo);
    liar.blocks.delete(rawBlock(sha256, echo).cid.toString());
    expect(await fault(liar)).toMatchObject({ code: "BLOCK_UNAVAILABLE", kind: "unreachable" });
  });
});

describe("over libp2p", () => {
  const log = quietLog;
  const { signal } = new AbortController();

  it("a catalogue is served while others publish to it, and found by its address, with the same key each time", async () => {
    const path = folder.fresh();
    {
      await using first = await opened(path);
      await first.add(entryOf(echo), echo);
    }
    await using second = await opened();
    const keys: string[] = [];
    for (const version of ["1.1.0", "1.2.0"]) {
      await using server = await openCatalogueServer(path, { log, signal });
      const [address = ""] = server.addresses;
      const { peer, present } = await syncFromAddress(second, address, { log });
      expect(present).toBe(keys.length);
      keys.push(peer);
      // Waits until the server has let the folder go.
      await using publishing = new CatalogueLease(path);
      await publishing.use((catalogue) => catalogue.add(entryOf(other, { version }), other));
      await publishing[Symbol.asyncDispose]();
      const late = syncFromAddress(second, address, { log, timeoutMs: 0 });
      await expect(late).rejects.toMatchObject({ code: "CATALOGUE_SYNC_TIMEOUT", kind: "unreachable" });
      if (version === "1.2.0")
        expect(await syncFromAddress(second, address, { log })).toMatchObject({ added: [{ version }], present: 2 });
    }
    expect(new Set(keys).size).toBe(1);
  });

  it("a run's peer that is gone does not matter while the catalogue has what fits", async () => {
    const path = folder.fresh();
    {
      await using own = await opened(path);
      await own.add(entryOf(echo), echo);
    }
    const peer = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDZ14mzUSqzvxrmbMHhqeFft9kaf4runVqAajqqpdAQBW";
    const resolved = async (module: string): Promise<[readonly string[], string[]]> => {
      const told: string[] = [];
      const tasks = [{ kind: "module", name: "delayed", module }];
      const config = { tasks, catalogue: { folder: path, peers: [peer] } } as unknown as Config;
      const found = await resolveModules(config, { log, signal, onPeer: ({ code }) => told.push(code) });
      return [[...found.values()].map(({ entry }) => entry.version), told];
    };
    expect(await resolved("late@^1")).toEqual([["1.0.0"], ["PEER_UNREACHABLE"]]);
    await expect(resolved("late@^2")).rejects.toMatchObject({ code: "PEER_UNREACHABLE", kind: "unreachable" });
  });

  it("addresses that are none, are not of this machine, or name nobody are refused", async () => {
    const path = folder.fresh();
    await (await opened(path)).close();
    const served = (listen: string): Promise<unknown> => openCatalogueServer(path, { listen, log, signal });
    for (const listen of ["here", "/memory/x", "/ip4/127.0.0.1/udp/1"])
      await expect(served(listen)).rejects.toMatchObject({ code: "ADDRESS_INVALID", kind: "config" });
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has an address of it.
    await expect(served("/ip4/192.0.2.1/tcp/0")).rejects.toMatchObject({ code: "ADDRESS_UNUSABLE", kind: "config" });
    await using own = await opened(path);
    for (const address of ["here", "/ip4/127.0.0.1/tcp/1"])
      await expect(syncFromAddress(own, address, { log })).rejects.toMatchObject({ code: "ADDRESS_INVALID" });
  });
});
