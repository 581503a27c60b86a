import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TASK } from "../../../machines/registry.ts";
import type { TaskContext } from "../../../machines/task/step.ts";
import { linkTo, Walker } from "../../unit/machines/walker.ts";

type Event = { readonly type: string; readonly [key: string]: unknown };

const SLOTS = 6;
const SHAPES: Readonly<Record<string, string>> = {
  pull: "from,seq",
  execute: "seq,slot,state",
  claim: "end,executed,seq,slot,statement",
  record: "certificate,prev,seq,slot,statement",
  complete: "count,head",
};

const slotOf = (type: string, seq: number): Event => ({
  type,
  seq,
  slot: linkTo(`slot ${seq}`),
  rows: 7,
  end: seq === SLOTS - 1,
});
const eventOf = (type: string, seq: number): Event => {
  switch (type) {
    case "executed":
      return {
        type,
        seq,
        statement: linkTo(`statement ${seq}`),
        state: linkTo(`state ${seq}`),
        executed: seq % 2 === 0,
      };
    case "certified":
      return { type, seq, certificate: linkTo(`certificate ${seq}`) };
    case "recorded":
      return { type, seq, record: linkTo(`record ${seq}`) };
    case "pulled":
    case "offered":
      return slotOf(type, seq);
    default:
      return { type };
  }
};

/** What the outside world does next: the right thing, or anything at all. */
const deed = fc.oneof(
  { weight: 5, arbitrary: fc.nat(8).map((pick) => ({ kind: "answer" as const, pick })) },
  { weight: 2, arbitrary: fc.nat(SLOTS).map((seq) => ({ kind: "certify" as const, seq })) },
  { weight: 2, arbitrary: fc.constant({ kind: "offer" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("noise" as const),
      type: fc.constantFrom("start", "pulled", "offered", "executed", "certified", "recorded", "unknown"),
      seq: fc.nat(SLOTS + 1),
    }),
  },
);

/** The event that answers a request, as its actor would. */
function answerOf(type: string, seq: number): Event | undefined {
  const events: Readonly<Record<string, string>> = { pull: "pulled", execute: "executed", record: "recorded" };
  return events[type] === undefined ? undefined : eventOf(events[type], seq);
}

function check(walker: Walker<TaskContext>, openMax: number): void {
  const { context, requests } = walker;
  const count = context.records.count;
  expect(context.open.map(({ seq }) => seq)).toEqual(
    Array.from({ length: context.nextSeq - count }, (_, i) => count + i),
  );
  expect(context.open.length).toBeLessThanOrEqual(openMax);
  expect(context.nextRow).toBe(7 * context.nextSeq);
  for (const type of ["pull", "execute", "record"]) {
    expect(walker.pending.filter((request) => request.type === type).length).toBeLessThanOrEqual(1);
    const seqs = requests
      .filter((request) => request.type === type)
      .map(({ params }) => (params as { seq: number }).seq);
    expect(seqs).toEqual(seqs.map((_, i) => i));
  }
  const claims = requests.filter(({ type }) => type === "claim").map(({ params }) => (params as { seq: number }).seq);
  expect(claims).toEqual(claims.map((_, i) => i));
  const completes = requests.filter(({ type }) => type === "complete").length;
  expect(completes).toBe(context.ended && context.open.length === 0 ? 1 : 0);
  expect(walker.value === "complete").toBe(completes === 1);
  for (const { type, params } of requests)
    expect(
      Object.keys(params as object)
        .sort()
        .join(),
    ).toBe(SHAPES[type]);
  const { bytes } = walker.state();
  expect(new Uint8Array(dagCbor.encode(dagCbor.decode(bytes)))).toEqual(bytes);
}

describe("random walks of the task machine", () => {
  it.each(["submitter", "voter"] as const)("keep their invariants as %s, and end when all is answered", (role) => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (deeds, openMax) => {
        const walker = new Walker<TaskContext>(TASK, { task: "t", role, openMax });
        walker.send({ type: "start" });
        const answer = (pick: number): void => {
          const request = walker.pending[pick % Math.max(1, walker.pending.length)];
          if (request === undefined) return;
          const event = answerOf(request.type, (request.params as { seq: number }).seq);
          if (event === undefined) walker.done(request.id);
          else walker.send({ ...event, request: request.id });
        };
        const claimed = (): number[] =>
          walker.requests.flatMap(({ type, params }) => (type === "claim" ? [(params as { seq: number }).seq] : []));
        for (const item of deeds) {
          if (item.kind === "answer") answer(item.pick);
          else if (item.kind === "certify") walker.send(eventOf("certified", item.seq));
          else if (item.kind === "offer") walker.send(slotOf("offered", walker.context.nextSeq));
          // Noise never comes as the answer to a request; a machine must not take it for one it waits for out of turn.
          else if (
            !["pulled", "executed", "recorded"].includes(item.type) ||
            item.seq !== expectedSeq(walker, item.type)
          )
            walker.send(eventOf(item.type, item.seq));
          check(walker, openMax);
        }
        for (let i = 0; i < 20 * SLOTS && walker.value !== "complete"; i++) {
          answer(0);
          if (role === "voter") walker.send(slotOf("offered", walker.context.nextSeq));
          for (const seq of claimed()) walker.send(eventOf("certified", seq));
          check(walker, openMax);
        }
        expect(walker.value).toBe("complete");
        expect(walker.context.records.count).toBe(SLOTS);
      }),
      { numRuns: 60 },
    );
  });
});

function expectedSeq({ context }: Walker<TaskContext>, type: string): number | undefined {
  if (type === "pulled") return context.nextSeq;
  if (type === "executed") return context.open.find((slot) => slot.statement === null)?.seq;
  return context.open[0]?.seq;
}
