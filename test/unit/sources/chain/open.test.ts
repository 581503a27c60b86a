import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowValues } from "../../../../src/batch/rows.ts";
import { fromHex, toHex } from "../../../../src/core/bytes.ts";
import type { ChainSpec } from "../../../../src/sources/chain/kind.ts";
import { openChain } from "../../../../src/sources/chain/open.ts";
import { blockHash, madeBlock, madePair, madeReceipts, madeReplies } from "../../../support/blocks.ts";

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "blocks-"));
});
afterAll(() => rm(root, { recursive: true }));

async function folder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const path = join(root, String(count++));
  await mkdir(path);
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

async function open(files: Readonly<Record<string, string | Uint8Array>>, spec: Partial<ChainSpec> = {}) {
  const places = [await folder(files)];
  return openChain(
    { kind: "ethereum", places, from: null, to: null, anchor: null, chain: null, ...spec },
    { worker: false },
  );
}

async function rowsOf(files: Readonly<Record<string, string | Uint8Array>>, batchRows = 4096, fromRow = 0) {
  await using source = await open(files);
  const rows: unknown[][] = [];
  for await (const batch of source.batches({ batchRows, fromRow }))
    for (let row = 0; row < batch.rows; row++)
      rows.push(rowValues(batch, row).map((value) => (value instanceof Uint8Array ? `0x${toHex(value)}` : value)));
  return rows;
}

const expected = (numbers: readonly number[]): unknown[][] =>
  numbers.map((n) => [BigInt(n), blockHash(n), blockHash(n - 1), madeBlock(n), madeReceipts(n)]);

const [reply7, replyReceipts7] = madeReplies(7);

