import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UncheckedBlocks } from "../../../src/run/unchecked-blocks.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { Lane, ModuleHandle } from "../../../src/sandbox/port.ts";
import { headerHash } from "../../support/block-header.ts";
import {
  type BlockRow,
  blockBatch,
  blockRow,
  callOf,
  type EthereumBlock,
  eraBlocks,
  hexOf,
  loadBuiltIn,
  rowsMade,
} from "../../support/ethereum-module.ts";
import { KNOWN_BLOCKS } from "../../support/known-blocks.ts";
import { failureOf } from "../../support/rows.ts";

type Json = Record<string, unknown>;

/** The root of a trie without items. */
const EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

let lane: Lane;
let eras: readonly (EthereumBlock & { readonly era: string })[];
const loaded = new Map<string, Promise<ModuleHandle>>();
const moduleOf = (table: string, verify = "full", more: Record<string, string> = {}): Promise<ModuleHandle> => {
  const key = JSON.stringify([table, verify, more]);
  const known = loaded.get(key) ?? loadBuiltIn(lane, "ethereum", { table, verify, ...more });
  loaded.set(key, known);
  return known;
};
beforeAll(async () => {
  lane = openLane();
  eras = await eraBlocks();
});
afterAll(() => lane.close());

/** The block of an era, to be changed. */
function copyOf(era: string): EthereumBlock & { txs: Json[]; logs: (receipt: number) => Json[] } {
  const found = eras.find((each) => each.era === era);
  if (found === undefined) throw new Error(era);
  const { block, receipts } = structuredClone(found);
  return {
    block,
    receipts,
    txs: block["transactions"] as Json[],
    logs: (receipt) => receipts[receipt]?.["logs"] as Json[],
  };
}

const failureAt = async (row: BlockRow, verify = "full", table = "logs") =>
  failureOf(callOf(await moduleOf(table, verify), blockBatch([row])));

