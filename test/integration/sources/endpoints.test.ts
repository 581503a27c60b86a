import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlockFiles } from "../../../src/sources/chain/block-files.ts";
import { Endpoints } from "../../../src/sources/chain/endpoints.ts";
import { fetchRange } from "../../../src/sources/chain/fetch.ts";
import { chainFormat } from "../../../src/sources/chain/formats.ts";
import { HeadFollower } from "../../../src/sources/chain/head-follower.ts";
import type { EndpointMode } from "../../../src/sources/chain/kind.ts";
import { Endpoint, type EndpointOptions } from "../../../src/sources/json-rpc/endpoint.ts";
import { blockHash } from "../../support/blocks.ts";
import { type Deed, RpcServer, type ServedCall } from "../../support/rpc-server.ts";

const QUICK: EndpointOptions = { backoffMs: 1, timeoutMs: 20_000, attempts: 3 };
const idle = new AbortController().signal;
const format = chainFormat("ethereum");

let folder: string;
let server: RpcServer;
let other: RpcServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "endpoints-"));
  server = await RpcServer.open();
  other = await RpcServer.open();
  for (const each of [server, other]) each.make(1, 25, { transactions: 2 });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function fetchBlocks(
  from: number,
  to: number,
  { urls = [server.url], mode = "compare" as EndpointMode, options = QUICK } = {},
) {
  const endpoints = new Endpoints("ethereum", urls, mode, options);
  const files = await BlockFiles.open(folder, format);
  const spec = { kind: "ethereum", places: [], from, to, anchor: null, chain: null } as const;
  const { blocks } = await fetchRange({ endpoints, files, format, signal: idle, worker: false }, spec, from, to);
  return [...blocks.heads()];
}

const hashesOf = (blocks: readonly { readonly hash: string }[]): readonly string[] => blocks.map(({ hash }) => hash);
const expected = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => blockHash(from + i));
const methods = (calls: readonly ServedCall[]): readonly string[] => calls.map(({ method }) => method);

