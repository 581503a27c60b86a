import { describe, expect, it } from "vitest";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import type { TaskPlan } from "../../../src/runtime/plan.ts";
import type { Executed } from "../../../src/runtime/stage/runner.ts";
import { LyingSubmitter } from "./lying-submitter.ts";
import { ROWS, VotersScene } from "./voters-scene.ts";

type Statement = Executed["statement"];
const link = cborBlock(sha256, "something else").cid;

describe("a statement that does not follow from its slot", () => {
  it.each<readonly [string, (statement: Statement) => Partial<Statement>]>([
    ["another slot", () => ({ slot: link })],
    ["another stage", () => ({ stage: link })],
    ["another state before it", ({ state }) => ({ state: { ...state, before: link } })],
    ["fewer rows than the slot has", ({ input }) => ({ input: { ...input, rows: ROWS - 1 } })],
    ["an input that goes on", () => ({ tables: null })],
  ])("is not challenged under `sample` where it names %s: the voters leave, and say why", async (_, change) => {
    const at = await VotersScene.open({ policy: { verify: "sample", share: 1 }, keys: new Map() });
    const liar = new LyingSubmitter(at);
    const { slot, block } = at.slot();
    const { statement } = await liar.truth(at.plan.tasks[0] as TaskPlan, slot, block, at.batches);
    const wrong = cborBlock(sha256, { ...statement, ...change(statement) });
    at.serve(wrong);
    await at.offer();
    await liar.announce(block.cid, wrong.cid);
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    for (const { failure } of at.voters)
      expect(failure).toMatchObject({ code: "STATEMENT_INVALID", kind: "verification", where: `${slot.task}/0` });
    expect(at.heard.filter(({ kind }) => kind === "challenge" || kind === "vote")).toEqual([]);
    await at.end();
  });
});
