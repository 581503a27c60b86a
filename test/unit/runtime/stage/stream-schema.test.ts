import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { parseStage } from "../../../../src/consensus/result.ts";
import type { StreamForm, StreamStep } from "../../../../src/consensus/stream-form.ts";
import { checkSettled } from "../../../../src/plan/several-inputs.ts";
import { streamPorts } from "../../../../src/runtime/stage/stream-schema.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "id", type: "i64", nullable: false },
]);
const input = (name: string): { readonly name: string; readonly schema: typeof schema } => ({ name, schema });
const time = { column: "at", outOfOrderUs: 0 };
const form = (steps: StreamStep[], times: StreamForm["times"] = [time]): StreamForm => ({
  kind: "stream",
  times,
  steps,
});
const regular = { kind: "regular", ttlUs: null } as const;
const join: StreamStep = { kind: "join", keep: "left", keys: { left: ["id"], right: ["id"] }, by: regular };
const filter: StreamStep = {
  kind: "filter",
  condition: {
    op: "gt",
    args: [
      { op: "column", name: "id" },
      { op: "value", value: 1 },
    ],
  },
};

describe("the columns of a stream task", () => {
  it("are those of its steps, and late rows have those of their side", () => {
    const ports = streamPorts(form([join, filter], [time, time]), [input("a"), input("b")]);
    expect(ports["main"]?.fields.map(({ name }) => name)).toEqual(["id", "at", "b_at"]);
    expect(ports["late"]).toBe(schema);
    expect(ports["late-right"]).toBe(schema);
  });

  it.each<[string, StreamForm, number, string]>([
    ["a join as second step", form([filter, join], [time, time]), 2, "STREAM_STEP"],
    ["several inputs and no step for them", form([filter], [time, time]), 2, "STREAM_STEP"],
    ["a join of one input", form([join]), 1, "STREAM_STEP"],
    ["another number of event times", form([filter], [time, time]), 1, "STREAM_STEP"],
    ["a union without event times", form([{ kind: "union" }], [null, null]), 2, "TIME_MISSING"],
    [
      "punctuated inputs beside others",
      form([{ kind: "union" }], [time, { ...time, punctuated: "at" }]),
      2,
      "WINDOW_UNDESCRIBED",
    ],
    ["a join without event times", form([join], [time, null]), 2, "TIME_MISSING"],
    [
      "a dedup with a time and no event time",
      form([{ kind: "dedup", keys: [], withinUs: 1 }], [null]),
      1,
      "TIME_MISSING",
    ],
    [
      "a column that is null",
      form([{ kind: "select", columns: [{ name: "x", expression: { op: "value", value: null } }] }]),
      1,
      "EXPRESSION_TYPE",
    ],
  ])("are refused for %s", (_, task, inputs, code) => {
    const given = [input("a"), input("b")].slice(0, inputs);
    expect(() => streamPorts(task, given)).toThrow(expect.objectContaining({ code }));
  });

  it("has no input among several that ends nobody knows where", () => {
    const none = new Set<string>();
    expect(() => checkSettled("j", ["a", "b"], none, new Set(["b"]))).toThrow(
      expect.objectContaining({ code: "INPUTS_OPEN" }),
    );
    expect(() => checkSettled("j", ["a", "b"], new Set(["a"]), none)).toThrow(
      expect.objectContaining({ code: "INPUTS_OPEN" }),
    );
    checkSettled("j", ["a", "b"], none, none);
  });
});

describe("a stage of stream operators from a stranger", () => {
  const deep = (): unknown => {
    let node: unknown = { op: "column", name: "a" };
    for (let i = 0; i < 100_000; i++) node = { op: "not", args: [node] };
    return node;
  };
  it.each<[string, unknown]>([
    ["nested without end", deep()],
    ["an unknown operation", { op: "eval", args: [{ op: "column", name: "a" }] }],
    ["a column that is none", { op: "column", name: 1 }],
    ["a value that is none", { op: "value", value: { a: 1 } }],
    ["something beside", { op: "not", args: [{ op: "column", name: "a" }], more: 1 }],
  ])("is refused with an expression %s", (_, condition) => {
    const operator = { ...form([]), steps: [{ kind: "filter", condition }] };
    const read = { from: "source", name: "a", port: "main" };
    const stage = { v: 1, task: "t", input: read, operator, upstream: null, leaves: {} };
    expect(() => parseStage(stage)).toThrow(/steps/);
  });
});