describe("fetching a range", () => {
  it("gets every block once, in batches, few requests at once; what is there is not fetched again", async () => {
    expect(hashesOf(await fetchBlocks(3, 12))).toEqual(expected(3, 12));
    expect(server.calls).toHaveLength(21);
    expect(server.requests).toBe(3);
    expect(hashesOf(await fetchBlocks(1, 25))).toEqual(expected(1, 25));
    expect(server.calls.filter(({ method }) => method === "eth_getBlockReceipts")).toHaveLength(25);
    expect(server.atOnce).toBeLessThanOrEqual(4);
  });

  it.each<[string, Deed]>([
    ["limits the rate", { status: 429, headers: { "retry-after": "0" } }],
    ["is not there for a while", { status: 503 }],
    ["hangs up", "hang up"],
    ["cuts its reply", "cut"],
    ["stalls", "stall"],
    ["replies with something else", { text: "<html>" }],
    ["leaves an answer out", { text: "[]" }],
    [
      "says it is overloaded",
      { answer: ({ id }) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32005,"message":"slow down"}}` },
    ],
  ])("goes on when the endpoint %s", async (_, deed) => {
    const options = deed === "stall" ? { ...QUICK, timeoutMs: 500 } : QUICK;
    const seen = new Set<string>();
    server.deed = (calls) => {
      const key = JSON.stringify(calls.map(({ method, params }) => [method, params]));
      return seen.size === seen.add(key).size ? undefined : deed;
    };
    expect(hashesOf(await fetchBlocks(1, 12, { options }))).toEqual(expected(1, 12));
  });

  it("waits as long as the endpoint asks, and gives up in the end, saying what it was", async () => {
    server.deed = () => ({ status: 429, headers: { "retry-after": "0.0" } });
    await expect(fetchBlocks(1, 2)).rejects.toMatchObject({
      code: "ENDPOINT_UNREACHABLE",
      kind: "unreachable",
      message: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:\d+ gives no answer: it answered with HTTP status 429 \(3 attempts\)$/,
      ),
    });
    const call = [{ method: "eth_chainId", params: [] }];
    const waiting = new AbortController();
    server.deed = () => {
      setTimeout(() => waiting.abort(new Error("long enough")), 20); // deadline
      return { status: 429, headers: { "retry-after": "30" } };
    };
    await expect(new Endpoint(server.url, QUICK).call(call, waiting.signal)).rejects.toThrow("long enough");
    expect(server.requests).toBe(4);
  });

  it("does not try what cannot help", async () => {
    server.deed = () => ({ status: 401 });
    await expect(fetchBlocks(1, 2)).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
    expect(server.requests).toBe(1);
    server.deed = () => ({
      answer: ({ id }) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32602,"message":"pruned \\"history\\""}}`,
    });
    await expect(fetchBlocks(1, 1)).rejects.toMatchObject({
      code: "ENDPOINT_REFUSED",
      message: expect.stringMatching(/refuses eth_getBlockByNumber with error -32602: .*pruned/),
      facts: { rpcCode: -32602 },
    });
  });

  it("sends user and password of an address as a header, and shows neither them nor the path", async () => {
    const url = `${server.url.replace("//", "//me:p%40ss@")}/key?more=1`;
    expect(hashesOf(await fetchBlocks(1, 2, { urls: [url] }))).toEqual(expected(1, 2));
    expect(server.authorization).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    server.deed = () => ({ status: 403 });
    const failed = fetchBlocks(3, 4, { urls: [url] });
    await expect(failed).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE", where: `${server.url}/…` });
  });

  it("says which method the endpoint does not have", async () => {
    server.deed = () => ({
      answer: ({ id }) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"what?"}}`,
    });
    await expect(fetchBlocks(1, 1)).rejects.toMatchObject({
      code: "METHOD_MISSING",
      facts: { method: "eth_getBlockByNumber" },
    });
  });

  it("makes smaller batches where the endpoint takes no larger ones", async () => {
    server.deed = (calls) =>
      calls.length > 3
        ? { text: '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}' }
        : undefined;
    expect(hashesOf(await fetchBlocks(1, 20))).toEqual(expected(1, 20));
    server.deed = (calls) => (calls.length > 1 ? { status: 413 } : undefined);
    expect(hashesOf(await fetchBlocks(21, 23))).toEqual(expected(21, 23));
    server.deed = (calls) => (calls.length > 1 ? { status: 400 } : undefined);
    expect(hashesOf(await fetchBlocks(24, 25))).toEqual(expected(24, 25));
  });

  it("asks for receipts one by one where the endpoint cannot give those of a block", async () => {
    server.deed = () => ({
      answer: ({ id, method }) =>
        method === "eth_getBlockReceipts"
          ? `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no such method"}}`
          : undefined,
    });
    expect(hashesOf(await fetchBlocks(1, 25))).toEqual(expected(1, 25));
    expect(methods(server.calls)).toContain("eth_getTransactionReceipt");
    const kept = await readFile(join(folder, "0", "9.json"), "utf8");
    const { receipts } = JSON.parse(kept) as { receipts: { transactionHash: string }[] };
    expect(receipts.map(({ transactionHash }) => transactionHash)).toEqual([
      blockHash(9000, "t"),
      blockHash(9001, "t"),
    ]);
  });

  it("names a block that the endpoint does not have, one that is another, and one that is none", async () => {
    await expect(fetchBlocks(20, 30)).rejects.toMatchObject({ code: "CHAIN_GAP", facts: { block: 26 } });
    const answer = (json: string): Deed => ({
      answer: ({ id, method }) => (method === "eth_getBlockByNumber" ? `{"id":${id},"result":${json}}` : undefined),
    });
    server.deed = (calls) => (calls[0]?.params[1] === true ? answer(server.blocks.get(9)?.block ?? "") : undefined);
    await expect(fetchBlocks(1, 1)).rejects.toMatchObject({
      code: "ENDPOINT_ODD",
      message: expect.stringMatching(/block 9 when it is asked for 1/),
    });
    server.deed = () => answer("{}");
    await expect(fetchBlocks(1, 1)).rejects.toMatchObject({
      code: "ENDPOINT_ODD",
      message: expect.stringMatching(/number/),
    });
  });

  it("fetches again what was given up by a reorganisation, and what is damaged", async () => {
    await fetchBlocks(1, 20);
    server.make(15, 25, { branch: "b" });
    await writeFile(join(folder, "0", "3.json"), '{"block":');
    await writeFile(join(folder, "0", "4.json.tmp"), "half");
    const before = server.calls.length;
    const blocks = await fetchBlocks(1, 20);
    expect(hashesOf(blocks)).toEqual([
      ...expected(1, 14),
      ...Array.from({ length: 6 }, (_, i) => blockHash(15 + i, "b")),
    ]);
    const fetched = server.calls.slice(before).filter(({ method }) => method === "eth_getBlockReceipts");
    expect(fetched).toHaveLength(7);
    expect(await readdir(join(folder, "0"))).toHaveLength(20);
  });

  it("fetches again when the chain is reorganised meanwhile, and says when it never settles", async () => {
    server.deed = (calls, n) => {
      if (n === 2 && methods(calls)[0] === "eth_getBlockReceipts") server.make(5, 25, { branch: "b" });
      return undefined;
    };
    const blocks = await fetchBlocks(1, 9);
    expect(hashesOf(blocks)).toEqual([
      ...expected(1, 4),
      ...Array.from({ length: 5 }, (_, i) => blockHash(5 + i, "b")),
    ]);
    other.blocks.set(7, {
      block: (other.blocks.get(7)?.block ?? "").replace(blockHash(6), blockHash(6, "z")),
      receipts: "[]",
    });
    await rm(folder, { recursive: true });
    await expect(fetchBlocks(1, 9, { urls: [other.url] })).rejects.toMatchObject({ code: "CHAIN_REORGANISED" });
  });
});

