import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../../actors/domain/messages.ts";
import { BATCH_ROWS_MAX } from "../../../src/batch/limits.ts";
import type { Slot } from "../../../src/consensus/slot.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import type { TaskPlan } from "../../../src/runtime/plan.ts";
import { certified, ROWS, VotersScene } from "./voters-scene.ts";

describe("voters of a submitter that does not keep to the rules", () => {
  it("certify an honest slot without it", async () => {
    const at = await VotersScene.open();
    await at.offer();
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    await at.end();
  });

  it.each([
    ["another cut, or none", { cut: 0 }, "SLOT_INVALID"],
    ["rows further on", { from: 1 }, "SLOT_INVALID"],
    ["fewer batches", { batches: [] }, "INPUT_MISMATCH"],
    ["more rows than its batches hold", { rows: ROWS + 1 }, "INPUT_MISMATCH"],
    ["an input that goes on", { end: false }, "INPUT_MISMATCH"],
  ])("leave, and say why, when a slot names %s", async (_, input, code) => {
    const at = await VotersScene.open();
    await at.offer(input);
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    expect(at.voters.map(({ failure }) => (failure as { code: string }).code)).toEqual([code, code]);
    await at.end();
  });

  it("leave when a slot is of another stage", async () => {
    const at = await VotersScene.open();
    await at.offer({}, { stage: (at.plan.tasks[1] as TaskPlan).stage.cid });
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    expect(at.voters.map(({ failure }) => (failure as { code: string }).code)).toEqual([
      "SLOT_INVALID",
      "SLOT_INVALID",
    ]);
    await at.end();
  });

  it("keep to the first of two slots for one place and name who signed both", async () => {
    const at = await VotersScene.open();
    await at.offer();
    await at.offer({ rows: 0, batches: [], end: false });
    expect(
      await at.time.until(() => at.voters.every((voter) => certified(voter) === 1 && voter.told.length > 0), 5000),
    ).toBe(true);
    for (const voter of at.voters) expect(voter.told).toEqual([{ kind: "forked", voter: at.signer.publicKey }]);
    await at.end();
  });

  it("leave a slot of another run of the task alone, and accuse nobody of it", async () => {
    const at = await VotersScene.open();
    const other = cborBlock(sha256, "another run").cid;
    await at.offer({ rows: 0, batches: [], end: false }, { key: other });
    await at.offer();
    await at.offer({ rows: 0, batches: [], end: false }, { key: other });
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    expect(await at.time.until(() => at.voters.some((voter) => voter.told.length > 0), 1000)).toBe(false);
    expect(at.voters.map((voter) => voter.running?.committee.held.slots)).toEqual([1, 1]);
    await at.end();
  });

  describe("compare the batches of a task that reads another with what they made themselves", () => {
    const LARGE = 3 * BATCH_ROWS_MAX;
    const invented = rawBlock(sha256, utf8("invented")).cid;
    const cases: readonly (readonly [string, (own: readonly CID[]) => Partial<Slot["input"]>, object])[] = [
      ["batches in another order", ([a, b, c]) => ({ batches: [a, c, b] as CID[] }), { batch: 1, row: BATCH_ROWS_MAX }],
      [
        "a batch of somebody else",
        ([a, b]) => ({ batches: [a, b, invented] as CID[] }),
        { batch: 2, row: 2 * BATCH_ROWS_MAX },
      ],
      ["a batch twice", ([a, b]) => ({ batches: [a, b, b] as CID[] }), { batch: 2, row: 2 * BATCH_ROWS_MAX }],
      [
        "a batch left out",
        ([a, b]) => ({ batches: [a, b] as CID[], rows: 2 * BATCH_ROWS_MAX }),
        { batch: 2, row: 2 * BATCH_ROWS_MAX },
      ],
      ["a batch more", (own) => ({ batches: [...own, own[0] as CID] }), { batch: 3, row: LARGE }],
      ["more rows than there are", () => ({ rows: LARGE + 1 }), {}],
      ["an input that goes on", () => ({ end: false }), {}],
    ];

    const second = async (at: VotersScene, change: (own: readonly CID[]) => Partial<Slot["input"]>): Promise<void> => {
      await at.offer();
      expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
      const own = at.voters[0]?.running?.ledger.executed("copied")[0]?.statement.outputs["main"]?.batches ?? [];
      expect(own.length).toBe(3);
      const { name, key, stage } = at.plan.tasks[1] as TaskPlan;
      await at.offer({ batches: [...own], ...change(own) }, { task: name, key: key.cid, stage: stage.cid });
    };

    it.each(cases)("and leave at %s", async (_, change, facts) => {
      const at = await VotersScene.open({ cut: BATCH_ROWS_MAX, rows: LARGE });
      await second(at, change);
      expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
      for (const { failure } of at.voters)
        expect(failure).toMatchObject({ code: "INPUT_MISMATCH", where: "sums/0", facts: { task: "sums", ...facts } });
      await at.end();
    });

    it("and certify what is the same", async () => {
      const at = await VotersScene.open({ cut: BATCH_ROWS_MAX, rows: LARGE });
      await second(at, () => ({}));
      expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 2), 5000)).toBe(true);
      await at.end();
    });
  });

  it("do not fall over what does not parse", async () => {
    const at = await VotersScene.open();
    const { topic } = at;
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xff), utf8("{}"), new Uint8Array(16_000)])
      await at.submitter.publish(topic, bytes);
    for (const kind of ["slot", "certificate"] as const)
      await at.submitter.publish(topic, encodeMessage({ kind, [kind]: utf8("rubbish") } as never));
    for (const kind of ["vote", "challenge"] as const)
      await at.submitter.publish(topic, encodeMessage({ kind, [kind]: { deep: [[[1]]] } } as never));
    await at.offer();
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    await at.end();
  });
});
