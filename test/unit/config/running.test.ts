import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";

const configOf = (scan: string): string =>
  `name: demo\nsources:\n  a: { file: a.csv, columns: { at: timestamp, who: utf8, paid: i64 }, time: { column: at } }\ntasks:\n  t: { input: a, scan: ${scan} }\n  w: { input: t, window: { tumble: 1d }, aggregate: { n: count() } }\noutputs:\n  all: { input: w, file: all.csv }\n`;
const parsed = (scan: string) => parseConfig(configOf(scan), "/s/ipdm.yaml", "i.yaml");

describe("scan", () => {
  it("becomes a step, whose rows keep their event time", async () => {
    const { config } = await parsed("{ key: [who], running: { total: sum(paid), n: count() }, ttl: 1h }");
    expect(config.tasks[0]).toMatchObject({
      kind: "stream",
      steps: [
        {
          kind: "scan",
          keys: ["who"],
          running: [
            { name: "total", kind: "sum", column: "paid" },
            { name: "n", kind: "count", column: null },
          ],
          ttlUs: 3_600_000_000,
        },
      ],
    });
  });

  it.each([
    ["{ key: [who] }", /scan\.running is missing/],
    ["{ running: { x: distinct(who) } }", /distinct cannot be told row by row/],
    ["{ running: { x: sum() } }", /sum needs a column/],
    ["{ running: { x: summ(paid) } }", /there is no aggregate summ/],
  ])("refuses %s", async (scan, message) => {
    await expect(parsed(scan)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message),
    });
  });
});
