import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { base58btc } from "multiformats/bases/base58";
import { afterAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import { openChain } from "../../../src/sources/chain/open.ts";
import { loadSolana, slotBatch, slotRow, tableRows } from "../../support/solana-module.ts";
import {
  BUDGET,
  type Encoding,
  type MadeTransaction,
  madeKey,
  madeTransaction,
  SYSTEM,
  signerKey,
  TOKEN,
  TOKEN_2022,
  VOTE,
} from "../../support/solana-transactions.ts";

const DATA = fileURLToPath(new URL("../../../../shared/data/solana/", import.meta.url));
const present = existsSync(DATA);
if (!present) console.warn("skipped: the blocks of Solana are not at ../shared/data/solana");

const TABLES = ["blocks", "transactions", "instructions", "token_transfers", "balance_changes", "votes"] as const;
const lane = openLane();
afterAll(() => lane.close());

const u64 = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(value).buffer)];
const bytes = (...parts: readonly (number | readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat());

const [source, target, mint, owner] = ["source", "target", "mint", "owner"].map(madeKey) as [
  string,
  string,
  string,
  string,
];
const balance = (accountIndex: number, decimals: number) => ({
  accountIndex,
  mint,
  owner,
  programId: TOKEN,
  uiTokenAmount: { uiAmount: null, decimals, amount: "5", uiAmountString: "5" },
});

/** A vote of slots 100, 103 and 105 on top of the root 90, as TowerSync has it. */
const TOWER_SYNC = bytes(
  [14, 0, 0, 0],
  u64(90n),
  3,
  [10, 3],
  [3, 2],
  [2, 1],
  Array<number>(32).fill(7),
  1,
  u64(1_700_000_000n),
  Array<number>(32).fill(9),
);

const MADE: readonly MadeTransaction[] = [
  {
    signers: ["payer", "second"],
    instructions: [
      { program: BUDGET, data: bytes(2, [64, 13, 3, 0]) },
      { program: TOKEN, accounts: [source, target, signerKey("payer")], data: bytes(3, u64(7n)) },
      {
        program: TOKEN_2022,
        accounts: [source, mint, target, signerKey("payer")],
        data: bytes(26, 1, u64(900n), 6, u64(9n)),
      },
    ],
    inner: [
      {
        index: 1,
        instructions: [
          { program: TOKEN, accounts: [mint, target, owner], data: bytes(7, u64(2n ** 64n - 1n)) },
          { program: TOKEN, accounts: [source, mint, owner], data: bytes(15, u64(3n), 6) },
        ],
      },
    ],
    meta: { postTokenBalances: [balance(4, 6)] },
  },
  { instructions: [{ program: VOTE, accounts: [madeKey("vote"), signerKey("payer")], data: TOWER_SYNC }] },
  {
    instructions: [
      { program: SYSTEM, accounts: [signerKey("payer"), madeKey("loaded")], data: new Uint8Array(200).fill(1) },
    ],
    loaded: { writable: [madeKey("loaded"), madeKey("other")], readonly: [madeKey("third")] },
    meta: { err: { InstructionError: [0, { Custom: 1 }] }, fee: 5001 },
  },
];

const made = (encoding: Encoding) =>
  slotRow(
    9,
    MADE.map((each) => madeTransaction(each, encoding)),
  );

describe("tables of Solana's blocks", () => {
  it("are the same from either encoding, spread out or not, checked or not", async () => {
    const row = made("json");
    const spread = { ...row, block: JSON.stringify(JSON.parse(row.block), null, 1) };
    for (const table of TABLES) {
      const full = await loadSolana(lane, { table });
      const expected = await tableRows(full, slotBatch([row]));
      expect(await tableRows(full, slotBatch([made("base64")]))).toEqual(expected);
      expect(await tableRows(full, slotBatch([spread]))).toEqual(expected);
      if (table !== "instructions") continue;
      expect(await tableRows(await loadSolana(lane, { table, verify: "none" }), slotBatch([row]))).toEqual(expected);
    }
  });

  it("have transactions with what came of them", async () => {
    const rows = await tableRows(await loadSolana(lane, { table: "transactions" }), slotBatch([made("base64")]));
    expect(rows).toMatchObject([
      {
        slot: 9n,
        time: 1_700_000_009_000_000n,
        tx: 0,
        version: "legacy",
        program: TOKEN,
        vote: false,
        fee: 10_000n,
        signatures: 2,
      },
      { tx: 1, program: VOTE, vote: true, failed: false, err: null, compute_units: 150n, instructions: 1 },
      { tx: 2, version: "0", program: SYSTEM, failed: true, err: '{"InstructionError":[0,{"Custom":1}]}', fee: 5001n },
    ]);
    expect(rows.map(({ signer }) => signer)).toEqual(MADE.map(() => signerKey("payer")));
  });

  it("have instructions in the order in which they ran, with accounts from tables", async () => {
    const rows = await tableRows(await loadSolana(lane, { table: "instructions" }), slotBatch([made("json")]));
    expect(rows.map(({ tx, instruction, inner, program }) => [tx, instruction, inner, program])).toEqual([
      [0, 0, null, BUDGET],
      [0, 1, null, TOKEN],
      [0, 1, 0, TOKEN],
      [0, 1, 1, TOKEN],
      [0, 2, null, TOKEN_2022],
      [1, 0, null, VOTE],
      [2, 0, null, SYSTEM],
    ]);
    expect(rows[6]).toMatchObject({
      accounts: `${signerKey("payer")} ${madeKey("loaded")}`,
      data: "01".repeat(200),
      failed: true,
    });
  });

  it("have what tokens moved, with mint, decimals and owner from the balances where an instruction lacks them", async () => {
    const rows = await tableRows(await loadSolana(lane, { table: "token_transfers" }), slotBatch([made("json")]));
    const moved = { mint, decimals: 6, failed: false };
    expect(rows).toMatchObject([
      {
        ...moved,
        instruction: 1,
        inner: null,
        kind: "transfer",
        from: source,
        to: target,
        to_owner: owner,
        from_owner: null,
        amount: 7n,
        fee: null,
      },
      { ...moved, inner: 0, kind: "mint", from: null, to: target, amount: 2n ** 64n - 1n },
      { ...moved, inner: 1, kind: "burn", from: source, to: null, amount: 3n },
      { ...moved, instruction: 2, program: TOKEN_2022, kind: "transfer", amount: 900n, fee: 9n },
    ]);
  });

  it("have transfers of accounts that live in one transaction, and those in a batch", async () => {
    const [temporary, wrapped] = [madeKey("temporary"), "So11111111111111111111111111111111111111112"];
    const ownerBytes = [...base58btc.baseDecode(owner)];
    const one = [3, 9, 3, ...u64(4n)];
    const transaction = madeTransaction(
      {
        instructions: [
          { program: TOKEN, accounts: [temporary, wrapped], data: bytes(18, ownerBytes) },
          { program: TOKEN, accounts: [source, temporary, owner], data: bytes(3, u64(8n)) },
          {
            program: TOKEN,
            accounts: [source, target, owner, temporary, wrapped, target, owner],
            data: bytes(255, one, [4, 10, 12, ...u64(5n), 9], [3, 9, 3, 1]),
          },
          { program: TOKEN, accounts: [source, target, owner], data: bytes(3, 1) },
        ],
      },
      "json",
    );
    const rows = await tableRows(
      await loadSolana(lane, { table: "token_transfers" }),
      slotBatch([slotRow(9, [transaction])]),
    );
    expect(rows.map(({ instruction, from, to, amount }) => [instruction, from, to, amount])).toEqual([
      [1, source, temporary, 8n],
      [2, source, target, 4n],
      [2, temporary, target, 5n],
    ]);
    expect(rows[0]).toMatchObject({ mint: wrapped, to_owner: owner, decimals: null });
    expect(rows[2]).toMatchObject({ mint: wrapped, from_owner: owner, decimals: 9 });
  });

  it("have changes of balances, and votes", async () => {
    const changes = await tableRows(await loadSolana(lane, { table: "balance_changes" }), slotBatch([made("json")]));
    expect(changes).toMatchObject([
      { tx: 0, account: signerKey("payer"), before: 1_000_000_000n, after: 999_990_000n, change: -10_000n },
      { tx: 1, change: -5000n },
      { tx: 2, change: -5000n, failed: true },
    ]);
    const votes = await tableRows(await loadSolana(lane, { table: "votes" }), slotBatch([made("json")]));
    expect(votes).toMatchObject([
      { tx: 1, vote_account: madeKey("vote"), authority: signerKey("payer"), root: 90n, last_slot: 105n, slots: 3 },
    ]);
    expect(votes[0]?.["voted_at"]).toBe(1_700_000_000_000_000n);
  });

  it("do not depend on the cut", async () => {
    const transactions = MADE.map((each) => madeTransaction(each, "json"));
    const rows = [9, 10, 11, 12].map((slot) => slotRow(slot, transactions.slice(slot % 3)));
    for (const table of TABLES) await checkRowsProperty(await loadSolana(lane, { table }), slotBatch(rows), 2);
  });
});

describe.runIf(present)("blocks of real chains", () => {
  it.each([
    ["332254855.getBlock.json.gz", 1457],
    ["343156956.json.gz", 24],
    ["5941134.json.gz", 196],
  ])("%s: every signature verifies, and the figures are those expected", async (file, signatures) => {
    await using blocks = await openChain(
      { kind: "solana", places: [DATA + file], from: null, to: null, anchor: null, chain: null },
      { worker: false },
    );
    for await (const batch of blocks.batches({ batchRows: 1 })) {
      const transactions = await tableRows(await loadSolana(lane, { table: "transactions" }), batch);
      expect(transactions.reduce((sum, row) => sum + Number(row["signatures"]), 0)).toBe(signatures);
      if (!file.startsWith("332254855")) continue;
      const expected = JSON.parse(readFileSync(`${DATA}332254855.expected.json`, "utf8")) as {
        feesLamports: number;
        computeUnits: number;
        instructionsByProgram: Record<string, number>;
      };
      const sum = (name: string): bigint => transactions.reduce((all, row) => all + (row[name] as bigint), 0n);
      expect([sum("fee"), sum("compute_units")]).toEqual([
        BigInt(expected.feesLamports),
        BigInt(expected.computeUnits),
      ]);
      expect(transactions.filter(({ vote }) => vote === true)).toHaveLength(1085);
      expect(transactions.filter(({ failed }) => failed === true)).toHaveLength(262);
      expect(transactions.filter(({ version }) => version === "0")).toHaveLength(333);
      const counts: Record<string, number> = {};
      const instructions = await tableRows(await loadSolana(lane, { table: "instructions", verify: "none" }), batch);
      for (const { program } of instructions) counts[program as string] = (counts[program as string] ?? 0) + 1;
      expect(counts).toEqual(expected.instructionsByProgram);
    }
  });
});
