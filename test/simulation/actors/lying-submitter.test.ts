import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { makeWindowProofs, type WindowProofPorts } from "../../../actors/domain/window-proofs.ts";
import { Ledger } from "../../../actors/node/ledger.ts";
import type { Prover } from "../../../proofs/groth16/prover.ts";
import { publicInputsOf, WINDOW_CIRCUITS } from "../../../proofs/groth16/window-proof.ts";
import type { Batch } from "../../../src/batch/batch.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { drawRows, drawSeed, mustExecute } from "../../../src/consensus/draw.ts";
import type { Challenge } from "../../../src/consensus/vote.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { type Block, rawBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { MAIN, type TaskPlan } from "../../../src/runtime/plan.ts";
import type { Executed } from "../../../src/runtime/stage/runner.ts";
import { trapdoorKey, trapdoorProof } from "../../unit/proofs/groth16/trapdoor-proof.ts";
import { LyingSubmitter } from "./lying-submitter.ts";
import type { SimNode } from "./sim-node.ts";
import { certified, VotersScene } from "./voters-scene.ts";

/*
 * Two honest voters and a submitter that lies, with a quorum of two: the submitter needs one of them.
 *
 * Caught, whatever the submitter does: a voter that the draw it heard first tells to execute never signs a lie, nor does one
 * whose own challenge the draw leaves out; not after another draw, not after a restart, not after another announcement. Proofs
 * of rows that were not drawn, or of values that a voter does not have, get no vote, even from who can forge proofs.
 *
 * Not caught: a voter that is not drawn takes the lie over, as `sample` says. The submitter sees all challenges before it says
 * which it drew from, so it has as many tries as there are sets of challengers with the voter it needs, and takes one that
 * excuses it. A voter that colludes chooses its nonce. Against these stands `verify: full`, or a higher share.
 */

const HALF = { verify: "sample", share: 500_000 } as const;

interface Told {
  readonly at: VotersScene;
  readonly liar: LyingSubmitter;
  readonly slot: CID;
  readonly done: Executed;
  readonly lie: Block;
  readonly challenges: readonly Challenge[];
}

/** A scene in which the voters have challenged a lie about the first slot. */
async function lied(name: string, share: number): Promise<Told> {
  const at = await VotersScene.open({ name, policy: { verify: "sample", share } });
  const liar = new LyingSubmitter(at);
  const { slot, block } = at.slot();
  const done = await liar.truth(at.plan.tasks[0] as TaskPlan, slot, block, at.batches);
  const lie = liar.lieAbout(done);
  await at.offer();
  await liar.announce(block.cid, lie.cid);
  return { at, liar, slot: block.cid, done, lie, challenges: await liar.challenges(lie.cid) };
}

const voted = ({ at, liar }: Told): Promise<boolean> =>
  at.time.until(() => at.voters.every((voter) => liar.votesOf(voter).length > 0), 5000);
const isExcused = ({ lie }: Told, voter: SimNode, drawnFrom: readonly Challenge[]): boolean =>
  drawnFrom.some((challenge) => Buffer.from(challenge.voter).equals(voter.publicKey)) &&
  !mustExecute(sha256, drawSeed(sha256, lie.cid, drawnFrom), voter.publicKey, HALF);
const subsets = ([a, b]: readonly Challenge[]): Challenge[][] => [[a], [b], [a, b]] as Challenge[][];

