import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../../actors/domain/messages.ts";
import type { DomainContext } from "../../../machines/domain/step.ts";
import { loadCircuitKey } from "../../../proofs/groth16/circuit-files.ts";
import { WINDOW_CIRCUIT } from "../../../proofs/groth16/window-proof.ts";
import { BATCH_ROWS_MAX } from "../../../src/batch/limits.ts";
import { type Membership, parseMembership } from "../../../src/consensus/membership.ts";
import { type Slot, signSlot } from "../../../src/consensus/slot.ts";
import { compareBytes, utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { quietLog, sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import type { RunPlan, TaskPlan } from "../../../src/runtime/plan.ts";
import { Random } from "./random.ts";
import { SimNode } from "./sim-node.ts";
import { simBatches, simPlan, simSource } from "./sim-plan.ts";
import { VirtualTime } from "./virtual-time.ts";

const CUT = 4;
const ROWS = 12;

interface Scene {
  readonly time: VirtualTime;
  readonly submitter: Network;
  readonly signer: Signer;
  readonly membership: Membership;
  readonly plan: RunPlan;
  readonly batches: readonly CID[];
  readonly rows: number;
  readonly voters: readonly SimNode[];
}

/** Two honest voters of three, and a submitter that says whatever a test wants. */
async function scene(cut = CUT, rows = ROWS): Promise<Scene> {
  const hub = new MemoryHub({ mode: "manual", seed: 1 });
  const time = new VirtualTime(hub);
  const signers = [0, 1, 2].map((i) => signerOf(sha256(utf8(`hostile ${i}`))));
  const signer = signers[0] as Signer;
  const members = signers.map(({ publicKey }) => publicKey).toSorted(compareBytes);
  const membership = parseMembership({
    v: 1,
    domain: "sim",
    epoch: 1,
    members,
    submitter: signer.publicKey,
    quorum: 2,
    policy: { verify: "full" },
  });
  const block = cborBlock(sha256, membership);
  const plan = simPlan(block, cut, rows);
  const batches = simBatches(new Random(1), cut, rows);
  const { key } = await loadCircuitKey(WINDOW_CIRCUIT);
  const voters = signers.slice(1).map(
    (own, i) =>
      new SimNode(`v${i}`, hub, {
        signer: own,
        hash: sha256,
        verify: verifyEd25519,
        log: quietLog,
        membership,
        membershipCid: block.cid,
        plan,
        modules: new Map(),
        readSource: simSource(batches, cut),
        prover: {
          prove: () => Promise.reject(new Error("nothing is proved here")),
          close: async () => {},
          [Symbol.asyncDispose]: async () => {},
        },
        key,
        keyOrigin: { production: false, label: "simulation" },
        timers: time,
        writeOutput: undefined,
      }),
  );
  const submitter = hub.join(signer.publicKey);
  submitter.subscribe(topicOf(plan), () => {});
  for (const voter of voters) voter.start();
  await time.until(() => voters.every((voter) => voter.running?.tasks.size === 2), 1000);
  await time.until(() => false, 100);
  return {
    time,
    submitter,
    signer,
    membership,
    plan,
    rows,
    batches: batches.map(({ bytes }) => rawBlock(sha256, bytes).cid),
    voters,
  };
}

const topicOf = ({ key }: RunPlan): string => `ipdm/1/${key.cid.toString()}/control`;

async function offer(at: Scene, input: Partial<Slot["input"]>, parts: Partial<Slot> = {}): Promise<void> {
  const [task] = at.plan.tasks as [TaskPlan];
  const body = {
    v: 1 as const,
    membership: at.plan.membership.cid,
    domain: "sim",
    epoch: 1,
    task: "copied",
    key: task.key.cid,
    stage: task.stage.cid,
    seq: 0,
    input: { from: 0, rows: at.rows, end: true, cut: at.plan.cut, batches: [...at.batches], ...input },
    submitter: at.signer.publicKey,
    ...parts,
  };
  await at.submitter.publish(
    topicOf(at.plan),
    encodeMessage({ kind: "slot", slot: cborBlock(sha256, signSlot(body, at.signer)).bytes }),
  );
}

async function end({ voters, submitter }: Scene): Promise<void> {
  for (const voter of voters) await voter.kill();
  await submitter.close();
}

const certified = (voter: SimNode): number =>
  (voter.running?.domain.snapshot().context as unknown as DomainContext | undefined)?.certified ?? 0;

describe("voters of a submitter that does not keep to the rules", () => {
  it("certify an honest slot without it", async () => {
    const at = await scene();
    await offer(at, {});
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    await end(at);
  });

  it.each([
    ["another cut, or none", { cut: 0 }, "SLOT_INVALID"],
    ["rows further on", { from: 1 }, "SLOT_INVALID"],
    ["fewer batches", { batches: [] }, "INPUT_MISMATCH"],
    ["more rows than its batches hold", { rows: ROWS + 1 }, "INPUT_MISMATCH"],
    ["an input that goes on", { end: false }, "INPUT_MISMATCH"],
  ])("leave, and say why, when a slot names %s", async (_, input, code) => {
    const at = await scene();
    await offer(at, input);
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    expect(at.voters.map(({ failure }) => (failure as { code: string }).code)).toEqual([code, code]);
    await end(at);
  });

  it("leave when a slot is of another stage", async () => {
    const at = await scene();
    await offer(at, {}, { stage: (at.plan.tasks[1] as TaskPlan).stage.cid });
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    expect(at.voters.map(({ failure }) => (failure as { code: string }).code)).toEqual([
      "SLOT_INVALID",
      "SLOT_INVALID",
    ]);
    await end(at);
  });

  it("keep to the first of two slots for one place and name who signed both", async () => {
    const at = await scene();
    await offer(at, {});
    await offer(at, { rows: 0, batches: [], end: false });
    expect(
      await at.time.until(() => at.voters.every((voter) => certified(voter) === 1 && voter.told.length > 0), 5000),
    ).toBe(true);
    for (const voter of at.voters) expect(voter.told).toEqual([{ kind: "forked", voter: at.signer.publicKey }]);
    await end(at);
  });

  it("leave a slot of another run of the task alone, and accuse nobody of it", async () => {
    const at = await scene();
    const other = cborBlock(sha256, "another run").cid;
    await offer(at, { rows: 0, batches: [], end: false }, { key: other });
    await offer(at, {});
    await offer(at, { rows: 0, batches: [], end: false }, { key: other });
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    expect(await at.time.until(() => at.voters.some((voter) => voter.told.length > 0), 1000)).toBe(false);
    expect(at.voters.map((voter) => voter.running?.committee.held.slots)).toEqual([1, 1]);
    await end(at);
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

    const second = async (at: Scene, change: (own: readonly CID[]) => Partial<Slot["input"]>): Promise<void> => {
      await offer(at, {});
      expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
      const own = at.voters[0]?.running?.ledger.executed("copied")[0]?.statement.outputs["main"]?.batches ?? [];
      expect(own.length).toBe(3);
      const { name, key, stage } = at.plan.tasks[1] as TaskPlan;
      await offer(at, { batches: [...own], ...change(own) }, { task: name, key: key.cid, stage: stage.cid });
    };

    it.each(cases)("and leave at %s", async (_, change, facts) => {
      const at = await scene(BATCH_ROWS_MAX, LARGE);
      await second(at, change);
      expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
      for (const { failure } of at.voters)
        expect(failure).toMatchObject({ code: "INPUT_MISMATCH", where: "sums/0", facts: { task: "sums", ...facts } });
      await end(at);
    });

    it("and certify what is the same", async () => {
      const at = await scene(BATCH_ROWS_MAX, LARGE);
      await second(at, () => ({}));
      expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 2), 5000)).toBe(true);
      await end(at);
    });
  });

  it("do not fall over what does not parse", async () => {
    const at = await scene();
    const topic = topicOf(at.plan);
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xff), utf8("{}"), new Uint8Array(16_000)])
      await at.submitter.publish(topic, bytes);
    for (const kind of ["slot", "certificate"] as const)
      await at.submitter.publish(topic, encodeMessage({ kind, [kind]: utf8("rubbish") } as never));
    for (const kind of ["vote", "challenge"] as const)
      await at.submitter.publish(topic, encodeMessage({ kind, [kind]: { deep: [[[1]]] } } as never));
    await offer(at, {});
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    await end(at);
  });
});