describe("several endpoints", () => {
  const both = (): string[] => [server.url, other.url];

  it("give blocks that all of them agree on, in turn", async () => {
    expect(hashesOf(await fetchBlocks(1, 25, { urls: both() }))).toEqual(expected(1, 25));
    for (const { calls } of [server, other]) expect(methods(calls)).toContain("eth_getBlockReceipts");
  });

  it("are compared block by block: who says what is named", async () => {
    other.make(13, 25, { branch: "b" });
    const error = await fetchBlocks(1, 25, { urls: both() }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ENDPOINTS_DISAGREE", kind: "verification" });
    const { block, said } = (error as { facts: { block: number; said: unknown } }).facts;
    expect(said).toEqual([
      { endpoint: new URL(server.url).origin, value: blockHash(block) },
      { endpoint: new URL(other.url).origin, value: blockHash(block, "b") },
    ]);
    other.chainId = "0x1";
    await expect(new Endpoints("ethereum", both(), "race", QUICK).chain(idle)).rejects.toMatchObject({
      code: "ENDPOINTS_DISAGREE",
      message: expect.stringMatching(/is of chain 1337, .* of chain 1$/),
    });
  });

  it("have all to be there when they are compared, and any when they are raced", async () => {
    other.deed = () => ({ status: 500 });
    await expect(fetchBlocks(1, 5, { urls: both() })).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
    expect(hashesOf(await fetchBlocks(1, 5, { urls: both(), mode: "race" }))).toEqual(expected(1, 5));
    other.deed = () => "stall";
    const slow = { ...QUICK, timeoutMs: 60_000 };
    expect(hashesOf(await fetchBlocks(6, 9, { urls: both(), mode: "race", options: slow }))).toEqual(expected(6, 9));
    const joining = new Endpoints("ethereum", both(), "race", { ...slow, joinMs: 50 });
    expect(await joining.chain(idle)).toBe("1337");
    expect(joining.count).toBe(1);
  });

  it("are as far as the one that is furthest behind when they are compared", async () => {
    other.make(20, 22);
    expect((await new Endpoints("ethereum", both(), "compare", QUICK).tip(idle)).number).toBe(22);
    expect(hashesOf(await fetchBlocks(1, 4, { urls: both(), mode: "race" }))).toEqual(expected(1, 4));
  });
});

describe("the head of a chain", () => {
  it("is followed on when endpoints were gone for a while, or did not agree yet", async () => {
    const endpoints = new Endpoints("ethereum", [server.url, other.url], "compare", QUICK);
    const files = await BlockFiles.open(folder, format);
    const ports = { endpoints, files, format, from: 20, finality: 2, pollMs: 1 };
    const follower = await HeadFollower.open(ports, idle);
    const lost: string[] = [];
    follower.listen({
      added: () => undefined,
      removed: () => undefined,
      final: () => undefined,
      unreachable: ({ code }) => {
        lost.push(code);
        other.deed = () => undefined;
      },
    });
    other.deed = () => ({ status: 503 });
    // One of them is on another branch first, and then comes over.
    other.make(24, 26, { branch: "b" });
    let looks = 0;
    server.deed = (calls) => {
      if (calls.some(({ params }) => Number(params[0]) >= 24) && ++looks === 3) server.make(24, 26, { branch: "b" });
      return undefined;
    };
    follower.start(idle);
    expect(await follower.isThere(4, idle)).toBe(true);
    expect(lost.length).toBeGreaterThan(0);
    expect(looks).toBeGreaterThanOrEqual(3);
    expect(hashesOf(follower.heads)).toEqual([...expected(20, 23), blockHash(24, "b")]);
    follower.end();
    expect(await follower.isThere(5, idle)).toBe(false);
    const again = await HeadFollower.open(ports, idle);
    expect(again.count).toBe(5);
  });
});