describe("a submitter that states a wrong result under `sample`", () => {
  it("gets no vote of voters that the draw tells to execute, and is named by them", async () => {
    const told = await lied("all told", 1_000_000);
    const { at, liar, slot, done, lie, challenges } = told;
    const seed = await liar.draw(lie.cid, challenges);
    await liar.vote(slot, lie.cid, seed);
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    for (const voter of at.voters) {
      expect(liar.votesOf(voter).map(({ statement }) => String(statement))).toEqual([String(done.statementBlock.cid)]);
      expect(String(voter.running?.committee.certificate(slot)?.certificate.statement)).toBe(
        String(done.statementBlock.cid),
      );
      expect(voter.told).toContainEqual({ kind: "divergent", voter: at.signer.publicKey });
    }
    await at.end();
  });

  it("gets the votes of those alone that its draw excuses, whichever challenges it draws from", async () => {
    let caught = 0;
    for (const name of ["a", "b", "c", "d", "e"]) {
      for (const which of [0, 1, 2]) {
        const told = await lied(name, HALF.share);
        const { at, liar, slot, lie } = told;
        const from = subsets(told.challenges)[which] as Challenge[];
        const seed = await liar.draw(lie.cid, from);
        await liar.vote(slot, lie.cid, seed);
        expect(await voted(told)).toBe(true);
        const excused = at.voters.filter((voter) => isExcused(told, voter, from));
        for (const voter of at.voters)
          for (const { statement } of liar.votesOf(voter))
            expect([name, which, statement.equals(lie.cid)]).toEqual([name, which, excused.includes(voter)]);
        await at.time.until(() => at.voters.some((voter) => certified(voter) > 0), 2000);
        const certificate = at.voters[0]?.running?.committee.certificate(slot)?.certificate;
        expect(certificate?.statement.equals(lie.cid)).toBe(excused.length > 0);
        if (excused.length === 0) caught++;
        await at.end();
      }
    }
    expect(caught).toBeGreaterThan(0);
    expect(caught).toBeLessThan(15);
  });

  it("is held to the first draw that a voter heard, and to the first statement, also after a restart", async () => {
    let tried = 0;
    for (let i = 0; tried < 3; i++) {
      const told = await lied(`again ${i}`, HALF.share);
      const { at, liar, slot, done, lie, challenges } = told;
      const voter = at.voters[0] as SimNode;
      const [telling, excusing] = [false, true].map((wanted) =>
        subsets(challenges).find((from) => isExcused(told, voter, from) === wanted),
      );
      if (telling === undefined || excusing === undefined) {
        await at.end();
        continue;
      }
      tried++;
      await liar.draw(lie.cid, telling);
      const kept = `draw/${lie.cid.toString()}`;
      await at.time.until(() => voter.disk().meta.has(kept), 5000);
      if (tried > 1) {
        await voter.kill();
        voter.start();
        await at.listening();
        const other = liar.lieAbout(done, "another lie");
        await liar.announce(slot, other.cid);
      }
      for (let again = 0; again < 3; again++) await liar.draw(lie.cid, excusing);
      await liar.vote(slot, lie.cid, drawSeed(sha256, lie.cid, excusing));
      expect(await at.time.until(() => liar.votesOf(voter).length > 0, 10_000)).toBe(true);
      await at.time.until(() => false, 2000);
      for (const { statement } of liar.votesOf(voter)) expect(String(statement)).toBe(String(done.statementBlock.cid));
      await at.end();
    }
  });

  it("does not get an unexecuted vote for another statement by announcing it after a restart", async () => {
    // A share so small that whatever is drawn excuses everybody: only what was announced first stands in the way.
    const at = await VotersScene.open({ name: "restarted", policy: { verify: "sample", share: 1 } });
    const liar = new LyingSubmitter(at);
    const { slot, block } = at.slot();
    const done = await liar.truth(at.plan.tasks[0] as TaskPlan, slot, block, at.batches);
    const [first, second] = [liar.lieAbout(done, "first"), liar.lieAbout(done, "second")];
    await at.offer();
    await liar.announce(block.cid, first.cid);
    await liar.challenges(first.cid);
    const voter = at.voters[0] as SimNode;
    await voter.kill();
    voter.start();
    await at.listening();
    await liar.announce(block.cid, second.cid);
    await at.time.until(() => false, 3000);
    const challenged = at.heard.some(
      (message) => message.kind === "challenge" && (message.challenge as Challenge).statement.equals(second.cid),
    );
    expect(challenged).toBe(false);
    await at.end();
  });
});

