import { expect, it } from "vitest";
import { UncheckedBlocks } from "../../../src/run/unchecked-blocks.ts";

it("adds up what a task's module wrote, and passes over other lines", () => {
  const unchecked = new UncheckedBlocks();
  expect(unchecked.notices()).toEqual([]);
  unchecked.wrote("logs", "withdrawals of 2 blocks from 8 to 9 are not in the JSON and were not checked");
  unchecked.wrote("logs", "withdrawals of 1 blocks from 5 to 5 are not in the JSON and were not checked");
  // Calls that were made again, one with another cut.
  unchecked.wrote("logs", "withdrawals of 2 blocks from 8 to 9 are not in the JSON and were not checked");
  unchecked.wrote("logs", "withdrawals of 1 blocks from 9 to 9 are not in the JSON and were not checked");
  unchecked.wrote("logs", "a line");
  unchecked.wrote("blocks", "withdrawals of 1 blocks from 7 to 7 are not in the JSON and were not checked");
  expect(unchecked.notices()).toEqual([
    {
      level: "warn",
      code: "ETH_WITHDRAWALS_UNCHECKED",
      message: "logs: the JSON of 3 blocks from 5 to 9 lists no withdrawals, so these were not checked",
      facts: { task: "logs", blocks: 3, first: 5, last: 9 },
    },
    {
      level: "warn",
      code: "ETH_WITHDRAWALS_UNCHECKED",
      message: "blocks: the JSON of 1 block from 7 to 7 lists no withdrawals, so these were not checked",
      facts: { task: "blocks", blocks: 1, first: 7, last: 7 },
    },
  ]);
});
