import { expect, it } from "vitest";
import { RowGuess } from "../../../src/run/row-guess.ts";

const MIB = 1024 * 1024;

it("takes the rows so far for those of the bytes before the new position", () => {
  const guess = new RowGuess(10 * MIB, 0);
  expect(guess.read(MIB)).toBeUndefined();
  guess.took(7);
  expect(guess.read(MIB)).toBeUndefined();
  guess.took(3);
  expect(guess.read(2 * MIB)).toBe(100);
});

it("counts rows that were passed over, since their bytes were read too", () => {
  const guess = new RowGuess(10 * MIB, 40);
  expect(guess.read(5 * MIB)).toBeUndefined();
  guess.took(10);
  expect(guess.read(6 * MIB)).toBe(100);
  expect(guess.rows).toBe(50);
});

it("says nothing of the first MiB", () => {
  const guess = new RowGuess(10 * MIB, 0);
  guess.read(MIB - 1);
  guess.took(10);
  expect(guess.read(MIB)).toBeUndefined();
});
