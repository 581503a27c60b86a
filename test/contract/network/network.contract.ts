import { createHash } from "node:crypto";
import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../../src/core/bytes.ts";
import { hasCode, IpdmError } from "../../../src/core/errors.ts";
import { type Block, rawBlock } from "../../../src/dag/block.ts";
import { BLOCKS_PROTOCOL } from "../../../src/network/block-protocol.ts";
import type { ByteStream } from "../../../src/network/byte-stream.ts";
import {
  GOSSIP_QUEUE_MAX,
  GOSSIP_SIZE_MAX_BYTES,
  REQUEST_SIZE_MAX_BYTES,
  RESPONSE_SIZE_MAX_BYTES,
} from "../../../src/network/limits.ts";
import type { GossipMessage, Network } from "../../../src/network/port.ts";

/** What an adapter gives to be tested. */
export interface NetworkFixture {
  /** Starts one more node that will be connected to all before it. */
  start(): Promise<Network>;
  /** A bare stream between two nodes, for a peer that breaks the protocols. */
  openBytes(from: Network, to: Network, protocol: string): Promise<ByteStream>;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
const ECHO = "/test/echo/1";

/** The promises of the Network port; every adapter keeps them. */
export function networkContract(name: string, makeFixture: () => Promise<NetworkFixture>): void {
  describe(`network contract: ${name}`, () => {
    async function using(
      nodes: number,
      run: (networks: Network[], fixture: NetworkFixture) => Promise<void>,
    ): Promise<void> {
      const fixture = await makeFixture();
      try {
        const networks: Network[] = [];
        for (let i = 0; i < nodes; i++) networks.push(await fixture.start());
        await Promise.all(networks.map((network) => network.waitForPeers(nodes - 1, { timeoutMs: 20_000 })));
        await run(networks, fixture);
      } finally {
        await fixture.close();
      }
    }
    const pair = (run: (a: Network, b: Network, fixture: NetworkFixture) => Promise<void>): Promise<void> =>
      using(2, ([a, b], fixture) => run(a as Network, b as Network, fixture));

    it("gossips to every other subscriber once, from its signer, and not to itself", () =>
      using(4, async (networks) => {
        const inboxes = networks.map((network) => collect(network, "t"));
        await meshed(networks, "t");
        const count = 40;
        for (let i = 0; i < count; i++) await (networks[i % 4] as Network).publish("t", utf8(`message ${i}`));
        await Promise.all(inboxes.map((inbox) => inbox.atLeast(count * 0.75)));
        // A marker from everyone, and its arrival everywhere, shows that nothing came twice before it.
        await Promise.all(networks.map((network) => network.publish("t", utf8(`end of ${toHex(network.self)}`))));
        await Promise.all(inboxes.map((inbox) => inbox.atLeast(count * 0.75 + 3)));
        for (const [index, inbox] of inboxes.entries()) {
          const texts = inbox.messages.map((message) => new TextDecoder().decode(message.data));
          expect(new Set(texts).size).toBe(texts.length);
          expect(texts.length).toBe(count * 0.75 + 3);
          for (const message of inbox.messages) {
            const text = new TextDecoder().decode(message.data);
            const at = /^message (\d+)$/.exec(text)?.[1];
            if (at === undefined) continue;
            expect(Number(at) % 4).not.toBe(index);
            expect(toHex(message.from)).toBe(toHex((networks[Number(at) % 4] as Network).self));
          }
        }
      }));

    it("keeps topics apart and stops delivering when told", () =>
      pair(async (a, b) => {
        const one = collect(b, "one");
        const other = collect(b, "other");
        for (const topic of ["one", "other"]) a.subscribe(topic, () => undefined);
        await Promise.all(["one", "other"].map((topic) => meshed([a, b], topic)));
        await a.publish("one", utf8("1"));
        await one.atLeast(1);
        one.end();
        await a.publish("one", utf8("2"));
        await a.publish("other", utf8("3"));
        await other.atLeast(1);
        expect(one.messages.length).toBe(1);
        expect(other.messages.map((message) => new TextDecoder().decode(message.data))).toEqual(["3"]);
      }));

    it("delivers to a late subscriber what is published after it joined", () =>
      using(2, async ([a, b], fixture) => {
        const first = collect(b as Network, "t");
        (a as Network).subscribe("t", () => undefined);
        await meshed([a as Network, b as Network], "t");
        await (a as Network).publish("t", utf8("early"));
        await first.atLeast(1);
        const c = await fixture.start();
        const late = collect(c, "t");
        await Promise.all(
          [a as Network, b as Network, c].map((network) => network.waitForPeers(2, { topic: "t", timeoutMs: 20_000 })),
        );
        await (a as Network).publish("t", utf8("late"));
        await late.atLeast(1);
        expect(new TextDecoder().decode(late.messages.at(-1)?.data)).toBe("late");
      }));

    it("lets a node that does not subscribe publish", () =>
      pair(async (a, b) => {
        const inbox = collect(b, "t");
        await a.waitForPeers(1, { topic: "t", timeoutMs: 20_000 });
        await a.publish("t", utf8("hello"));
        await inbox.atLeast(1);
        expect(toHex(inbox.messages[0]?.from ?? new Uint8Array(0))).toBe(toHex(a.self));
      }));

    it("carries a gossip message of the largest size and refuses one byte more", () =>
      pair(async (a, b) => {
        const inbox = collect(b, "t");
        a.subscribe("t", () => undefined);
        await meshed([a, b], "t");
        await expect(a.publish("t", new Uint8Array(GOSSIP_SIZE_MAX_BYTES + 1))).rejects.toMatchObject({
          code: "GOSSIP_TOO_LARGE",
        });
        await a.publish("t", new Uint8Array(GOSSIP_SIZE_MAX_BYTES).fill(7));
        await inbox.atLeast(1);
        expect(inbox.messages[0]?.data).toEqual(new Uint8Array(GOSSIP_SIZE_MAX_BYTES).fill(7));
      }));

    it("bounds what waits to be gossiped, and delivers the rest", () =>
      pair(async (a, b) => {
        const inbox = collect(b, "t");
        a.subscribe("t", () => undefined);
        await meshed([a, b], "t");
        const outcomes = await Promise.allSettled(
          Array.from({ length: GOSSIP_QUEUE_MAX + 50 }, (_, i) => a.publish("t", utf8(String(i)))),
        );
        const refused = outcomes.filter((outcome) => outcome.status === "rejected");
        expect(refused.length).toBe(50);
        for (const outcome of refused) expect(hasCode(outcome.reason, "GOSSIP_QUEUE_FULL")).toBe(true);
        await inbox.atLeast(GOSSIP_QUEUE_MAX);
      }));

    it("answers requests, knowing who asks", () =>
      pair(async (a, b) => {
        const end = b.handle(ECHO, async (from, request) => Uint8Array.of(...from.subarray(0, 2), ...request));
        const asked = Array.from({ length: 50 }, (_, i) => a.request(b.self, ECHO, Uint8Array.of(i)));
        const answers = await Promise.all(asked);
        for (const [i, answer] of answers.entries()) expect([...answer]).toEqual([...a.self.subarray(0, 2), i]);
        expect(() => b.handle(ECHO, async () => new Uint8Array(0))).toThrow(
          expect.objectContaining({ code: "PROTOCOL_TAKEN" }),
        );
        end();
        await expect(a.request(b.self, ECHO, new Uint8Array(0))).rejects.toMatchObject({
          code: "PROTOCOL_UNSUPPORTED",
        });
        b.handle(ECHO, async () => new Uint8Array(0));
        expect(await a.request(b.self, ECHO, new Uint8Array(0))).toEqual(new Uint8Array(0));
      }));

    it("carries requests and responses up to their limits and refuses more", () =>
      pair(async (a, b) => {
        b.handle(ECHO, async (_, request) =>
          new Uint8Array(RESPONSE_SIZE_MAX_BYTES + (request[0] === 1 ? 1 : 0)).fill(3),
        );
        const response = await a.request(b.self, ECHO, new Uint8Array(REQUEST_SIZE_MAX_BYTES));
        expect(response.length).toBe(RESPONSE_SIZE_MAX_BYTES);
        await expect(a.request(b.self, ECHO, new Uint8Array(REQUEST_SIZE_MAX_BYTES + 1))).rejects.toMatchObject({
          code: "REQUEST_TOO_LARGE",
        });
        await expect(a.request(b.self, ECHO, Uint8Array.of(1))).rejects.toMatchObject({ code: "RESPONSE_TOO_LARGE" });
      }));

    it("keeps the code of a handler's error and hides what was not meant to be read", () =>
      pair(async (a, b) => {
        b.handle(ECHO, async (_, request) => {
          if (request[0] === 1) throw new Error("secret path");
          throw new IpdmError("SLOT_UNKNOWN", "no such slot", { kind: "conflict", hint: "submit it", retry: "later" });
        });
        await expect(a.request(b.self, ECHO, Uint8Array.of(0))).rejects.toMatchObject({
          code: "SLOT_UNKNOWN",
          message: "no such slot",
          kind: "conflict",
          hint: "submit it",
          retry: "later",
          facts: { remote: true },
        });
        const hidden = await a.request(b.self, ECHO, Uint8Array.of(1)).catch((error: unknown) => error);
        expect(hidden).toMatchObject({ code: "REMOTE_FAILED" });
        expect(JSON.stringify(hidden) + String(hidden)).not.toContain("secret");
      }));

    it("gives up on a handler that does not answer, and tells the handler", () =>
      pair(async (a, b) => {
        const told = Promise.withResolvers<void>();
        let isReached = false;
        b.handle(ECHO, (_from, _request, signal) => {
          isReached = true;
          signal.addEventListener("abort", () => told.resolve());
          return new Promise(() => undefined);
        });
        // On a busy machine the time may be over before the request arrives: there is no one to tell then.
        for (let timeoutMs = 60; !isReached; timeoutMs *= 2) {
          await expect(a.request(b.self, ECHO, new Uint8Array(1), { timeoutMs })).rejects.toMatchObject({
            code: "REQUEST_TIMEOUT",
          });
        }
        await told.promise;
        const controller = new AbortController();
        const asked = a.request(b.self, ECHO, new Uint8Array(1), { signal: controller.signal });
        controller.abort(new Error("not needed any more"));
        await expect(asked).rejects.toThrow("not needed any more");
        await expect(a.request(b.self, ECHO, new Uint8Array(1), { signal: controller.signal })).rejects.toThrow(
          "not needed any more",
        );
      }));

    it("says when a peer cannot be reached", () =>
      pair(async (a, b) => {
        const stranger = new Uint8Array(sha256(utf8("nobody")));
        await expect(a.request(stranger, ECHO, new Uint8Array(0))).rejects.toMatchObject({
          code: "PEER_UNREACHABLE",
          kind: "unreachable",
        });
        await expect(drain(a.fetchBlocks(stranger, [blockOf(1, 1).cid]))).rejects.toMatchObject({
          code: "PEER_UNREACHABLE",
        });
        await expect(a.request(b.self, "/test/none/1", new Uint8Array(0))).rejects.toMatchObject({
          code: "PROTOCOL_UNSUPPORTED",
        });
        await expect(a.waitForPeers(2, { timeoutMs: 30 })).rejects.toMatchObject({ code: "PEERS_TIMEOUT" });
      }));

    it("fetches blocks of every size, in the order asked, the same one twice if asked", () =>
      pair(async (a, b) => {
        const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000, 8 * 1024 * 1024];
        const blocks = sizes.map((size, i) => blockOf(i, size));
        b.serveBlocks(providerOf(blocks));
        const asked = [...blocks, ...blocks.slice(0, 3)].map((block) => block.cid);
        const got = await drain(a.fetchBlocks(b.self, asked));
        expect(got.map((block) => block.cid.toString())).toEqual(asked.map((cid) => cid.toString()));
        for (const block of got) expect(sha256(block.bytes)).toEqual(Buffer.from(block.cid.multihash.digest));
        expect(await drain(a.fetchBlocks(b.self, []))).toEqual([]);
      }));

    it("fetches hundreds of blocks at the reader's pace, with little under way", () =>
      pair(async (a, b) => {
        const blocks = Array.from({ length: 300 }, (_, i) => blockOf(i, 130 * 1024));
        const provide = providerOf(blocks);
        let served = 0;
        let ahead = 0;
        let got = 0;
        b.serveBlocks(async (cid) => {
          served += 1;
          ahead = Math.max(ahead, served - got);
          return provide(cid);
        });
        for await (const block of a.fetchBlocks(
          b.self,
          blocks.map((one) => one.cid),
        )) {
          expect(block.bytes.length).toBe(130 * 1024);
          got += 1;
          // Give the sender every chance to run ahead.
          for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(got).toBe(300);
        // 32 frames of 64 KiB are 10 such blocks, and one is being read and one looked up.
        expect(ahead).toBeLessThanOrEqual(14);
      }));

    it("rejects the bytes of a peer that lies", () =>
      pair(async (a, b) => {
        const good = blockOf(1, 1000);
        const bad = blockOf(2, 200_000);
        b.serveBlocks(async (cid) => (cid.equals(good.cid) ? good.bytes : new Uint8Array(200_000)));
        const got: Block[] = [];
        const reading = (async () => {
          for await (const block of a.fetchBlocks(b.self, [good.cid, bad.cid, good.cid])) got.push(block);
        })();
        await expect(reading).rejects.toMatchObject({
          code: "BLOCK_MISMATCH",
          kind: "verification",
          where: bad.cid.toString(),
        });
        expect(got.length).toBe(1);
      }));

    it("gives the blocks that are there before it names those that are not", () =>
      pair(async (a, b) => {
        const blocks = Array.from({ length: 5 }, (_, i) => blockOf(i, 100));
        const asked = blocks.map((block) => block.cid);
        await expect(drain(a.fetchBlocks(b.self, asked))).rejects.toMatchObject({ code: "BLOCK_UNAVAILABLE" });
        b.serveBlocks(providerOf(blocks.slice(0, 3)));
        const got: Block[] = [];
        const reading = (async () => {
          for await (const block of a.fetchBlocks(b.self, asked)) got.push(block);
        })();
        await expect(reading).rejects.toMatchObject({
          code: "BLOCK_UNAVAILABLE",
          facts: { missing: 2, cids: asked.slice(3).map(String) },
        });
        expect(got.length).toBe(3);
      }));

    it("lets a reader leave, abort, or time out in the middle of blocks", () =>
      pair(async (a, b) => {
        const blocks = Array.from({ length: 100 }, (_, i) => blockOf(i, 130 * 1024));
        const asked = blocks.map((block) => block.cid);
        b.serveBlocks(providerOf(blocks));
        for await (const block of a.fetchBlocks(b.self, asked)) {
          expect(block.cid.equals(asked[0])).toBe(true);
          break;
        }
        const controller = new AbortController();
        const reading = (async () => {
          for await (const _ of a.fetchBlocks(b.self, asked, { signal: controller.signal }))
            controller.abort(new Error("enough"));
        })();
        await expect(reading).rejects.toThrow("enough");
        b.serveBlocks(() => new Promise(() => undefined));
        await expect(drain(a.fetchBlocks(b.self, asked, { timeoutMs: 60 }))).rejects.toMatchObject({
          code: "BLOCK_TIMEOUT",
        });
      }));

    it("closes only the stream on which a peer breaks the framing", () =>
      pair(async (a, b, fixture) => {
        b.handle(ECHO, async (_, request) => request);
        b.serveBlocks(providerOf([blockOf(1, 10)]));
        const junk = [
          Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3),
          Uint8Array.of(0, 0, 0, 5, 1, 200, 1, 2, 3),
          Uint8Array.of(0, 0, 0, 1, 9),
          Uint8Array.of(0, 0, 0, 2, 2, 255),
        ];
        for (const bytes of junk) {
          const stream = await fixture.openBytes(a, b, BLOCKS_PROTOCOL);
          const ended = endOf(stream);
          await stream.send(bytes);
          await ended;
        }
        const stream = await fixture.openBytes(a, b, ECHO);
        const ended = endOf(stream);
        await stream.send(Uint8Array.of(0xff, 0, 0, 0));
        await ended;
        expect(await a.request(b.self, ECHO, Uint8Array.of(1))).toEqual(Uint8Array.of(1));
        expect((await drain(a.fetchBlocks(b.self, [blockOf(1, 10).cid]))).length).toBe(1);
        expect(a.peers().length).toBe(1);
      }));

    it("close ends everything that is under way", () =>
      pair(async (a, b) => {
        b.handle(ECHO, () => new Promise(() => undefined));
        b.serveBlocks(() => new Promise(() => undefined));
        const waits = [
          a.request(b.self, ECHO, new Uint8Array(1)),
          drain(a.fetchBlocks(b.self, [blockOf(1, 1).cid])),
          a.waitForPeers(5),
          a.waitForPeers(1, { topic: "nobody" }),
        ].map((wait) =>
          wait.then(
            () => "resolved",
            (error: unknown) => (error as IpdmError).code,
          ),
        );
        await a.close();
        expect(await Promise.all(waits)).toEqual(Array.from({ length: 4 }, () => "NETWORK_CLOSED"));
        await a.close();
        await expect(a.publish("t", new Uint8Array(1))).rejects.toMatchObject({ code: "NETWORK_CLOSED" });
        await expect(a.request(b.self, ECHO, new Uint8Array(1))).rejects.toMatchObject({ code: "NETWORK_CLOSED" });
        await expect(a.waitForPeers(0)).rejects.toMatchObject({ code: "NETWORK_CLOSED" });
        expect(() => a.subscribe("t", () => undefined)).toThrow(expect.objectContaining({ code: "NETWORK_CLOSED" }));
        expect(a.peers()).toEqual([]);
      }));

    it("fails what waits on a peer that goes away", () =>
      pair(async (a, b) => {
        const asked = Promise.withResolvers<void>();
        b.handle(ECHO, () => {
          asked.resolve();
          return new Promise(() => undefined);
        });
        const waiting = expect(a.request(b.self, ECHO, new Uint8Array(1))).rejects.toMatchObject({
          code: "PEER_UNREACHABLE",
        });
        await asked.promise;
        await b.close();
        await waiting;
      }));
  });
}

