import { describe, expect, it } from "vitest";
import { EVIDENCE_MAX } from "../../../machines/domain/guards.ts";
import type { DomainContext } from "../../../machines/domain/step.ts";
import { DOMAIN } from "../../../machines/registry.ts";
import { SEAL_TASK } from "../../../src/consensus/statement.ts";
import { linkTo, Walker } from "./walker.ts";

const domain = () =>
  new Walker<DomainContext>(DOMAIN, { domain: "d", epoch: 1, membership: linkTo("membership"), tasks: ["a", "b"] });
const claimed = (task: string, seq: number) => ({
  type: "claimed",
  task,
  seq,
  slot: linkTo(`slot ${task}/${seq}`),
  statement: linkTo(`statement ${task}/${seq}`),
  executed: true,
  end: false,
});
const balloted = (task: string, seq: number, vote = "vote") => ({ type: "balloted", task, seq, vote: linkTo(vote) });
const certified = (task: string, seq: number) => ({
  type: "certified",
  task,
  seq,
  certificate: linkTo(`certificate ${task}/${seq}`),
});
const completed = (task: string) => ({ type: "completed", task, head: linkTo(`head ${task}`), count: 1 });
const observed = {
  type: "observed",
  kind: "divergent",
  voter: new Uint8Array(32),
  task: "a",
  seq: 0,
  statement: linkTo("other").toString(),
};

describe("domain machine", () => {
  it("makes a ballot of a claim, casts the vote it kept, and delivers the certificate", () => {
    const walker = domain();
    expect(walker.send(claimed("a", 0))).toEqual(["ballot 0"]);
    expect(walker.send(balloted("a", 0))).toEqual(["cast 0"]);
    expect(walker.requests.at(-1)?.params).toEqual({
      task: "a",
      seq: 0,
      slot: linkTo("slot a/0"),
      statement: linkTo("statement a/0"),
      vote: linkTo("vote"),
    });
    expect(walker.send(certified("a", 0))).toEqual(["deliver 0"]);
    expect(walker.context).toMatchObject({ ballots: [], certified: 1, seal: null });
  });

  it("keeps ballots of several slots and tasks apart", () => {
    const walker = domain();
    for (const [task, seq] of [
      ["a", 0],
      ["a", 1],
      ["b", 0],
    ] as const)
      walker.send(claimed(task, seq));
    expect(walker.send(claimed("a", 1))).toEqual([]);
    walker.send(balloted("a", 1));
    walker.send(certified("a", 1));
    expect(walker.context.ballots.map(({ task, seq }) => `${task}/${seq}`)).toEqual(["a/0", "b/0"]);
  });

  it("keeps the first vote of a ballot", () => {
    const walker = domain();
    walker.send(claimed("a", 0));
    walker.send(balloted("a", 0, "first"));
    expect(walker.send(balloted("a", 0, "second"))).toEqual([]);
    expect(walker.context.ballots[0]?.vote).toEqual(linkTo("first"));
  });

  it.each([
    ["a vote without a claim", balloted("a", 0)],
    ["a certificate without a claim", certified("a", 0)],
    ["a task of another run", completed("c")],
  ])("leaves out %s", (_, event) => {
    const walker = domain();
    const before = walker.state().cid.toString();
    expect(walker.send(event)).toEqual([]);
    expect(walker.state().cid.toString()).toBe(before);
  });

  it("leaves out a certificate before this node voted", () => {
    const walker = domain();
    walker.send(claimed("a", 0));
    expect(walker.send(certified("a", 0))).toEqual([]);
  });

  it("seals once, when every task is complete, and is sealed by the seal's certificate", () => {
    const walker = domain();
    expect(walker.send(completed("a"))).toEqual([]);
    expect(walker.send(completed("a"))).toEqual([]);
    expect(walker.send(completed("b"))).toEqual(["seal"]);
    expect(walker.send(completed("b"))).toEqual([]);
    walker.send(claimed(SEAL_TASK, 0));
    walker.send(balloted(SEAL_TASK, 0));
    expect(walker.value).toBe("open");
    expect(walker.send(certified(SEAL_TASK, 0))).toEqual(["deliver 0"]);
    expect(walker.value).toBe("sealed");
    expect(walker.context.seal).toEqual({
      slot: linkTo(`slot ${SEAL_TASK}/0`),
      statement: linkTo(`statement ${SEAL_TASK}/0`),
      certificate: linkTo(`certificate ${SEAL_TASK}/0`),
    });
    expect(walker.send(claimed("a", 9))).toEqual([]);
  });

  it("counts evidence up to a limit, also after the seal", () => {
    const walker = domain();
    for (let i = 0; i < EVIDENCE_MAX + 5; i++) walker.send(observed);
    expect(walker.context.evidence).toBe(EVIDENCE_MAX);
  });
});
