import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle } from "../../../src/sandbox/port.ts";
import { slotHash } from "../../support/slots.ts";
import { loadSolana, slotBatch, tableRows } from "../../support/solana-module.ts";
import { type Block, first, good, second, tampered } from "../../support/solana-tampering.ts";
import { madeKey } from "../../support/solana-transactions.ts";

const lane = openLane();
let full: ModuleHandle;
let links: ModuleHandle;
beforeAll(async () => {
  full = await loadSolana(lane, { table: "instructions" });
  links = await loadSolana(lane, { table: "balance_changes", verify: "links" });
});
afterAll(() => lane.close());

const INVALID = "SOLANA_SIGNATURE_INVALID";
const MALFORMED = "SOLANA_BLOCK_MALFORMED";
const LINK = "SOLANA_LINK_BROKEN";

/** Another letter of Base58 in the middle of a text. */
const other = (value: string): string => `${value.slice(0, 20)}${value[20] === "A" ? "B" : "A"}${value.slice(21)}`;

describe("blocks of Solana that were tampered with", () => {
  it.each<[string, (block: Block) => unknown, string, RegExp]>([
    [
      "a signature",
      (b) => (first(b).transaction.signatures[1] = other(first(b).transaction.signatures[1] ?? "")),
      INVALID,
      /slot 9, transaction 0: signature 1 is not one of/,
    ],
    ["signatures in another order", (b) => first(b).transaction.signatures.reverse(), INVALID, /signature 0/],
    ["a key that signs", (b) => (first(b).transaction.message.accountKeys[0] = madeKey("x")), INVALID, /transaction 0/],
    [
      "a key that does not sign",
      (b) => (first(b).transaction.message.accountKeys[2] = madeKey("x")),
      INVALID,
      /transaction 0/,
    ],
    [
      "the recent blockhash",
      (b) => (first(b).transaction.message.recentBlockhash = madeKey("x")),
      INVALID,
      /transaction 0/,
    ],
    [
      "data",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["data"] = "3Bxs4h24hBtQy9rw"),
      INVALID,
      /transaction 0/,
    ],
    [
      "an account",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["accounts"] = [0, 1]),
      INVALID,
      /transaction 0/,
    ],
    [
      "a program",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["programIdIndex"] = 1),
      INVALID,
      /transaction 0/,
    ],
    [
      "the header",
      (b) => (first(b).transaction.message.header["numReadonlyUnsignedAccounts"] = 0),
      INVALID,
      /transaction 0/,
    ],
    ["an instruction taken out", (b) => first(b).transaction.message.instructions.pop(), INVALID, /transaction 0/],
    [
      "an instruction twice",
      (b) => first(b).transaction.message.instructions.push(first(b).transaction.message.instructions[0] ?? {}),
      INVALID,
      /transaction 0/,
    ],
    [
      "an address table",
      (b) => ((second(b).transaction.message.addressTableLookups?.[0] ?? {})["writableIndexes"] = [3, 5]),
      INVALID,
      /transaction 1/,
    ],
    [
      "the version",
      (b) => {
        first(b).version = 0;
      },
      INVALID,
      /transaction 0/,
    ],
    [
      "messages swapped",
      (b) => {
        const m = first(b).transaction.message;
        first(b).transaction.message = { ...second(b).transaction.message, header: m.header, instructions: [] };
      },
      MALFORMED,
      /loadedAddresses|address tables/,
    ],
    [
      "a signature too many",
      (b) => first(b).transaction.signatures.push(first(b).transaction.signatures[0] ?? ""),
      MALFORMED,
      /other signatures than its message asks for/,
    ],
    ["a signature too few", (b) => first(b).transaction.signatures.pop(), MALFORMED, /other signatures/],
    [
      "a header that asks for none",
      (b) => (first(b).transaction.message.header["numRequiredSignatures"] = 0),
      MALFORMED,
      /other signatures/,
    ],
    [
      "a transaction twice",
      (b) => (b.transactions[1] = first(b)),
      "SOLANA_TRANSACTION_DUPLICATE",
      /transaction 1: it stands in the block twice/,
    ],
    ["another parent", (b) => (b["previousBlockhash"] = slotHash(7)), LINK, /slot 9: its previousBlockhash is/],
    ["another parent's slot", (b) => (b["parentSlot"] = 7), LINK, /its parentSlot is 7, that of the block before 8/],
    ["another blockhash", (b) => (b["blockhash"] = slotHash(10)), LINK, /its blockhash is/],
  ])("are refused for %s", async (_, change, code, message) => {
    await expect(tableRows(full, slotBatch([tampered(change)]))).rejects.toMatchObject({
      code,
      kind: "verification",
      message: expect.stringMatching(message),
    });
  });

  it("are the same tables where only what nobody looks at changed", async () => {
    const expected = await tableRows(full, slotBatch([good]));
    const changed = tampered((block) => {
      first(block).meta["logMessages"] = ["something else"];
      first(block).meta["returnData"] = { data: ["", "base64"] };
      block["rewards"] = [{ pubkey: "x", lamports: -1 }];
      block["numRewardPartitions"] = 1;
    });
    expect(await tableRows(full, slotBatch([changed]))).toEqual(expected);
  });

  it("pass below the level that finds it out, and no parent is asked for at none", async () => {
    const signature = tampered((block) => first(block).transaction.signatures.reverse());
    expect(await tableRows(links, slotBatch([signature]))).toHaveLength(2);
    const parent = tampered((block) => (block["previousBlockhash"] = slotHash(7)));
    await expect(tableRows(links, slotBatch([parent]))).rejects.toMatchObject({ code: LINK });
    expect(await tableRows(await loadSolana(lane, { verify: "none" }), slotBatch([parent]))).toHaveLength(2);
  });
});
