import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlockFiles } from "../../../src/sources/chain/block-files.ts";
import { Endpoints } from "../../../src/sources/chain/endpoints.ts";
import { fetchRange } from "../../../src/sources/chain/fetch.ts";
import { chainFormat } from "../../../src/sources/chain/formats.ts";
import { openChain } from "../../../src/sources/chain/open.ts";
import { RpcServer, type ServedCall } from "../../support/rpc-server.ts";
import { madeSlot, slotHash } from "../../support/slots.ts";

const idle = new AbortController().signal;
const GENESIS = slotHash(0);

/** A cluster whose slots have blocks, each with the one before as its parent. */
class Cluster {
  readonly slots: number[];
  readonly texts = new Map<number, string>();
  readonly lists = new Map<number, string>();

  constructor(slots: readonly number[]) {
    this.slots = [...slots];
    for (const [i, slot] of slots.entries()) this.put(slot, slots[i - 1] ?? slot - 1, 2);
  }

  /** Gives a slot a block with so many transactions. */
  put(slot: number, parentSlot: number, transactions: number): void {
    const block = JSON.parse(madeSlot(slot, parentSlot)) as Record<string, unknown>;
    const ids = Array.from({ length: transactions }, (_, i) => slotHash(1000 * slot + i).repeat(2));
    const whole = ids.map((id) => ({ meta: { err: null }, transaction: { signatures: [id], message: {} } }));
    this.texts.set(slot, JSON.stringify({ ...block, transactions: whole }));
    this.lists.set(slot, JSON.stringify({ ...block, transactions: undefined, signatures: ids }));
  }

  readonly answer = ({ id, method, params }: ServedCall): string => {
    const reply = (what: string): string => `{"jsonrpc":"2.0","id":${id},${what}}`;
    const list = (slots: readonly number[]): string => reply(`"result":${JSON.stringify(slots)}`);
    const [first, second] = params as [number, number];
    if (method === "getGenesisHash") return reply(`"result":"${GENESIS}"`);
    if (method === "getSlot") return reply(`"result":${this.slots.at(-1)}`);
    if (method === "getBlocks") return list(this.slots.filter((slot) => slot >= first && slot <= second));
    if (method === "getBlocksWithLimit") return list(this.slots.filter((slot) => slot >= first).slice(0, second));
    if (method !== "getBlock") return reply('"error":{"code":-32601,"message":"Method not found"}');
    const { transactionDetails } = (params as [number, { transactionDetails?: string }])[1];
    const text = (transactionDetails === "full" ? this.texts : this.lists).get(first);
    return text === undefined
      ? reply(`"error":{"code":-32009,"message":"Slot ${first} was skipped, or missing in long-term storage"}`)
      : reply(`"result":${text}`);
  };
}

let folder: string;
let server: RpcServer;
let cluster: Cluster;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slots-"));
  server = await RpcServer.open();
  cluster = new Cluster([4, 5, 7, 8, 11, 12, 15]);
  server.deed = () => ({ answer: cluster.answer });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const endpointsOf = (...urls: readonly string[]): Endpoints =>
  new Endpoints("solana", urls, "compare", { backoffMs: 1, timeoutMs: 1000, attempts: 2 });

async function fetchSlots(from: number, to: number, urls: readonly string[] = [server.url]) {
  const format = chainFormat("solana");
  const files = await BlockFiles.open(folder, format);
  const spec = { kind: "solana", places: [], from, to, anchor: null, chain: null } as const;
  return fetchRange({ endpoints: endpointsOf(...urls), files, format, signal: idle, worker: false }, spec, from, to);
}

