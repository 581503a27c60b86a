import { describe, expect, it } from "vitest";
import { TASK } from "../../../machines/registry.ts";
import type { TaskContext } from "../../../machines/task/step.ts";
import { linkTo, Walker } from "./walker.ts";

const submitter = () => new Walker<TaskContext>(TASK, { task: "t", role: "submitter", openMax: 2 });
const voter = () => new Walker<TaskContext>(TASK, { task: "t", role: "voter", openMax: 2 });
const slot = (type: "pulled" | "offered", seq: number, end = false) => ({
  type,
  seq,
  slot: linkTo(`slot ${seq}`),
  rows: 10,
  end,
});
const executed = (seq: number) => ({
  type: "executed",
  seq,
  statement: linkTo(`statement ${seq}`),
  state: linkTo(`state ${seq}`),
  executed: true,
});
const certified = (seq: number) => ({ type: "certified", seq, certificate: linkTo(`certificate ${seq}`) });
const recorded = (seq: number) => ({ type: "recorded", seq, record: linkTo(`record ${seq}`) });

describe("task machine", () => {
  it("begins idle and hears nothing before it is started", () => {
    const walker = submitter();
    expect(walker.requests).toEqual([]);
    expect(walker.send(slot("pulled", 0))).toEqual([]);
    expect(walker.send({ type: "start" })).toEqual(["pull 0"]);
  });

  it("pulls while there is room, executes one at a time, records in sequence, completes once", () => {
    const walker = submitter();
    walker.send({ type: "start" });
    expect(walker.send(slot("pulled", 0))).toEqual(["execute 0", "pull 1"]);
    expect(walker.send(slot("pulled", 1, true))).toEqual([]);
    expect(walker.send(executed(0))).toEqual(["claim 0", "execute 1"]);
    expect(walker.send(executed(1))).toEqual(["claim 1"]);
    expect(walker.send(certified(1))).toEqual([]);
    expect(walker.send(certified(0))).toEqual(["record 0"]);
    expect(walker.send(recorded(0))).toEqual(["record 1"]);
    expect(walker.send(recorded(1))).toEqual(["complete"]);
    expect(walker.value).toBe("complete");
    expect(walker.context).toMatchObject({
      nextSeq: 2,
      nextRow: 20,
      ended: true,
      open: [],
      records: { count: 2, head: linkTo("record 1") },
    });
    expect(walker.requests.at(-1)?.params).toEqual({ head: linkTo("record 1"), count: 2 });
  });

  it("hands the state on from slot to slot and the record to the next", () => {
    const walker = submitter();
    walker.send({ type: "start" });
    for (const event of [
      slot("pulled", 0),
      slot("pulled", 1),
      executed(0),
      certified(0),
      recorded(0),
      executed(1),
      certified(1),
    ])
      walker.send(event);
    const params = (type: string) =>
      walker.requests.filter((request) => request.type === type).map((request) => request.params);
    expect(params("execute")).toMatchObject([
      { seq: 0, state: null },
      { seq: 1, state: linkTo("state 0") },
    ]);
    expect(params("record")).toMatchObject([
      { seq: 0, prev: null },
      { seq: 1, prev: linkTo("record 0") },
    ]);
    expect(params("pull")).toMatchObject([
      { seq: 0, from: 0 },
      { seq: 1, from: 10 },
      { seq: 2, from: 20 },
    ]);
  });

  it("a voter takes offers in sequence while it has room, and never pulls", () => {
    const walker = voter();
    expect(walker.send({ type: "start" })).toEqual([]);
    expect(walker.send(slot("offered", 1))).toEqual([]);
    expect(walker.send(slot("offered", 0))).toEqual(["execute 0"]);
    expect(walker.send(slot("offered", 0))).toEqual([]);
    expect(walker.send(slot("offered", 1))).toEqual([]);
    expect(walker.send(slot("offered", 2))).toEqual([]);
    expect(walker.context.open.map(({ seq }) => seq)).toEqual([0, 1]);
  });

  it.each([
    ["a pull nobody asked for", slot("pulled", 5)],
    ["an offer to a submitter", slot("offered", 1)],
    ["a statement of another slot", executed(7)],
    ["a certificate of another slot", certified(7)],
    ["a record that was not asked for", recorded(0)],
  ])("leaves out %s", (_, event) => {
    const walker = submitter();
    walker.send({ type: "start" });
    walker.send(slot("pulled", 0));
    const before = walker.state().cid.toString();
    expect(walker.send(event)).toEqual([]);
    expect(walker.state().cid.toString()).toBe(before);
  });

  it("hears nothing after the last record", () => {
    const walker = voter();
    walker.send({ type: "start" });
    for (const event of [slot("offered", 0, true), executed(0), certified(0), recorded(0)]) walker.send(event);
    const before = walker.state().cid.toString();
    for (const event of [slot("offered", 1), executed(0), certified(0), recorded(0), { type: "start" }])
      expect(walker.send(event)).toEqual([]);
    expect(walker.state().cid.toString()).toBe(before);
  });
});