describe("blocks of every era", () => {
  it("are verified in full, with all types of transactions and receipts", async () => {
    const made = await rowsMade(await moduleOf("blocks"), blockBatch(eras.map((each) => blockRow(each))));
    expect(made.map(({ hash }) => hexOf(hash))).toEqual(eras.map(({ block }) => block.hash));
    expect(made.map(({ withdrawalsRoot }) => withdrawalsRoot !== null)).toEqual([0, 0, 0, 0, 1, 1, 1].map(Boolean));
  });

  it("give transactions whose hash and sender are computed, not claimed", async () => {
    for (const { block, receipts } of eras) {
      const lied = structuredClone(block);
      for (const tx of lied["transactions"] as Json[]) tx["from"] = `0x${"ee".repeat(20)}`;
      const module = await moduleOf("transactions", "full", { senders: "recover" });
      const made = await rowsMade(module, blockBatch([blockRow({ block: lied, receipts })]));
      const txs = block["transactions"] as Json[];
      expect(made.map(({ tx, from }) => [hexOf(tx), hexOf(from)])).toEqual(txs.map(({ hash, from }) => [hash, from]));
      expect(made.map(({ value }) => value)).toEqual(txs.map(({ value }) => String(BigInt(value as string))));
      expect(made.map(({ gasUsed }) => gasUsed)).toEqual(receipts.map(({ gasUsed }) => BigInt(gasUsed as string)));
    }
    const plain = await rowsMade(await moduleOf("transactions"), blockBatch([blockRow(copyOf("prague"))]));
    expect(Object.keys(plain[0] ?? {})).not.toContain("from");
    expect(Object.keys(plain[0] ?? {})).not.toContain("contract");
  });

  it("give withdrawals, and no row where a block has none", async () => {
    const made = await rowsMade(await moduleOf("withdrawals"), blockBatch(eras.map((each) => blockRow(each))));
    const expected = eras.flatMap(({ block }) => (block["withdrawals"] ?? []) as Json[]);
    expect(made.map(({ index, amount, address }) => [index, amount, hexOf(address)])).toEqual(
      expected.map(({ index, amount, address }) => [BigInt(index as string), BigInt(amount as string), address]),
    );
    const { block, receipts } = copyOf("shanghai");
    delete block["withdrawals"];
    expect(await failureAt(blockRow({ block, receipts }), "full", "withdrawals")).toMatchObject({
      code: "ETH_FIELD_MISSING",
    });
    expect((await failureAt(blockRow({ block, receipts }), "none", "withdrawals")).code).toBe("ETH_FIELD_MISSING");
    expect((await failureAt(blockRow({ block, receipts }))).code).toBe("no error");
    // The table of blocks says of each whether they were known, and checked.
    const blocks = await rowsMade(
      await moduleOf("blocks"),
      blockBatch([blockRow({ block, receipts }), blockRow(copyOf("cancun"))]),
    );
    expect(blocks.map(({ withdrawals }) => withdrawals)).toEqual([
      null,
      (copyOf("cancun").block["withdrawals"] as Json[]).length,
    ]);
  });

  it("whose withdrawals are not listed are told, unless their header says that there are none", async () => {
    const unchecked = new UncheckedBlocks();
    const tell = (line: string): void => unchecked.wrote("logs", line);
    const module = await loadBuiltIn(lane, "ethereum", { table: "logs", verify: "full" }, tell);
    const bare = eras.map(({ block: { withdrawals: _, ...block }, receipts }) => ({ block, receipts }));
    await callOf(module, blockBatch(bare.map((each) => blockRow(each as EthereumBlock))));
    const [notice, ...others] = unchecked.notices();
    expect(others).toEqual([]);
    expect(notice?.message).toBe(
      "logs: the JSON of 3 blocks from 104 to 106 lists no withdrawals, so these were not checked",
    );
    const { block, receipts } = copyOf("shanghai");
    const empty = { ...block, withdrawalsRoot: EMPTY_ROOT };
    delete (empty as Json)["withdrawals"];
    const made = { block: { ...empty, hash: headerHash(empty) }, receipts };
    const blocks = await loadBuiltIn(lane, "ethereum", { table: "blocks" }, (line) => expect(line).toBe(""));
    expect((await rowsMade(blocks, blockBatch([blockRow(made)])))[0]?.["withdrawals"]).toBe(0);
  });

  it("of public chains have the hash that their headers give", async () => {
    const module = await moduleOf("logs", "hash");
    for (const known of KNOWN_BLOCKS) expect((await callOf(module, blockBatch([blockRow(known)]))).rows).toBe(0);
    // A block of 2016 with its transactions: they have their hashes and root before its receipts are found missing.
    const old = KNOWN_BLOCKS.find(({ block }) => block.number === "0x1e8484") as EthereumBlock;
    expect((await failureAt(blockRow(old))).code).toBe("ETH_RECEIPTS_COUNT_MISMATCH");
  });

  it("do not depend on the batch that they are in", async () => {
    const rows = eras.map((each) => blockRow(each));
    for (const table of ["logs", "transactions"]) {
      const module = await moduleOf(table);
      const apart = await Promise.all(rows.map((row) => rowsMade(module, blockBatch([row]))));
      expect(await rowsMade(module, blockBatch(rows))).toEqual(apart.flat());
    }
  });
});

type Change = (copy: ReturnType<typeof copyOf>) => void;
const flip = (text: unknown): string => `${(text as string).slice(0, -1)}${(text as string).endsWith("0") ? "1" : "0"}`;

