import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle } from "../../../src/sandbox/port.ts";
import { loadSolana, type SlotRow, slotBatch, slotRow, tableRows } from "../../support/solana-module.ts";
import { type Block, first, pair, second, tampered, text } from "../../support/solana-tampering.ts";
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

describe("blocks of Solana that are none", () => {
  it.each<[string, (block: Block) => unknown, string, RegExp]>([
    [
      "fewer loaded addresses",
      (b) => (second(b).meta["loadedAddresses"] = { writable: [madeKey("a")], readonly: [] }),
      MALFORMED,
      /transaction 1: other loadedAddresses/,
    ],
    [
      "no loaded addresses",
      (b) => {
        delete second(b).meta["loadedAddresses"];
      },
      MALFORMED,
      /other loadedAddresses/,
    ],
    [
      "inner instructions of none",
      (b) => (second(b).meta["innerInstructions"] = [{ index: 1, instructions: [] }]),
      MALFORMED,
      /not there/,
    ],
    [
      "inner instructions out of order",
      (b) =>
        (second(b).meta["innerInstructions"] = [0, 0].map((index) => ({
          index,
          instructions: [{ programIdIndex: 0, accounts: [], data: "" }],
        }))),
      MALFORMED,
      /out of order/,
    ],
    ["a fee as a text", (b) => (first(b).meta["fee"] = "5000"), MALFORMED, /no whole number/],
    ["a fee with a fraction", (b) => (first(b).meta["fee"] = 5000.5), MALFORMED, /no whole number/],
    [
      "no fee",
      (b) => {
        delete first(b).meta["fee"];
      },
      MALFORMED,
      /without err or fee/,
    ],
    [
      "no meta",
      (b) => {
        (first(b) as { meta: unknown }).meta = null;
      },
      MALFORMED,
      /no meta/,
    ],
    [
      "transactions as an object",
      (b) => {
        (b as Record<string, unknown>)["transactions"] = {};
      },
      MALFORMED,
      /no array/,
    ],
    [
      "a transaction as a number",
      (b) => {
        (b.transactions as unknown[])[0] = 7;
      },
      MALFORMED,
      /no object/,
    ],
    [
      "signatures as a text",
      (b) => {
        (first(b).transaction as { signatures: unknown }).signatures = "x";
      },
      MALFORMED,
      /no array/,
    ],
    [
      "a signature as null",
      (b) => {
        (first(b).transaction.signatures as unknown[])[0] = null;
      },
      MALFORMED,
      /no string/,
    ],
    [
      "a key that is too short",
      (b) => (first(b).transaction.message.accountKeys[2] = "11111"),
      MALFORMED,
      /no key of 32 bytes/,
    ],
    [
      "a key of other letters",
      (b) => (first(b).transaction.message.accountKeys[2] = "0".repeat(40)),
      MALFORMED,
      /32 bytes in Base58/,
    ],
    [
      "an account that is not there",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["accounts"] = [9]),
      MALFORMED,
      /none of the keys/,
    ],
    [
      "a program from a table",
      (b) => ((second(b).transaction.message.instructions[0] ?? {})["programIdIndex"] = 3),
      MALFORMED,
      /none of the keys/,
    ],
    [
      "a number beyond a byte",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["programIdIndex"] = 256),
      MALFORMED,
      /above 255/,
    ],
    [
      "data of other letters",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["data"] = "0OIl"),
      MALFORMED,
      /no Base58/,
    ],
    [
      "data that are endless",
      (b) => ((first(b).transaction.message.instructions[0] ?? {})["data"] = "2".repeat(20_000)),
      MALFORMED,
      /10 KiB/,
    ],
    ["a time as a text", (b) => (b["blockTime"] = "now"), MALFORMED, /no whole number/],
    [
      "transactions left out",
      (b) => {
        delete (b as Record<string, unknown>)["transactions"];
      },
      MALFORMED,
      /transactionDetails: full/,
    ],
    [
      "a version that nobody knows",
      (b) => {
        first(b).version = 1;
      },
      "SOLANA_VERSION_UNSUPPORTED",
      /version 1/,
    ],
    [
      "the encoding jsonParsed",
      (b) => (first(b).transaction.message.accountKeys[0] = { pubkey: madeKey("x") }),
      "SOLANA_ENCODING_UNSUPPORTED",
      /jsonParsed/,
    ],
    [
      "the encoding base58",
      (b) => {
        (first(b) as { transaction: unknown }).transaction = ["abc", "base58"];
      },
      "SOLANA_ENCODING_UNSUPPORTED",
      /base58/,
    ],
  ])("are refused for %s", async (_, change, code, message) => {
    await expect(tableRows(full, slotBatch([tampered(change)]))).rejects.toMatchObject({
      code,
      kind: "verification",
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, SlotRow, RegExp]>([
    ["cut short", text((t) => t.slice(0, 900)), /the text ends/],
    ["cut before its last bracket", text((t) => t.slice(0, -1)), /the text ends/],
    ["more behind it", text((t) => `${t}{}`), /more than a block/],
    ["a name twice", text((t) => `{"blockTime":5,${t.slice(1)}`), /stands there twice/],
    ["a name with an escape", text((t) => t.replace('"fee"', '"f\\u0065e"')), /an escape in a name/],
    ["a number beyond 64 bits", text((t) => t.replace('"fee":10000', '"fee":18446744073709551616')), /above 2\^64/],
    ["a number with an exponent", text((t) => t.replace('"fee":10000', '"fee":1e4')), /no whole number/],
    ["a number below zero", text((t) => t.replace('"fee":10000', '"fee":-1')), /no whole number/],
    ["a number that begins with zero", text((t) => t.replace('"fee":10000', '"fee":010000')), /leading zeros/],
    ["no comma", text((t) => t.replace(',"meta"', ' "meta"')), /no comma/],
    [
      "a control character",
      text((t) => t.replace("Program log", "Program\u0000log")),
      /control character|the text ends/,
    ],
    ["no JSON", text(() => "[1,2]"), /no object/],
  ])("are refused as no block: %s", async (_, row, message) => {
    const blocks = await loadSolana(lane, { table: "blocks" });
    await expect(tableRows(blocks, slotBatch([row]))).rejects.toMatchObject({
      code: MALFORMED,
      message: expect.stringMatching(message),
    });
  });

  it("are refused in Base64 for bytes that changed, are missing or too many, and for a length in more bytes than it needs", async () => {
    const wire = (change: (bytes: Buffer) => Buffer): SlotRow => {
      const transactions = pair("base64");
      const [encoded = ""] = (transactions[1]?.["transaction"] ?? []) as string[];
      const changed = change(Buffer.from(encoded, "base64")).toString("base64");
      return slotRow(9, [transactions[0], { ...transactions[1], transaction: [changed, "base64"] }]);
    };
    const refused = async (row: SlotRow, code: string, message: RegExp): Promise<void> => {
      await expect(tableRows(full, slotBatch([row]))).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    };
    const flip =
      (at: number) =>
      (bytes: Buffer): Buffer => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ 1;
        return copy;
      };
    await refused(wire(flip(5)), INVALID, /transaction 1: signature 0/);
    await refused(wire(flip(90)), INVALID, /transaction 1: signature 0/);
    await refused(
      wire((bytes) => bytes.subarray(0, -1)),
      MALFORMED,
      /cut short/,
    );
    await refused(
      wire((bytes) => bytes.subarray(0, 40)),
      MALFORMED,
      /cut short/,
    );
    await refused(
      wire((bytes) => Buffer.concat([bytes, Buffer.of(0)])),
      MALFORMED,
      /more bytes/,
    );
    await refused(
      wire((bytes) => Buffer.concat([Buffer.of(0x81, 0), bytes.subarray(1)])),
      MALFORMED,
      /more bytes than it needs/,
    );
    await refused(
      wire(() => Buffer.of(0)),
      MALFORMED,
      /without a signature/,
    );
    const broken = slotRow(9, [{ ...pair("json")[0], transaction: ["AB=A", "base64"] }]);
    await refused(broken, MALFORMED, /no Base64/);
  });

  it("are refused for balances of other keys than there are", async () => {
    const fewer = tampered((block) => (first(block).meta["postBalances"] = [1]));
    await expect(tableRows(links, slotBatch([fewer]))).rejects.toMatchObject({ code: MALFORMED });
  });
});
