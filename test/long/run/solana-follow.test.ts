import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";
import { RpcServer } from "../../support/rpc-server.ts";
import { slotHash } from "../../support/slots.ts";
import { slotRow } from "../../support/solana-module.ts";
import { madeKey, madeTransaction, SYSTEM, signerKey } from "../../support/solana-transactions.ts";

/** Slots that have a block; between them lie more skipped ones than are asked for at once. */
const SLOTS = [100, 101, 103, 104, 107, 200, 201, 260, 261, 262, 263];

const folder = await makeTestFolder("solana-follow");
afterAll(() => folder.remove());

it("follows the head of Solana over skipped slots, every signature checked, and seals what is final when it is ended", async () => {
  const texts = new Map(
    SLOTS.map((slot, i) => {
      const instruction = {
        program: SYSTEM,
        accounts: [signerKey("payer"), madeKey("target")],
        data: Uint8Array.of(i),
      };
      const parentSlot = SLOTS[i - 1] ?? slot - 1;
      const transactions = [madeTransaction({ instructions: [instruction] }, "json")];
      return [
        slot,
        slotRow(slot, transactions, { parentSlot, previousBlockhash: slotHash(parentSlot) }).block,
      ] as const;
    }),
  );
  let there = 4;
  await using server = await RpcServer.open();
  server.deed = () => ({
    answer: ({ id, method, params }) => {
      const slots = SLOTS.slice(0, there);
      const [first, second] = params as [number, number];
      const reply = (result: unknown): string => `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
      if (method === "getGenesisHash") return reply(slotHash(0));
      if (method === "getBlocks") return reply(slots.filter((slot) => slot >= first && slot <= second));
      if (method === "getBlocksWithLimit") return reply(slots.filter((slot) => slot >= first).slice(0, second));
      const isWhole = JSON.stringify(params).includes('"full"');
      const text = texts.get(first) ?? "null";
      if (method === "getBlock")
        return `{"jsonrpc":"2.0","id":${id},"result":${isWhole ? text : text.replace("{", '{"signatures":[],')}}`;
      // Each look at the head finds one block more.
      there = Math.min(SLOTS.length, there + 1);
      return reply(slots.at(-1));
    },
  });
  const configPath = join(folder.path, "ipdm.yaml");
  await writeFile(
    configPath,
    `name: heads
sources: { slots: { solana: "${server.url}", verify: full, range: { from: 100 }, finality: 2 } }
tasks: { transactions: { input: slots, table: transactions } }
outputs: { all: { input: transactions, file: all.ndjson } }
`,
  );
  const outDir = folder.fresh("out");
  let end: () => void = () => expect.unreachable();
  const { rows } = await runConfig({
    configPath,
    outDir,
    pollMs: 5,
    onFollow: (stop) => (end = stop),
    onProgress: ({ rowsIn }) => rowsIn >= SLOTS.length - 2 && end(),
  });
  expect(rows).toEqual({ in: SLOTS.length - 2, out: SLOTS.length - 2 });
  const lines = (await readFile(join(outDir, "all.ndjson"), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => Number((JSON.parse(line) as { slot: unknown }).slot))).toEqual(SLOTS.slice(0, -2));
  expect(await verifyReceiptFile(join(outDir, "receipt.car"))).toMatchObject({ ok: true });
});