describe("what was tampered with", () => {
  const changes: readonly (readonly [string, Change, string, RegExp])[] = [
    ["a log left out", ({ logs }) => logs(1).pop(), "ETH_RECEIPTS_ROOT_MISMATCH", /receipt \d: its log/],
    [
      "a log changed",
      ({ logs }) => Object.assign(logs(1)[0] as Json, { address: `0x${"ab".repeat(20)}` }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 1: its logsBloom/,
    ],
    [
      "the data of a log changed",
      ({ logs }) => Object.assign(logs(1)[0] as Json, { data: "0x1234" }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /a committed value was changed/,
    ],
    [
      "a status changed",
      ({ receipts }) =>
        Object.assign(receipts[0] as Json, { status: receipts[0]?.["status"] === "0x1" ? "0x0" : "0x1" }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /a committed value/,
    ],
    [
      "a receipt's bloom alone changed",
      ({ receipts }) => Object.assign(receipts[4] as Json, { logsBloom: flip(receipts[4]?.["logsBloom"]) }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 4: its logsBloom is not that of its logs/,
    ],
    [
      "a receipt's type alone changed",
      ({ receipts, txs }) => Object.assign(receipts[5] as Json, { type: txs[5]?.["type"] === "0x0" ? "0x2" : "0x0" }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 5: its type is not that of its transaction/,
    ],
    [
      "gas changed",
      ({ receipts }) => Object.assign(receipts[2] as Json, { cumulativeGasUsed: "0xfffff1" }),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 2: its gasUsed/,
    ],
    [
      "a receipt twice",
      ({ receipts }) => receipts.splice(1, 1, structuredClone(receipts[0] as Json)),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 1: it is of another transaction/,
    ],
    [
      "a receipt more",
      ({ receipts }) => receipts.push(structuredClone(receipts[0] as Json)),
      "ETH_RECEIPTS_COUNT_MISMATCH",
      /9 receipts stand beside 8 transactions/,
    ],
    ["a receipt left out", ({ receipts }) => receipts.pop(), "ETH_RECEIPTS_COUNT_MISMATCH", /7 receipts/],
    [
      "receipts swapped",
      ({ receipts }) => receipts.reverse(),
      "ETH_RECEIPTS_ROOT_MISMATCH",
      /receipt 0: it is of another transaction/,
    ],
    [
      "transactions swapped",
      ({ txs }) => txs.push(txs.shift() as Json),
      "ETH_TRANSACTIONS_ROOT_MISMATCH",
      /transaction 0: its transactionIndex is "0x1": it was moved/,
    ],
    [
      "transactions swapped that do not say their place",
      ({ txs }) => {
        for (const tx of txs) delete tx["transactionIndex"];
        txs.splice(2, 2, txs[3] as Json, txs[2] as Json);
      },
      "ETH_TRANSACTIONS_ROOT_MISMATCH",
      /transaction 2: the receipt in its place is of another one/,
    ],
    [
      "a transaction left out, its receipt not",
      ({ txs }) => txs.pop(),
      "ETH_TRANSACTIONS_ROOT_MISMATCH",
      /each of the 7 .*; there are 8 receipts/,
    ],
    [
      "a transaction left out",
      ({ txs, receipts }) => [txs.pop(), receipts.pop()],
      "ETH_TRANSACTIONS_ROOT_MISMATCH",
      /each of the 7/,
    ],
    [
      "a value changed",
      ({ txs }) => Object.assign(txs[3] as Json, { value: "0x1" }),
      "ETH_TRANSACTION_HASH_MISMATCH",
      /block 106, transaction 3: its hash is 0x/,
    ],
    [
      "an input changed",
      ({ txs }) => Object.assign(txs[0] as Json, { input: `${txs[0]?.["input"] as string}00` }),
      "ETH_TRANSACTION_HASH_MISMATCH",
      /transaction 0/,
    ],
    [
      "a hash changed",
      ({ txs }) => Object.assign(txs[2] as Json, { hash: flip(txs[2]?.["hash"]) }),
      "ETH_TRANSACTION_HASH_MISMATCH",
      /transaction 2/,
    ],
    [
      "an authorization changed",
      ({ txs }) => Object.assign(((txs[4] as Json)["authorizationList"] as Json[])[0] as Json, { nonce: "0x77777" }),
      "ETH_TRANSACTION_HASH_MISMATCH",
      /transaction 4/,
    ],
    [
      "a withdrawal left out",
      ({ block }) => (block["withdrawals"] as Json[]).splice(1, 1),
      "ETH_WITHDRAWALS_ROOT_MISMATCH",
      /withdrawal 1: its index/,
    ],
    [
      "a withdrawal changed",
      ({ block }) => Object.assign((block["withdrawals"] as Json[])[0] as Json, { amount: "0x1234567" }),
      "ETH_WITHDRAWALS_ROOT_MISMATCH",
      /withdrawalsRoot/,
    ],
    [
      "a header changed",
      ({ block }) => Object.assign(block, { gasLimit: "0x1" }),
      "ETH_BLOCK_HASH_MISMATCH",
      /the header's hash is 0x/,
    ],
    [
      "a root changed",
      ({ block }) => Object.assign(block, { receiptsRoot: flip(block["receiptsRoot"]) }),
      "ETH_BLOCK_HASH_MISMATCH",
      /the header's hash/,
    ],
    [
      "a fork's field left out",
      ({ block }) => delete block["requestsHash"],
      "ETH_BLOCK_HASH_MISMATCH",
      /the header's hash/,
    ],
    [
      "a field between forks left out",
      ({ block }) => delete block["withdrawalsRoot"],
      "ETH_FIELD_MISSING",
      /withdrawalsRoot of the header/,
    ],
    ["another number", ({ block }) => Object.assign(block, { number: "0x99" }), "ETH_BLOCK_HASH_MISMATCH", /hash/],
    [
      "an unknown type",
      ({ txs }) => Object.assign(txs[0] as Json, { type: "0x7" }),
      "ETH_TX_TYPE_UNKNOWN",
      /transaction 0/,
    ],
    [
      "two parities",
      ({ txs }) => Object.assign(txs[2] as Json, { v: txs[2]?.["v"] === "0x0" ? "0x1" : "0x0" }),
      "ETH_FIELD_TYPE",
      /yParity and v differ/,
    ],
  ];

  it.each(changes)("is caught: %s", async (_, change, code, message) => {
    const copy = copyOf("prague");
    change(copy);
    const found = await failureAt(blockRow(copy));
    expect(found).toEqual({ code, message: expect.stringMatching(message) as string });
  });

  it("is caught where the row claims another number, hash or parent", async () => {
    const copy = copyOf("cancun");
    const number = await failureAt(blockRow(copy, { number: 7n }));
    expect(number).toMatchObject({
      code: "ETH_BLOCK_NUMBER_MISMATCH",
      message: expect.stringMatching(/number 105/) as string,
    });
    expect((await failureAt(blockRow(copy, { hash: flip(copy.block.hash) }))).code).toBe("ETH_BLOCK_HASH_MISMATCH");
    const parent = await failureAt(blockRow(copy, { parent: flip(copy.block.parentHash) }));
    expect(parent).toMatchObject({
      code: "ETH_PARENT_MISMATCH",
      message: expect.stringMatching(/the block before is/) as string,
    });
  });

  it("goes through where its level does not look", async () => {
    const copy = copyOf("cancun");
    copy.logs(1).pop();
    expect((await failureAt(blockRow(copy), "links")).code).toBe("no error");
    const parent = blockRow(copy, { parent: flip(copy.block.parentHash) });
    expect((await failureAt(parent, "hash")).code).toBe("no error");
    expect((await failureAt(parent, "links")).code).toBe("ETH_PARENT_MISMATCH");
    const hash = blockRow(copy, { hash: flip(copy.block.hash) });
    expect((await failureAt(hash, "none")).code).toBe("no error");
    expect((await failureAt(hash, "hash")).code).toBe("ETH_BLOCK_HASH_MISMATCH");
  });

  it("changes nothing where no hash commits to it", async () => {
    const copy = copyOf("prague");
    Object.assign(copy.block, {
      size: "0x1",
      totalDifficulty: "0x7",
      uncles: ["0x12"],
      extra: { client: [1.5e-7, null, "\u00e9\\n"] },
    });
    for (const tx of copy.txs)
      Object.assign(tx, { from: `0x${"11".repeat(20)}`, blockNumber: "0x1", gasPrice: "0x1", note: [] });
    // A legacy transaction and one of EIP-2930 do sign their price.
    for (const i of [0, 1, 5, 6, 7]) (copy.txs[i] as Json)["gasPrice"] = copyOf("prague").txs[i]?.["gasPrice"];
    for (const receipt of copy.receipts)
      Object.assign(receipt, {
        from: null,
        to: "0x",
        effectiveGasPrice: "0x1",
        contractAddress: "0x12",
        blobGasPrice: "0x1",
        transactionIndex: "0x0",
      });
    for (const i of copy.receipts.keys())
      for (const log of copy.logs(i)) Object.assign(log, { removed: true, blockHash: "0x" });
    for (const table of ["logs", "blocks", "transactions", "withdrawals"]) {
      const module = await moduleOf(table);
      const expected = await callOf(module, blockBatch([blockRow(copyOf("prague"))]));
      const found = await callOf(module, blockBatch([blockRow(copy)]));
      expect(Buffer.from(found.bytes).equals(Buffer.from(expected.bytes))).toBe(true);
    }
  });
});

describe("JSON that is not what it should be", () => {
  const block = (): string => JSON.stringify(copyOf("london").block);
  const cases: readonly (readonly [string, (text: string) => string, string, RegExp])[] = [
    ["cut short in the middle", (text) => text.slice(0, text.length / 2), "ETH_JSON_MALFORMED", /cut short/],
    ["without its last bracket", (text) => text.slice(0, -1), "ETH_JSON_MALFORMED", /cut short/],
    ["empty", () => "", "ETH_JSON_MALFORMED", /cut short, after 0 bytes/],
    ["followed by more", (text) => `${text} {}`, "ETH_JSON_MALFORMED", /has no end at byte/],
    ["a list", (text) => `[${text}]`, "ETH_JSON_MALFORMED", /has no block at byte 0/],
    [
      "without a comma",
      (text) => text.replace(',"miner"', ' "miner"'),
      "ETH_JSON_MALFORMED",
      /comma or closing bracket/,
    ],
    ["without a colon", (text) => text.replace('"miner":', '"miner"'), "ETH_JSON_MALFORMED", /colon/],
    ["with a comma too many", (text) => text.replace("}]", "},]"), "ETH_JSON_MALFORMED", /transaction/],
    [
      "with a control character",
      (text) => text.replace('"uncles"', '"uncl\nes"'),
      "ETH_JSON_MALFORMED",
      /character of a string/,
    ],
    [
      "with a number that is none",
      (text) => text.replace('"uncles":[]', '"uncles":[01]'),
      "ETH_JSON_MALFORMED",
      /comma or ]/,
    ],
    [
      "with a key that hides",
      (text) => text.replace('"miner"', '"mine\\u0072"'),
      "ETH_JSON_MALFORMED",
      /key without escapes/,
    ],
    [
      "deep",
      (text) => text.replace('"uncles":[]', `"uncles":${"[".repeat(65)}${"]".repeat(65)}`),
      "ETH_JSON_MALFORMED",
      /64 levels/,
    ],
    [
      "with a key twice",
      (text) => text.replace('"miner"', '"gasUsed":"0x1","miner"'),
      "ETH_FIELD_DUPLICATE",
      /the key "gasUsed" stands twice in one object of the block, the second time at byte \d+/,
    ],
    [
      "with a number for a quantity",
      (text) => text.replace(/"gasLimit":"[^"]+"/, '"gasLimit":30000000'),
      "ETH_FIELD_TYPE",
      /a quantity .* there is 30000000/,
    ],
    [
      "with a number beyond 2^53",
      (text) => text.replace(/"gasLimit":"[^"]+"/, '"gasLimit":9007199254740993'),
      "ETH_FIELD_TYPE",
      /9007199254740993/,
    ],
    [
      "with decimal digits for a quantity",
      (text) => text.replace(/"gasLimit":"[^"]+"/, '"gasLimit":"30000000"'),
      "ETH_FIELD_TYPE",
      /a quantity/,
    ],
    [
      "with leading zeros",
      (text) => text.replace(/"gasLimit":"0x/, '"gasLimit":"0x0'),
      "ETH_FIELD_TYPE",
      /without leading zeros/,
    ],
    [
      "with an empty quantity",
      (text) => text.replace(/"gasLimit":"[^"]+"/, '"gasLimit":"0x"'),
      "ETH_FIELD_TYPE",
      /a quantity/,
    ],
    [
      "with a quantity of 33 bytes",
      (text) => text.replace(/"gasLimit":"[^"]+"/, `"gasLimit":"0x1${"0".repeat(64)}"`),
      "ETH_FIELD_TYPE",
      /a quantity/,
    ],
    [
      "with a quantity of 9 bytes where 8 do",
      (text) => text.replace(/"timestamp":"[^"]+"/, `"timestamp":"0x1${"0".repeat(16)}"`),
      "ETH_FIELD_LIMIT",
      /timestamp has more than 64 bits/,
    ],
    ["with another digit", (text) => text.replace(/"miner":"0x../, '"miner":"0xg0'), "ETH_FIELD_TYPE", /an address/],
    ["with a digit too few", (text) => text.replace(/"miner":"0x./, '"miner":"0x'), "ETH_FIELD_TYPE", /an address/],
    [
      "with an odd number of digits",
      (text) => text.replace(/"extraData":"0x/, '"extraData":"0x0'),
      "ETH_FIELD_TYPE",
      /an even number/,
    ],
    [
      "with a list for a hash",
      (text) => text.replace(/"stateRoot":"[^"]+"/, '"stateRoot":[]'),
      "ETH_FIELD_TYPE",
      /a hash/,
    ],
    [
      "with null for a hash",
      (text) => text.replace(/"stateRoot":"[^"]+"/, '"stateRoot":null'),
      "ETH_FIELD_MISSING",
      /stateRoot/,
    ],
    [
      "without transactions",
      (text) => text.replace('"transactions"', '"transaction"'),
      "ETH_FIELD_MISSING",
      /transactions/,
    ],
    [
      "with hashes for transactions",
      (text) => text.replace(/"transactions":\[.*\]/, '"transactions":["0x12"]'),
      "ETH_FIELD_TYPE",
      /ask for full transactions/,
    ],
    [
      "without a sender's nonce",
      (text) => text.replace(/"nonce":"0x.{1,6}","value"/, '"value"').replace('"nonce"', '"nonc"'),
      "ETH_FIELD_MISSING",
      /nonce/,
    ],
  ];

  it.each(cases)("is refused by name: %s", async (_, change, code, message) => {
    const copy = copyOf("london");
    const found = await failureAt(blockRow(copy, { block: change(block()) }));
    expect(found).toEqual({ code, message: expect.stringMatching(message) as string });
  });

  it("is refused in receipts as well", async () => {
    const copy = copyOf("london");
    const text = JSON.stringify(copy.receipts);
    const refused = async (receipts: string): Promise<string> => (await failureAt(blockRow(copy, { receipts }))).code;
    expect(await refused(text.slice(0, -2))).toBe("ETH_JSON_MALFORMED");
    expect(await refused("null")).toBe("ETH_FIELD_TYPE");
    for (const other of ["null", "{}", '""', "0", "true"])
      for (const key of ["logs", "topics"])
        expect(await refused(text.replace(`"${key}":[`, `"${key}":${other},"x":[`))).toBe("ETH_FIELD_TYPE");
    expect(await refused(text.replace('"logs":[', '"logs":x,"x":['))).toBe("ETH_JSON_MALFORMED");
    expect(await refused(text.replace(/"topics":\[/, `"topics":[${`"0x${"00".repeat(32)}",`.repeat(5)}`))).toBe(
      "ETH_FIELD_TYPE",
    );
    expect(await refused(text.replace(/"logIndex":"0x0"/, '"logIndex":0'))).toBe("ETH_FIELD_TYPE");
    expect(await refused(text.replace(/"status":"0x.",/, ""))).toBe("ETH_FIELD_MISSING");
  });

  it("is the same with other white space and capital digits", async () => {
    const copy = copyOf("london");
    const module = await moduleOf("logs");
    const expected = await rowsMade(module, blockBatch([blockRow(copy)]));
    const spaced = (value: unknown): string =>
      `\n ${JSON.stringify(value, null, "\t ").replaceAll(/"0x[0-9a-f]+"/g, (text) => text.toUpperCase().replace("0X", "0x"))}\r\n`;
    const row = blockRow(copy, { block: spaced(copy.block), receipts: spaced(copy.receipts) });
    expect(await rowsMade(module, blockBatch([row]))).toEqual(expected);
  });
});