interface Inbox {
  readonly messages: GossipMessage[];
  atLeast(count: number): Promise<void>;
  end(): void;
}

function collect(network: Network, topic: string): Inbox {
  const messages: GossipMessage[] = [];
  let check = (): void => undefined;
  const end = network.subscribe(topic, (message) => {
    messages.push(message);
    check();
  });
  return {
    messages,
    end,
    atLeast: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (messages.length >= count) resolve();
        };
        check();
      }),
  };
}

async function meshed(networks: readonly Network[], topic: string): Promise<void> {
  await Promise.all(networks.map((network) => network.waitForPeers(networks.length - 1, { topic, timeoutMs: 20_000 })));
}

function blockOf(seed: number, size: number): Block {
  return rawBlock(sha256, new Uint8Array(size).fill(seed + 1));
}

function providerOf(blocks: readonly Block[]): (cid: CID) => Promise<Uint8Array | undefined> {
  const byCid = new Map(blocks.map((block) => [block.cid.toString(), block.bytes]));
  return async (cid) => byCid.get(cid.toString());
}

async function drain(blocks: AsyncIterable<Block>): Promise<Block[]> {
  const all: Block[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

function endOf(stream: ByteStream): Promise<void> {
  return new Promise((resolve) => stream.listen({ data: () => undefined, end: resolve, fail: () => resolve() }));
}