describe("blocks of Solana from an endpoint", () => {
  it("are fetched slot by slot, those that were skipped left out, and read like files", async () => {
    const { blocks, places } = await fetchSlots(5, 12);
    expect([...blocks.heads()].map(({ number, parentNumber }) => [number, parentNumber])).toEqual([
      [5, 4],
      [7, 5],
      [8, 7],
      [11, 8],
      [12, 11],
    ]);
    await using source = await openChain(
      { kind: "solana", places, from: 5, to: 12, anchor: null, chain: null },
      { worker: false },
    );
    expect(source.rows).toBe(5);
    const options = { encoding: "json", transactionDetails: "full", rewards: false, maxSupportedTransactionVersion: 0 };
    expect(server.calls.filter(({ method }) => method === "getBlock").map(({ params }) => params[1])).toContainEqual({
      ...options,
      commitment: "finalized",
    });
  });

  it("end in skipped slots where the block behind them says so, and are not fetched twice", async () => {
    expect([...(await fetchSlots(8, 14)).blocks.heads()].map(({ number }) => number)).toEqual([8, 11, 12]);
    const before = server.calls.length;
    expect((await fetchSlots(8, 14)).blocks).toHaveLength(3);
    expect(
      server.calls
        .slice(before)
        .every(({ method, params }) => method !== "getBlock" || !JSON.stringify(params).includes('"full"')),
    ).toBe(true);
    expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json"))).toHaveLength(4);
  });

  it("are refused where the endpoint leaves a block out of its list", async () => {
    cluster.slots.splice(cluster.slots.indexOf(8), 1);
    await expect(fetchSlots(5, 12)).rejects.toMatchObject({
      code: "CHAIN_GAP",
      message: expect.stringMatching(/block 8 is missing/),
    });
  });

  it("are refused where endpoints disagree, of blocks or of clusters", async () => {
    await using other = await RpcServer.open();
    const theirs = new Cluster([4, 5, 7, 8, 11, 12, 15]);
    other.deed = () => ({ answer: theirs.answer });
    expect((await fetchSlots(5, 7, [server.url, other.url])).blocks).toHaveLength(2);
    theirs.put(8, 7, 1);
    await expect(fetchSlots(5, 8, [server.url, other.url])).rejects.toMatchObject({
      code: "ENDPOINTS_DISAGREE",
      message: expect.stringMatching(/block 8: .* give it other transactions/),
    });
    theirs.put(8, 7, 2);
    for (const texts of [theirs.texts, theirs.lists])
      texts.set(11, (texts.get(11) ?? "").replace(slotHash(11), slotHash(99)));
    await expect(fetchSlots(5, 12, [server.url, other.url])).rejects.toMatchObject({
      code: "ENDPOINTS_DISAGREE",
      message: expect.stringContaining("block 11"),
    });
    expect(await endpointsOf(server.url).chain(idle)).toBe(GENESIS);
    other.deed = () => ({ answer: ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":"${slotHash(1)}"}` });
    await expect(endpointsOf(server.url, other.url).chain(idle)).rejects.toMatchObject({ code: "ENDPOINTS_DISAGREE" });
  });

  it.each<[string, string, string, string]>([
    ["a genesis hash that is none", "getGenesisHash", '"abc"', "chain"],
    ["a slot as a text", "getSlot", '"12"', "tip"],
    ["a list that is none", "getBlocks", '{"a":1}', "range"],
    ["a slot that nobody asked for", "getBlocks", "[5,99]", "range"],
    ["slots out of order", "getBlocks", "[7,5]", "range"],
    ["a slot beyond 2^53", "getBlocks", "[9007199254740993]", "range"],
    ["a block that is none", "getBlock", '{"blockhash":7}', "range"],
  ])("are refused for %s", async (_, method, result, what) => {
    server.deed = () => ({
      answer: (call) =>
        call.method === method ? `{"jsonrpc":"2.0","id":${call.id},"result":${result}}` : cluster.answer(call),
    });
    const endpoints = endpointsOf(server.url);
    const asked = what === "chain" ? endpoints.chain(idle) : what === "tip" ? endpoints.tip(idle) : fetchSlots(5, 12);
    await expect(asked).rejects.toMatchObject({ code: "ENDPOINT_ODD", kind: "verification" });
  });
});