describe("blocks of a chain", () => {
  it.each<[string, Record<string, string | Uint8Array>]>([
    ["one a file", { "b.json": madePair(7), "a.json": madePair(8), "notes.txt": "no block" }],
    ["one a line, out of order", { "all.ndjson": `${madePair(8)}\n${madePair(7)}\n` }],
    ["gzipped, out of order", { "all.jsonl.gz": zlib.gzipSync(`${madePair(8)}\r\n${madePair(7)}`) }],
    ["in a list", { "all.json": `\u{feff}[${madePair(7)} , ${madePair(8)}]` }],
    [
      "as two replies behind each other",
      { "7.json": `${reply7}\n${replyReceipts7}`, "8.json": madeReplies(8).join("\n") },
    ],
    ["as two replies in a list", { "7.json": `[${replyReceipts7},${reply7}]`, "8.json": `[${madeReplies(8).join()}]` }],
    ["as pairs of replies", { "7.json": `{"block":${reply7},"receipts":${replyReceipts7}}`, "8.json": madePair(8) }],
    [
      "as results in files of their own",
      {
        "7-block.json": madeBlock(7),
        "7-receipts.json": madeReceipts(7),
        "8.json": madeBlock(8),
        "8r.json": madeReceipts(8),
      },
    ],
    [
      "in a list, where parts that follow each other say that they do not belong together",
      { "all.json": `[${[madeReceipts(8), madeBlock(7), madeReceipts(7), madeBlock(8)].join(",")}]` },
    ],
    ["spread out", { "7.json": JSON.stringify(JSON.parse(madePair(7)), null, 2), "8.json": madePair(8) }],
  ])("are read %s", async (name, files) => {
    const rows = await rowsOf(files);
    if (name === "spread out")
      rows[0] =
        rows[0]?.map((v) => (typeof v === "string" && /^[{[]/.test(v) ? JSON.stringify(JSON.parse(v)) : v)) ?? [];
    expect(rows).toEqual(expected([7, 8]));
  });

  it("are read beside each other where the receipts say another block, which no hash commits to", async () => {
    const receipts = madeReceipts(7, { branch: "b" });
    const [first, second] = expected([7, 8]);
    const rows = await rowsOf({ "all.json": [madeBlock(7), receipts, madeBlock(8), madeReceipts(8)].join("\n") });
    expect(rows).toEqual([[...(first?.slice(0, -1) ?? []), receipts], second]);
  });

  it.runIf("zstdCompressSync" in zlib)("are read compressed with Zstandard", async () => {
    const bytes = zlib.zstdCompressSync(`${madePair(7)}\n${madePair(8)}`);
    expect(await rowsOf({ "all.ndjson.zst": bytes })).toEqual(expected([7, 8]));
  });

  it("are the same from any row, in batches of any size", async () => {
    const numbers = [...Array(30).keys()].map((i) => i + 1);
    const lines = numbers.map((n) => madePair(n)).join("\n");
    const files = { "all.ndjson": lines, "x.ndjson.gz": zlib.gzipSync(madePair(31)) };
    expect(await rowsOf(files, 7, 3)).toEqual(expected([...numbers, 31]).slice(3));
  });

  it("say which chain and which blocks they are", async () => {
    await using source = await open(
      { "7.json": madePair(7), "8.json": madePair(8), "9.json": madePair(9) },
      { from: 8 },
    );
    const { hashes, ...content } = await source.content();
    expect(hashes.map((hash) => `0x${toHex(hash)}`)).toEqual([blockHash(8), blockHash(9)]);
    expect(content).toMatchObject({ kind: "ethereum", chain: "1337", from: 8, to: 9, anchor: null });
  });

  const pairs = { "7.json": madePair(7), "8.json": madePair(8), "9.json": madePair(9) };
  it.each<[string, Record<string, string>, Partial<ChainSpec>, string, RegExp]>([
    [
      "a missing block",
      { "7.json": madePair(7), "9.json": madePair(9) },
      {},
      "CHAIN_GAP",
      /block 8 is missing: 7 is followed by 9/,
    ],
    ["a range that begins earlier", pairs, { from: 6 }, "CHAIN_GAP", /block 6 is missing: the blocks begin with 7/],
    ["a range that ends later", pairs, { to: 10 }, "CHAIN_GAP", /block 10 is missing: the blocks end with 9/],
    [
      "a range that is elsewhere",
      pairs,
      { from: 20, to: 21 },
      "CHAIN_GAP",
      /block 20 is missing: the blocks are 7 to 9/,
    ],
    [
      "a block that is there twice",
      { ...pairs, "x.json": madePair(8, { branch: "b" }) },
      {},
      "CHAIN_DUPLICATE",
      /block 8 is there twice.*8\.json.*x\.json/,
    ],
    [
      "a block without receipts",
      { ...pairs, "x.json": madeBlock(10) },
      {},
      "CHAIN_INCOMPLETE",
      /block 10 without receipts/,
    ],
    [
      "receipts of another block",
      { ...pairs, "x.json": madeBlock(10), "y.json": madeReceipts(10, { branch: "b" }) },
      {},
      "CHAIN_INCOMPLETE",
      /without/,
    ],
    ["JSON cut short", { "7.json": madePair(7).slice(0, -9) }, {}, "CHAIN_BLOCK_MALFORMED", /cut short/],
    ["no JSON", { "7.json": "<html>" }, {}, "CHAIN_BLOCK_MALFORMED", /7\.json.*byte 0: it is not JSON/],
    ["a value that is no block", { "7.json": "null" }, {}, "CHAIN_BLOCK_MALFORMED", /neither an object nor a list/],
    ["an empty file", { "7.json": " \n" }, {}, "CHAIN_BLOCK_MALFORMED", /empty/],
    ["a number as a number", { "7.json": madePair(7).replace('"0x7"', "7") }, {}, "CHAIN_BLOCK_MALFORMED", /number/],
    [
      "a number beyond 2^53",
      { "7.json": madePair(7).replace('"0x7"', '"0x20000000000001"') },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /number/,
    ],
    [
      "a hash that is too short",
      { "7.json": madePair(7).replace(blockHash(7), "0x12") },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /hash/,
    ],
    ["a key twice", { "7.json": `{"block":{},${madePair(7).slice(1)}` }, {}, "CHAIN_BLOCK_MALFORMED", /twice/],
    [
      "an endpoint's error",
      { "7.json": '{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}' },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /error of an endpoint/,
    ],
    [
      "an empty reply",
      { "7.json": '{"jsonrpc":"2.0","id":1,"result":null}' },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /no such block/,
    ],
    ["a folder without blocks", { "7.txt": "" }, {}, "CHAIN_EMPTY", /no file with blocks/],
    [
      "a wrong anchor",
      pairs,
      { anchor: { block: null, hash: blockHash(7, "b") } },
      "CHAIN_ANCHOR_MISMATCH",
      /neither.*parent of block 7 nor.*up to 9/,
    ],
    [
      "a wrong anchor of a block",
      pairs,
      { anchor: { block: 8, hash: blockHash(7) } },
      "CHAIN_ANCHOR_MISMATCH",
      /block 8 has the hash/,
    ],
    [
      "an anchor of a block that is not there",
      pairs,
      { anchor: { block: 12, hash: blockHash(12) } },
      "CHAIN_GAP",
      /block 12 is missing: a trusted hash/,
    ],
  ])("refuse %s by name", async (_, files, spec, code, message) => {
    await expect(open(files, spec)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  const packed = (text: string): (readonly [string, Buffer])[] => [
    ["7.json.gz", zlib.gzipSync(text)],
    ...("zstdCompressSync" in zlib ? [["7.json.zst", zlib.zstdCompressSync(text)] as const] : []),
  ];
  it("refuse compressed blocks that are cut short or damaged as they refuse plain ones", async () => {
    for (const [name, bytes] of packed(madePair(7)))
      for (const broken of [bytes.subarray(0, -30), bytes.subarray(0, 3), bytes.fill(0, 0, 4)])
        await expect(open({ [name]: broken })).rejects.toMatchObject({
          code: "CHAIN_BLOCK_MALFORMED",
          kind: "verification",
        });
  });

  it.each([
    [6, { block: null, hash: blockHash(6) }],
    [8, { block: null, hash: blockHash(8) }],
    [6, { block: 6, hash: blockHash(6) }],
    [9, { block: 9, hash: blockHash(9) }],
  ])("are tied to a trusted hash of block %i", async (block, anchor) => {
    await using source = await open(pairs, { anchor });
    const hash = fromHex(blockHash(block).slice(2));
    expect((await source.content()).anchor).toEqual({ block, hash, by: "given", endpoints: 0 });
  });

  it("are read in threads, which give errors on", async () => {
    const places = [await folder(pairs)];
    const spec = { kind: "ethereum", places, from: null, to: null, anchor: null, chain: null } as const;
    await using source = await openChain(spec);
    let rows = 0;
    for await (const batch of source.batches({ batchRows: 2 })) rows += batch.rows;
    expect(rows).toBe(3);
    await expect(openChain({ ...spec, to: 12 })).rejects.toMatchObject({ code: "CHAIN_GAP", kind: "verification" });
  });
});
