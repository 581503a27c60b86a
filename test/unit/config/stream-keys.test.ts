import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";

const parsed = (task: string, time = "{ column: at }") =>
  parseConfig(
    `name: demo\nsources:\n  a: { file: a.csv, columns: { at: timestamp, mark: timestamp, paid: i64 }, time: ${time} }\ntasks:\n  t: ${task}\noutputs:\n  all: { input: t, file: all.csv }\n`,
    "/s/ipdm.yaml",
    "i.yaml",
  );
const COUNT = "aggregate: { n: count() }";

describe("keys of stream operators", () => {
  it("rename and add columns before the others, under the names that programs use as well", async () => {
    const { config } = await parsed(
      "{ input: a, topN: { rows: 1, by: twice }, project: { twice: twice }, withColumns: { twice: cents * 2 }, rename: { paid: cents } }",
    );
    const [task] = config.tasks;
    expect(task?.kind === "stream" && task.steps.map(({ kind }) => kind)).toEqual([
      "rename",
      "withColumns",
      "select",
      "top",
    ]);
    expect(task).toMatchObject({ called: { select: "project", top: "topN" } });
  });

  it("say what moves the watermark", async () => {
    const { config } = await parsed(
      `{ input: a, filter: paid > 1, time: { column: at, monotonic: true } }`,
      "{ column: at, punctuated: mark }",
    );
    expect(config.sources[0]).toMatchObject({ time: { column: "at", outOfOrderUs: 0, punctuated: "mark" } });
    expect(config.tasks[0]).toMatchObject({ time: { column: "at", outOfOrderUs: 0 } });
  });

  it.each([
    ["{ input: a, select: { x: paid }, project: { x: paid } }", /has both select and project/],
    ["{ input: a, top: { rows: 1, by: paid }, topN: { rows: 1, by: paid } }", /has both top and topN/],
    ["{ input: a, rename: {} }", /rename: must name at least one column/],
    ["{ input: a, scan: { running: {} } }", /scan\.running: must name at least one column/],
    ["{ input: a, filter: paid > 1, time: { column: at, outOfOrder: 2s, punctuated: mark } }", /says twice what moves/],
    [`{ input: a, window: { count: 3, lateness: 5s }, ${COUNT} }`, /window\.lateness has no meaning with count/],
    [`{ input: a, window: { count: 3, emit: retract }, ${COUNT} }`, /window\.emit: retract has no meaning with count/],
    [`{ input: a, window: { tumble: 1m, emit: upsert, trigger: {} }, ${COUNT} }`, /window\.trigger is empty/],
  ])("refuses %s", async (task, message) => {
    await expect(parsed(task)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(message) as string,
    });
  });

  it("tell that a number without a unit is no duration, wherever one stands", async () => {
    await expect(parsed("{ input: a, dedup: { within: 5 } }")).rejects.toMatchObject({ hint: "write a unit: 5s" });
  });
});
