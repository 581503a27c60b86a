import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowValues } from "../../../../src/batch/rows.ts";
import type { ChainSpec } from "../../../../src/sources/chain/kind.ts";
import { openChain } from "../../../../src/sources/chain/open.ts";
import { madePlacedSlot, madeSlot, slotHash } from "../../../support/slots.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "slots-"));
});
afterAll(() => rm(root, { recursive: true }));

async function open(files: Files, spec: Partial<ChainSpec> = {}) {
  const place = join(root, String(count++));
  await mkdir(place);
  for (const [name, content] of Object.entries(files)) await writeFile(join(place, name), content);
  return openChain(
    { kind: "solana", places: [place], from: null, to: null, anchor: null, chain: null, ...spec },
    { worker: false },
  );
}

async function rowsOf(files: Files, spec: Partial<ChainSpec> = {}): Promise<unknown[][]> {
  await using source = await open(files, spec);
  const rows: unknown[][] = [];
  for await (const batch of source.batches({ batchRows: 4096 }))
    for (let row = 0; row < batch.rows; row++) rows.push(rowValues(batch, row));
  return rows;
}

const reply = (result: string): string => `{"jsonrpc":"2.0","result":${result},"id":1}`;
const skipped = '{"jsonrpc":"2.0","error":{"code":-32007,"message":"Slot 8 was skipped"},"id":1}';

describe("blocks of Solana", () => {
  it.each<[string, Files]>([
    ["named by their slots", { "7.json": madeSlot(7), "slot-9.getBlock.json.gz": gzipSync(madeSlot(9, 7)) }],
    ["in replies", { "7.json": reply(madeSlot(7)), "9.json": reply(madeSlot(9, 7)) }],
    ["with their slots, out of order", { "all.ndjson": `${madePlacedSlot(9, 7)}\n${madePlacedSlot(7)}` }],
    ["in lists", { "all.json": `[${madePlacedSlot(7)},{"slot":9,"block":${reply(madeSlot(9, 7))}}]` }],
    ["with the error for a skipped slot", { "7.json": madeSlot(7), "8.json": skipped, "9.json": madeSlot(9, 7) }],
  ])("are read %s; a slot that the parents pass over is none that is missing", async (_, files) => {
    expect(await rowsOf(files)).toEqual([
      [7n, slotHash(7), slotHash(6), 6n, madeSlot(7)],
      [9n, slotHash(9), slotHash(7), 7n, madeSlot(9, 7)],
    ]);
  });

  it("give a row the parent that the row before claims to be", async () => {
    const forged = madeSlot(8).replace(slotHash(7), slotHash(5));
    expect((await rowsOf({ "7.json": madeSlot(7), "8.json": forged }))[1]?.slice(1, 4)).toEqual([
      slotHash(8),
      slotHash(7),
      7n,
    ]);
  });

  it("are named by their blockhashes, and held to one that is trusted", async () => {
    await using source = await open(
      { "7.json": madeSlot(7), "9.json": madeSlot(9, 7) },
      { from: 7, anchor: { block: null, hash: slotHash(6) }, chain: "mainnet-beta" },
    );
    const content = await source.content();
    expect(content).toMatchObject({ kind: "solana", chain: "mainnet-beta", from: 7, to: 9, anchor: { block: 6 } });
    expect(content.hashes.map((bytes) => bytes.length)).toEqual([32, 32]);
  });

  it("end in skipped slots where the block behind the range says so", async () => {
    const files = { "7.json": madeSlot(7), "9.json": madeSlot(9, 7) };
    expect((await rowsOf(files, { to: 8 })).map(([slot]) => slot)).toEqual([7n]);
  });

  const pair = { "7.json": madeSlot(7), "9.json": madeSlot(9, 7) };
  it.each<[string, Files, Partial<ChainSpec>, string, RegExp]>([
    ["a missing one", { "7.json": madeSlot(7), "9.json": madeSlot(9) }, {}, "CHAIN_GAP", /block 8 is missing/],
    ["a range that begins earlier", pair, { from: 5 }, "CHAIN_GAP", /block 6 is missing|block 5 is missing/],
    ["a range that ends later", pair, { to: 11 }, "CHAIN_GAP", /block 10 is missing: the blocks end with 9/],
    ["a slot twice", { ...pair, "x.json": madePlacedSlot(9, 7) }, {}, "CHAIN_DUPLICATE", /block 9 is there twice/],
    ["a wrong anchor", pair, { anchor: { block: 7, hash: slotHash(8) } }, "CHAIN_ANCHOR_MISMATCH", /block 7 has/],
    ["a slot that nothing says", { "block.json": madeSlot(7) }, {}, "CHAIN_BLOCK_MALFORMED", /nothing says its slot/],
    ["a name of two numbers", { "2025-7.json": madeSlot(7) }, {}, "CHAIN_BLOCK_MALFORMED", /nothing says its slot/],
    ["a slot before its parent's", { "6.json": madeSlot(7) }, {}, "CHAIN_BLOCK_MALFORMED", /not after its parentSlot/],
    ["JSON cut short", { "7.json": madeSlot(7).slice(0, -9) }, {}, "CHAIN_BLOCK_MALFORMED", /cut short/],
    ["a slot as a text", { "7.json": '{"slot":"7","block":{}}' }, {}, "CHAIN_BLOCK_MALFORMED", /its slot is no whole/],
    [
      "a parent's slot as a text",
      { "7.json": madeSlot(7).replace('"parentSlot":6', '"parentSlot":"6"') },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /its parentSlot is no whole/,
    ],
    [
      "a blockhash of other letters",
      { "7.json": madeSlot(7).replace(slotHash(7), `0${slotHash(7).slice(1)}`) },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /its blockhash is not 32 bytes/,
    ],
    [
      "a blockhash that is too short",
      { "7.json": madeSlot(7).replace(slotHash(6), slotHash(6).slice(2)) },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /its previousBlockhash is not/,
    ],
    ["a key twice", { "7.json": `{"parentSlot":5,${madeSlot(7).slice(1)}` }, {}, "CHAIN_BLOCK_MALFORMED", /twice/],
    ["an empty reply", { "7.json": reply("null") }, {}, "CHAIN_BLOCK_MALFORMED", /no such block/],
    [
      "an endpoint's error",
      { "7.json": '{"error":{"code":-32004,"message":"Block not available"}}' },
      {},
      "CHAIN_BLOCK_MALFORMED",
      /error of an endpoint/,
    ],
  ])("refuse %s by name", async (_, files, spec, code, message) => {
    await expect(open(files, spec)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
