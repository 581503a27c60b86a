import type { CID } from "multiformats/cid";
import type { Batch } from "../../../src/batch/batch.ts";
import { drawSeed } from "../../../src/consensus/draw.ts";
import type { Slot } from "../../../src/consensus/slot.ts";
import { type Challenge, parseChallenge, parseVote, signVote, type Vote } from "../../../src/consensus/vote.ts";
import { equalBytes, utf8 } from "../../../src/core/bytes.ts";
import { type Block, cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import type { TaskPlan } from "../../../src/runtime/plan.ts";
import { type Executed, StageRunner } from "../../../src/runtime/stage/runner.ts";
import type { SimNode } from "./sim-node.ts";
import type { VotersScene } from "./voters-scene.ts";

/** The submitter of a scene, who knows the truth and says what it likes, within what its key can sign. */
export class LyingSubmitter {
  private readonly at: VotersScene;

  constructor(at: VotersScene) {
    this.at = at;
  }

  /** What an honest node makes of a slot, from the beginning of its task. Everything is served to those who ask. */
  async truth(task: TaskPlan, slot: Slot, slotBlock: Block, batches: readonly Batch[]): Promise<Executed> {
    const read = (): Promise<never> => Promise.reject(new Error("a task begins without a state"));
    const runner = new StageRunner(task, { hash: sha256, module: async () => null, read });
    const done = await runner.execute(slotBlock.cid, slot, batches, null, new AbortController().signal);
    this.at.serve(slotBlock, done.statementBlock, ...done.blocks);
    return done;
  }

  /** A statement with another root for its rows, which only who executes the slot can tell from the true one. */
  lieAbout(done: Executed, mark = "lie"): Block {
    const outputs = Object.entries(done.statement.outputs).map(([port, output]): [string, object] => [
      port,
      { ...output, root: sha256(utf8(mark)) },
    ]);
    const lie = cborBlock(sha256, { ...done.statement, outputs: Object.fromEntries(outputs) });
    this.at.serve(lie);
    return lie;
  }

  announce(slot: CID, statement: CID): Promise<void> {
    return this.at.say({ kind: "statement", slot, statement });
  }

  /** Both voters' challenges to a statement, in the order of the scene's voters. */
  async challenges(statement: CID): Promise<Challenge[]> {
    const given = (): (Challenge | undefined)[] => {
      const all = this.at.heard.flatMap((message) =>
        message.kind === "challenge" ? [parseChallenge(message.challenge)] : [],
      );
      return this.at.voters.map((voter) =>
        all.find((challenge) => challenge.statement.equals(statement) && equalBytes(challenge.voter, voter.publicKey)),
      );
    };
    const came = await this.at.time.until(() => given().every((challenge) => challenge !== undefined), 5000);
    if (!came) throw new Error("a voter did not challenge");
    return given() as Challenge[];
  }

  async draw(
    statement: CID,
    challenges: readonly Challenge[],
    proofs: readonly { readonly proof: CID; readonly salts: readonly Uint8Array[] }[] = [],
  ): Promise<Uint8Array> {
    const block = cborBlock(sha256, { v: 1, statement, challenges, proofs });
    this.at.serve(block);
    await this.at.say({ kind: "draw", statement, draw: block.cid });
    return drawSeed(sha256, statement, challenges);
  }

  async vote(slot: CID, statement: CID, draw: Uint8Array | null, proofs: readonly Uint8Array[] = []): Promise<void> {
    const { policy } = this.at.membership;
    const body = { slot, statement, policy, executed: true, inputs: "read" as const, draw, proofs: [...proofs] };
    await this.at.say({ kind: "vote", vote: signVote(body, this.at.signer) });
  }

  /** Every vote of a voter that the submitter heard. */
  votesOf(voter: SimNode): Vote[] {
    return this.at.heard
      .flatMap((message) => (message.kind === "vote" ? [parseVote(message.vote)] : []))
      .filter((vote) => equalBytes(vote.voter, voter.publicKey));
  }
}
