import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { type EventOptions, eventSettings } from "../../../src/config/ethereum/event-plan.ts";
import { EVENT_SETS, type EventSet } from "../../../src/config/ethereum/event-sets.ts";
import { parseEvent, topicOf } from "../../../src/config/ethereum/event-signature.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { Lane } from "../../../src/sandbox/port.ts";
import { bytesOf, hexOf, loadBuiltIn, rowsMade } from "../../support/ethereum-module.ts";
import { failureOf } from "../../support/rows.ts";

interface Log {
  readonly address?: string;
  readonly topics: readonly string[];
  readonly data?: string;
}

const fixed = (name: string, width: number, nullable = false) => ({ name, type: "fixed", width, nullable }) as const;
const SCHEMA = schemaOf([
  { name: "block", type: "u64", nullable: false },
  { name: "timestamp", type: "u64", nullable: false },
  fixed("tx", 32),
  { name: "txIndex", type: "u32", nullable: false },
  { name: "logIndex", type: "u32", nullable: false },
  fixed("address", 20),
  ...[0, 1, 2, 3].map((i) => fixed(`topic${i}`, 32, true)),
  { name: "data", type: "binary", nullable: false },
]);
const TOKEN = `0x${"70".repeat(20)}`;
const FROM = `0x${"f0".repeat(20)}`;
const TO = `0x${"0f".repeat(20)}`;

const word = (value: bigint | number): string => BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, "0");
const topicFor = (address: string): string => `0x${address.slice(2).padStart(64, "0")}`;
const text = (value: string): string => {
  const hex = Buffer.from(value).toString("hex");
  return `${word(Buffer.byteLength(value))}${hex.padEnd(Math.ceil(hex.length / 64) * 64, "0")}`;
};

function logBatch(logs: readonly Log[]): Batch {
  const writer = new BatchWriter(SCHEMA);
  for (const [i, { address = TOKEN, topics, data = "0x" }] of logs.entries()) {
    const four = [0, 1, 2, 3].map((at) => (topics[at] === undefined ? null : bytesOf(topics[at])));
    writer.push([7n, 1_700_000_000n, new Uint8Array(32).fill(i), 0, i, bytesOf(address), ...four, bytesOf(data)]);
  }
  return writer.take();
}

let lane: Lane;
beforeAll(() => {
  lane = openLane();
});
afterAll(() => lane.close());

const setOf = (...events: readonly string[]): EventSet => ({
  events: events.map(parseEvent),
  address: "address",
  expanded: {},
});
const decoder = (set: EventSet, options: Partial<EventOptions> = {}, more: Record<string, string> = {}) =>
  loadBuiltIn(lane, "ethereum-events", { ...eventSettings(set, { where: {}, columns: {}, ...options }), ...more });
const decoded = async (set: EventSet, logs: readonly Log[], options: Partial<EventOptions> = {}) =>
  rowsMade(await decoder(set, options), logBatch(logs));
const rejected = async (set: EventSet, logs: readonly Log[]) =>
  (await rowsMade(await decoder(set, {}, { rows: "rejected" }), logBatch(logs))).map(({ logIndex, reason, topics }) => [
    logIndex,
    reason,
    topics,
  ]);

const ERC20 = EVENT_SETS["erc20"] as EventSet;
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const transfer = (value: bigint, more: Partial<Log> = {}): Log => ({
  topics: [TRANSFER, topicFor(FROM), topicFor(TO)],
  data: `0x${word(value)}`,
  ...more,
});