/** Whoever knows the secrets of a key proves anything. */
const forger: Prover = {
  prove: async ({ claim }) => {
    const publicInputs = publicInputsOf(claim);
    const cost = { witnessMs: 0, proveMs: 0, cpuMs: 0, rssBytes: 0 };
    return { circuit: CIRCUIT.name, proof: trapdoorProof(publicInputs), publicInputs, cost };
  },
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
const [CIRCUIT] = WINDOW_CIRCUITS;
const KEY = trapdoorKey(CIRCUIT.publicInputs.length);
const KEYS = new Map([[CIRCUIT.name, { circuit: CIRCUIT, key: KEY, production: false, label: "simulation" }]]);

describe("a submitter that proves something else than was drawn", () => {
  interface Proving {
    readonly at: VotersScene;
    readonly liar: LyingSubmitter;
    readonly slot: CID;
    readonly done: Executed;
    readonly seed: Uint8Array;
    readonly challenges: readonly Challenge[];
    /** Proofs for what a seed draws, over these batches of the task's input. */
    prove(seed: Uint8Array, input?: readonly Batch[]): ReturnType<typeof makeWindowProofs>;
    publish(made: Awaited<ReturnType<typeof makeWindowProofs>>): Promise<void>;
  }

  /** A scene in which both tasks are executed honestly, and the voters have challenged the last statement. */
  async function proving(windows: number): Promise<Proving> {
    const at = await VotersScene.open({ name: "proving", prove: { kind: "drawn", windows }, keys: KEYS });
    const liar = new LyingSubmitter(at);
    const [copied, sums] = at.plan.tasks as [TaskPlan, TaskPlan];
    const first = at.slot();
    const copy = await liar.truth(copied, first.slot, first.block, at.batches);
    await at.offer();
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 1), 5000)).toBe(true);
    const batches = copy.outputs[MAIN] ?? [];
    const cids = batches.map(({ bytes }) => rawBlock(sha256, bytes).cid);
    const { name: task, key, stage } = sums;
    const { slot, block } = at.slot({ batches: cids }, { task, key: key.cid, stage: stage.cid });
    const done = await liar.truth(sums, slot, block, batches);
    await at.say({ kind: "slot", slot: block.bytes });
    await liar.announce(block.cid, done.statementBlock.cid);
    const statementCid = done.statementBlock.cid;
    const challenges = await liar.challenges(statementCid);
    return {
      at,
      liar,
      slot: block.cid,
      done,
      challenges,
      seed: drawSeed(sha256, statementCid, challenges),
      prove: (seed, input = batches) => {
        const known = new Map(
          [...done.blocks, ...input.map(({ bytes }) => rawBlock(sha256, bytes))].map((each) => [
            each.cid.toString(),
            each.bytes,
          ]),
        );
        const ledger = new Ledger();
        const read = async (cid: CID): Promise<Uint8Array> => known.get(cid.toString()) as Uint8Array;
        const own = {
          ...slot,
          input: { ...slot.input, batches: input.map(({ bytes }) => rawBlock(sha256, bytes).cid) },
        };
        const committed = { slot: own, slotCid: block.cid, statement: done.statement, statementCid };
        ledger.execute(committed);
        const ports: WindowProofPorts = {
          hash: sha256,
          signer: at.signer,
          ledger,
          read,
          prover: forger,
          keys: KEYS,
          domain: "sim",
          epoch: 1,
        };
        return makeWindowProofs(ports, sums, committed, seed, new AbortController().signal);
      },
      publish: async ({ blocks, salts, ids }) => {
        at.serve(...blocks);
        const seed = await liar.draw(
          statementCid,
          challenges,
          blocks.map(({ cid }, i) => ({ proof: cid, salts: salts[i] ?? [] })),
        );
        await liar.vote(block.cid, statementCid, seed, ids);
      },
    };
  }

  const refused = async ({ at, slot }: Proving, why: RegExp): Promise<void> => {
    expect(await at.time.until(() => at.voters.every((voter) => voter.failure !== undefined), 5000)).toBe(true);
    for (const voter of at.voters) {
      expect(voter.failure).toMatchObject({ code: "PROOF_REJECTED", message: expect.stringMatching(why) });
      expect(voter.running?.committee.certificate(slot)).toBeUndefined();
    }
    await at.end();
  };

  it("is certified when it proves what was drawn", async () => {
    const honest = await proving(1);
    await honest.publish(await honest.prove(honest.seed));
    const { at, done, slot } = honest;
    expect(done.statement.tables?.[MAIN]?.rows).toBeGreaterThan(1);
    expect(await at.time.until(() => at.voters.every((voter) => certified(voter) === 2), 5000)).toBe(true);
    expect(at.voters[0]?.running?.committee.certificate(slot)?.certificate.proofs.length).toBe(1);
    await at.end();
  });

  it("gets no vote for a proof of another window", async () => {
    const made = await proving(1);
    const rows = made.done.statement.tables?.[MAIN]?.rows ?? 0;
    const row = (seed: Uint8Array): number => drawRows(sha256, seed, rows, 1)[0] as number;
    const seeds = Array.from({ length: 64 }, (_, i) => sha256(utf8(`seed ${i}`)));
    const other = seeds.find((seed) => row(seed) !== row(made.seed)) as Uint8Array;
    await made.publish(await made.prove(other));
    await refused(made, /row \d+ is not the one drawn/);
  });

  it("gets no vote for fewer proofs than were drawn, or for none", async () => {
    const made = await proving(2);
    const { blocks, salts, ids } = await made.prove(made.seed);
    expect(blocks.length).toBe(2);
    await made.publish({ blocks: blocks.slice(0, 1), salts: salts.slice(0, 1), ids: ids.slice(0, 1) });
    await refused(made, /row \d+ has none/);
  });

  it("gets no vote for forged proofs of other values with the same sum", async () => {
    const made = await proving(99);
    const honest = made.at.batches.flatMap((batch) =>
      Array.from({ length: batch.rows }, (_, i) => rowValues(batch, i)),
    );
    const same = honest.flatMap((row, i) => (row[1] === honest[0]?.[1] && row[2] !== null ? [i] : []));
    const writer = new BatchWriter((made.at.batches[0] as Batch).schema);
    for (const [i, [time, who, amount]] of honest.entries()) {
      const change = i === same[0] ? 1n : i === same[1] ? -1n : 0n;
      writer.push([time ?? null, who ?? null, amount === null ? null : (amount as bigint) + change]);
    }
    expect(same.length).toBeGreaterThan(1);
    await made.publish(await made.prove(made.seed, [writer.take()]));
    await refused(made, /the commitment of row \d+ is not of this node's values/);
  });
});
