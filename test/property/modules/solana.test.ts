import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import { loadSolana, slotBatch, slotRow, tableRows } from "../../support/solana-module.ts";
import { pair } from "../../support/solana-tampering.ts";

const RUNS = 150;
/** Each table once, most without what stops at the first signature. */
const SETTINGS = [
  { table: "transactions", verify: "none" },
  { table: "instructions", verify: "full" },
  { table: "token_transfers", verify: "none" },
  { table: "balance_changes", verify: "links" },
  { table: "votes", verify: "none" },
] as const;

const lane = openLane();
afterAll(() => lane.close());

const good = (["json", "base64"] as const).map((encoding) => slotRow(9, pair(encoding)));

/** What may stand where a value stood. */
const value = fc.constantFrom(
  ...["null", "true", "{}", "[]", '""', "-1", "1e9", "0", "2", "256", "18446744073709551616", '"\\u0041"'],
  ...["[[]]", '{"a":1}', "[1,2,3]", '"11111111111111111111111111111111"', ",", ":", '"', "\\", "}", "]", "{", "["],
);

/** A change of a text at a place, given as a part of its length. */
const change = fc.oneof(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), letter: fc.string({ minLength: 1, maxLength: 2 }) }),
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value }),
);

function changed(text: string, made: { at: number; letter?: string; cut?: number; value?: string }): string {
  const at = Math.floor(made.at * (text.length - 1));
  if (made.letter !== undefined) return `${text.slice(0, at)}${made.letter}${text.slice(at + 1)}`;
  if (made.cut !== undefined) return text.slice(0, at) + text.slice(at + made.cut);
  const token = /[[:,](-?\d+|"[^"]*"|null|true|false)/g;
  token.lastIndex = at;
  const found = token.exec(text);
  if (found === null) return text;
  return `${text.slice(0, found.index + 1)}${made.value ?? ""}${text.slice(found.index + found[0].length)}`;
}

describe("a block of Solana with changes at random", () => {
  it("becomes a table or is refused by name, and never traps", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...good),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...SETTINGS),
        async (row, changes, asked) => {
          const block = changes.reduce(changed, row.block);
          const module = await loadSolana(lane, asked);
          const code = await tableRows(module, slotBatch([{ ...row, block: block.toWellFormed() }])).then(
            () => "SOLANA_",
            (error: { code?: string }) => error.code,
          );
          expect(code).toMatch(/^SOLANA_/);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