describe("tokens", () => {
  it("of ERC-20 give transfers, without loss up to 2^256 - 1", async () => {
    const values = [0n, 1n, 10n ** 18n, 2n ** 64n, 10n ** 27n, 2n ** 255n, 2n ** 256n - 1n];
    const rows = await decoded(
      ERC20,
      values.map((value) => transfer(value)),
    );
    expect(Object.keys(rows[0] ?? {})).toEqual([
      "block",
      "timestamp",
      "tx",
      "logIndex",
      "token",
      "from",
      "to",
      "value",
    ]);
    expect(rows.map(({ value }) => value)).toEqual(values.map(String));
    expect([rows[0]?.["token"], rows[0]?.["from"], rows[0]?.["to"]].map(hexOf)).toEqual([TOKEN, FROM, TO]);
    expect(rows.map(({ logIndex }) => logIndex)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("of ERC-721 have the same first topic and one topic more", async () => {
    const nft: Log = { topics: [TRANSFER, topicFor(FROM), topicFor(TO), `0x${word(42)}`] };
    const logs = [transfer(5n), nft, { topics: [] }, transfer(6n, { data: "0x00" }), { topics: [`0x${word(1)}`] }];
    expect((await decoded(ERC20, logs)).map(({ logIndex }) => logIndex)).toEqual([0]);
    const owned = await decoded(EVENT_SETS["erc721"] as EventSet, logs);
    expect(owned.map(({ logIndex, tokenId }) => [logIndex, tokenId])).toEqual([[1, "42"]]);
    // What is no transfer is counted with the reason, unless it is another event.
    expect(await rejected(ERC20, logs)).toEqual([
      [1, "topics", 4],
      [2, "anonymous", 0],
      [3, "malformed", 3],
    ]);
  });

  it("of ERC-1155 give a row for each item of a batch", async () => {
    const set = EVENT_SETS["erc1155"] as EventSet;
    const [single = "", batch = ""] = set.events.map((event) => `0x${topicOf(event)}`);
    const parties = [FROM, TO, TOKEN].map(topicFor);
    const lists = (ids: readonly number[], values: readonly number[]): string =>
      `0x${word(64)}${word(64 + 32 + 32 * ids.length)}${word(ids.length)}${ids.map(word).join("")}${word(values.length)}${values.map(word).join("")}`;
    const logs = [
      { topics: [single, ...parties], data: `0x${word(9)}${word(1)}` },
      { topics: [batch, ...parties], data: lists([1, 2, 3], [10, 20, 30]) },
      { topics: [batch, ...parties], data: lists([], []) },
      { topics: [batch, ...parties], data: lists([1, 2], [10]) },
    ];
    const rows = await decoded(set, logs);
    expect(rows.map(({ event, logIndex, id, value }) => [event, logIndex, id, value])).toEqual([
      ["TransferSingle", 0, "9", "1"],
      ["TransferBatch", 1, "1", "10"],
      ["TransferBatch", 1, "2", "20"],
      ["TransferBatch", 1, "3", "30"],
    ]);
    expect(await rejected(set, logs)).toEqual([[3, "malformed", 4]]);
  });
});

describe("values", () => {
  it("of every type have their column", async () => {
    const set = setOf(
      "All(uint8 a, int16 b, uint32 c, int64 d, int256 e, bool f, bytes4 g, bytes h, string i, address j, uint128 k)",
    );
    const head = [
      word(255),
      word(-2),
      word(2 ** 32 - 1),
      word(-(2n ** 63n)),
      word(-(2n ** 255n)),
      word(1),
      `deadbeef${"0".repeat(56)}`,
      word(352),
      word(416),
      word(BigInt(FROM)),
      word(2n ** 128n - 1n),
    ];
    const data = `0x${head.join("")}${word(3)}${"010203".padEnd(64, "0")}${text('h\u00e9 "\\')}`;
    const [row] = await decoded(set, [{ topics: [`0x${topicOf(set.events[0] as never)}`], data }]);
    expect(row).toMatchObject({
      a: 255,
      b: -2,
      c: 2 ** 32 - 1,
      d: -(2n ** 63n),
      e: String(-(2n ** 255n)),
      f: true,
      i: 'h\u00e9 "\\',
      k: String(2n ** 128n - 1n),
    });
    expect([row?.["g"], row?.["h"], row?.["j"]].map(hexOf)).toEqual(["0xdeadbeef", "0x010203", FROM]);
  });

  it("that are lists or tuples are JSON, and those that do not fit a topic are its hash", async () => {
    const set = setOf("Deep((uint256,string)[] pairs, int8[2] small, string indexed name, address[][] groups)");
    const pairs = `${word(2)}${word(64)}${word(192)}${word(7)}${word(64)}${text("a\n")}${word(8)}${word(64)}${text("")}`;
    const groups = `${word(2)}${word(64)}${word(96)}${word(0)}${word(1)}${word(BigInt(TO))}`;
    const data = `0x${word(128)}${word(-1)}${word(5)}${word(128 + pairs.length / 2)}${pairs}${groups}`;
    const topics = [`0x${topicOf(set.events[0] as never)}`, `0x${"99".repeat(32)}`];
    const [row] = await decoded(set, [{ topics, data }]);
    expect(row).toMatchObject({ pairs: '[["7","a\\u000a"],["8",""]]', small: '["-1","5"]', groups: `[[],["${TO}"]]` });
    expect(JSON.parse(row?.["pairs"] as string)).toEqual([
      ["7", "a\n"],
      ["8", ""],
    ]);
    expect(hexOf(row?.["name"])).toBe(topics[1]);
  });

  it("that no encoder writes make a log malformed", async () => {
    const set = setOf("Odd(bool a, address b, uint8 c, int8 d, bytes2 e, string f)");
    const topics = [`0x${topicOf(set.events[0] as never)}`];
    const good = [word(1), word(BigInt(TO)), word(255), word(-128), `abcd${"0".repeat(60)}`, word(192), text("ok")];
    const changed = (at: number, value: string): Log => ({ topics, data: `0x${good.with(at, value).join("")}` });
    const bad = [
      changed(0, word(2)),
      changed(1, word(2n ** 160n)),
      changed(2, word(256)),
      changed(3, word(128)),
      changed(3, word(-129)),
      changed(4, word(1)),
      changed(5, word(2n ** 255n)),
      changed(5, word(1000)),
      changed(6, `${word(5000)}${"00".repeat(32)}`),
      changed(6, `${word(2)}${"c328".padEnd(64, "0")}`),
      { topics, data: "0x" },
      { topics, data: `0x${good.join("").slice(0, 300)}` },
    ];
    const logs = [changed(0, word(1)), ...bad];
    expect((await decoded(set, logs)).map(({ f }) => f)).toEqual(["ok"]);
    expect(await rejected(set, logs)).toEqual(bad.map((_, i) => [i + 1, "malformed", 1]));
  });

  it("whose offsets lead to the same bytes again and again come to an end", async () => {
    const set = setOf("Bomb(bytes[] items)");
    const topics = [`0x${topicOf(set.events[0] as never)}`];
    const items = `${word(32)}${word(2000)}${word(64_000).repeat(2000)}${word(60_000)}${"ab".repeat(60_000)}`;
    expect(await rejected(set, [{ topics, data: `0x${items}` }])).toEqual([[0, "malformed", 1]]);
  });

  it("of several events share a column of one type, and are null where an event has none", async () => {
    const set = setOf("A(uint256 value, address who)", "B(uint256 value, uint64 who)", "C(uint64 block)");
    const [a = "", b = "", c = ""] = set.events.map((event) => `0x${topicOf(event)}`);
    const rows = await decoded(set, [
      { topics: [a], data: `0x${word(1)}${word(BigInt(TO))}` },
      { topics: [b], data: `0x${word(2)}${word(3)}` },
      { topics: [c], data: `0x${word(4)}` },
    ]);
    expect(
      rows.map(({ event, value, who, B_who, C_block }) => [
        event,
        value,
        who === null ? null : hexOf(who),
        B_who,
        C_block,
      ]),
    ).toEqual([
      ["A", "1", TO, null, null],
      ["B", "2", null, 3n, null],
      ["C", null, null, null, 4n],
    ]);
  });

  it("of anonymous events are told by what can be read of them", async () => {
    const set = setOf("Note(address indexed who, uint256 amount) anonymous");
    const logs = [
      { topics: [topicFor(TO)], data: `0x${word(3)}` },
      { topics: [`0x${word(2n ** 200n)}`], data: `0x${word(3)}` },
    ];
    expect((await decoded(set, logs)).map(({ logIndex, amount }) => [logIndex, amount])).toEqual([[0, "3"]]);
  });
});

describe("what a task asks for", () => {
  it("lets through the values of each column that it names", async () => {
    const other = `0x${"71".repeat(20)}`;
    const logs = [
      transfer(1n),
      transfer(2n, { address: other }),
      transfer(3n, { topics: [TRANSFER, topicFor(TO), topicFor(FROM)] }),
    ];
    const of = async (where: EventOptions["where"]) =>
      (await decoded(ERC20, logs, { where })).map(({ value }) => value);
    expect(await of({ token: [TOKEN] })).toEqual(["1", "3"]);
    expect(await of({ token: [TOKEN.toUpperCase().replace("0X", "0x"), other] })).toEqual(["1", "2", "3"]);
    expect(await of({ token: [TOKEN], from: [FROM] })).toEqual(["1"]);
    expect(await of({ value: [3, "0x2"] })).toEqual(["2", "3"]);
  });

  it("converts amounts that fit, and stops at one that does not", async () => {
    const columns = { value: "i64", timestamp: "timestamp", to: "utf8" };
    const [row] = await decoded(ERC20, [transfer(2n ** 63n - 1n)], { columns });
    expect(row).toMatchObject({ value: 2n ** 63n - 1n, timestamp: 1_700_000_000_000_000n, to: TO });
    const module = await decoder(ERC20, { columns, where: { token: [TOKEN] } });
    expect((await rowsMade(module, logBatch([transfer(2n ** 63n, { address: TO })]))).length).toBe(0);
    expect(await failureOf(rowsMade(module, logBatch([transfer(1n), transfer(2n ** 63n)])))).toEqual({
      code: "ETH_VALUE_RANGE",
      message: expect.stringContaining(
        "block 7, log 1: the value 9223372036854775808 does not fit its column",
      ) as string,
    });
    const raw = await decoded(ERC20, [transfer(5n)], { columns: { value: "fixed(32)" } });
    expect(hexOf(raw[0]?.["value"])).toBe(`0x${word(5)}`);
  });
});
