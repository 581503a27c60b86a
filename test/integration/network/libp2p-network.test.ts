import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { rawBlock } from "../../../src/dag/block.ts";
import {
  createLibp2pNetwork,
  type Libp2pNetwork,
  type Libp2pNetworkOptions,
} from "../../../src/network/libp2p-network.ts";
import { STREAMS_PER_PROTOCOL_MAX } from "../../../src/network/limits.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
const seedOf = (index: number): Uint8Array => sha256(Uint8Array.of(index));

describe("libp2p network", () => {
  const networks: Libp2pNetwork[] = [];

  async function start(options: Partial<Libp2pNetworkOptions> = {}): Promise<Libp2pNetwork> {
    const bootstrap = networks.flatMap((network) => network.addresses);
    const network = await createLibp2pNetwork({
      seed: seedOf(networks.length),
      transport: "memory",
      bootstrap,
      domainNodes: 3,
      ...options,
    });
    networks.push(network);
    return network;
  }

  afterEach(async () => {
    await Promise.all(networks.splice(0).map((network) => network.close()));
  });

  for (const transport of ["memory", "tcp"] as const) {
    it(`moves blocks on a connection of their own, in both directions (${transport})`, async () => {
      const a = await start({ transport });
      const b = await start({ transport });
      await Promise.all([a.waitForPeers(1), b.waitForPeers(1)]);
      const block = rawBlock(sha256, new Uint8Array(100).fill(1));
      for (const network of [a, b]) network.serveBlocks(async () => block.bytes);
      a.handle("/who/1", async (from) => from);
      for (let round = 0; round < 2; round++) {
        for await (const got of b.fetchBlocks(a.self, [block.cid])) expect(got.bytes).toEqual(block.bytes);
      }
      expect(b.libp2p.getConnections().length).toBe(2);
      for await (const got of a.fetchBlocks(b.self, [block.cid])) expect(got.bytes).toEqual(block.bytes);
      expect(a.libp2p.getConnections().length).toBe(3);
      expect(a.peers().length).toBe(1);
      expect(await b.request(a.self, "/who/1", new Uint8Array(0))).toEqual(new Uint8Array(b.self));
    });
  }

  it("has no more streams of a protocol to one peer than it may: PEER_BUSY, until one of them ends", async () => {
    const a = await start();
    const b = await start();
    await b.waitForPeers(1);
    const held: ((answer: Uint8Array) => void)[] = [];
    const full = Promise.withResolvers<void>();
    a.handle("/hold/1", () => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      if (held.push(resolve) === STREAMS_PER_PROTOCOL_MAX) full.resolve();
      return promise;
    });
    const ask = (): Promise<Uint8Array> => b.request(a.self, "/hold/1", new Uint8Array(1));
    const waiting = Array.from({ length: STREAMS_PER_PROTOCOL_MAX }, ask);
    await full.promise;
    await expect(ask()).rejects.toMatchObject({ code: "PEER_BUSY", retry: "later", where: "/hold/1" });
    for (const resolve of held) resolve(new Uint8Array(2));
    expect(await Promise.all(waiting)).toHaveLength(STREAMS_PER_PROTOCOL_MAX);
  });

  it("connects again to a bootstrap node that comes back", async () => {
    const address = "/memory/comes-back";
    const b = await start({ bootstrap: [address] });
    const a = await start({ seed: seedOf(9), listen: [address], bootstrap: [] });
    await b.waitForPeers(1, { timeoutMs: 20_000 });
    await a.close();
    networks.splice(networks.indexOf(a), 1);
    await start({ seed: seedOf(9), listen: [address], bootstrap: [] });
    await b.waitForPeers(1, { timeoutMs: 20_000 });
  });

  it("has the identity of its seed, listens on loopback, and refuses what is unsafe", async () => {
    const a = await start({ transport: "tcp" });
    expect(a.addresses.every((address) => address.startsWith("/ip4/127.0.0.1/tcp/"))).toBe(true);
    const first = a.self;
    await a.close();
    networks.length = 0;
    expect((await start()).self).toEqual(first);
    await expect(createLibp2pNetwork({ seed: new Uint8Array(31), transport: "memory" })).rejects.toMatchObject({
      code: "KEY_INVALID",
    });
    await expect(
      createLibp2pNetwork({ seed: seedOf(5), transport: "tcp", encryption: "plaintext" }),
    ).rejects.toMatchObject({ code: "NETWORK_INSECURE" });
  });

  it("closes when its signal aborts", async () => {
    const controller = new AbortController();
    const a = await start({ signal: controller.signal });
    const waiting = expect(a.waitForPeers(1)).rejects.toMatchObject({ code: "NETWORK_CLOSED" });
    controller.abort();
    await waiting;
    await expect(
      createLibp2pNetwork({ seed: seedOf(5), transport: "memory", signal: controller.signal }),
    ).rejects.toThrow();
  });

  it("leaves nothing that keeps the process alive", async () => {
    const source = new URL("../../../src/network/libp2p-network.ts", import.meta.url).href;
    const script = `
      const { createLibp2pNetwork } = await import(${JSON.stringify(source)});
      const options = (n, bootstrap) => ({ seed: new Uint8Array(32).fill(n), transport: "tcp", bootstrap, domainNodes: 2 });
      const a = await createLibp2pNetwork(options(1, []));
      const b = await createLibp2pNetwork(options(2, a.addresses));
      for (const network of [a, b]) network.subscribe("t", () => {});
      await Promise.all([a, b].map((network) => network.waitForPeers(1, { topic: "t" })));
      b.handle("/echo/1", async (_, request) => request);
      await a.request(b.self, "/echo/1", new Uint8Array(1));
      await Promise.all([a.close(), b.close()]);
      const closed = performance.now();
      process.on("exit", () => console.log("exit after", performance.now() - closed));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      timeout: 30_000,
    });
    expect(stdout).toMatch(/^exit after/);
    // Without the care taken in stopLibp2pNode it is more than 900 ms.
    expect(Number(/after ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(700);
  });
});
