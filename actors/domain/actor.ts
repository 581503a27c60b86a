import { CID } from "multiformats/cid";
import type { DomainRequest } from "../../machines/domain/step.ts";
import type { Batch } from "../../src/batch/batch.ts";
import type { Committed } from "../../src/consensus/coverage.ts";
import { SEAL_TASK } from "../../src/consensus/statement.ts";
import { parseVote, signVote } from "../../src/consensus/vote.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import type { Effect, OutcomeEvent } from "../../src/runtime/kernel.ts";
import { isGenerated, type TaskPlan, taskOf } from "../../src/runtime/plan.ts";
import type { NodeContext } from "../node/run-node.ts";
import { drawAsExecutor, drawAsVoter, publishDraw, recallDraw } from "./draws.ts";
import { sealRun } from "./seal.ts";
import { checkWindowProofs, makeWindowProofs, type WindowProofPorts } from "./window-proofs.ts";

type Params<T extends DomainRequest["type"]> = Extract<DomainRequest, { type: T }>["params"];

interface Agreed {
  readonly draw: Uint8Array | null;
  readonly proofs: readonly Uint8Array[];
}

/** Carries out a domain machine's requests on one node. */
export class DomainEffects {
  readonly effects: Readonly<Record<DomainRequest["type"], Effect>>;
  private readonly node: NodeContext;

  constructor(node: NodeContext) {
    this.node = node;
    this.effects = {
      ballot: (request, { signal }) => this.ballot(request.params as never, signal),
      cast: (request, { signal }) => this.cast(request.params as never, signal),
      deliver: (request) => this.deliver(request.params as never),
      seal: (_, { signal }) => this.seal(signal),
    };
  }

  private async ballot(
    { task, seq, slot, statement, executed, end }: Params<"ballot">,
    signal: AbortSignal,
  ): Promise<OutcomeEvent> {
    const { ports } = this.node;
    const signed = await ports.store.meta.get(voteKey(slot));
    if (signed !== undefined) return { type: "balloted", task, seq, vote: CID.decode(signed) };
    await this.node.learnSlot(slot);
    const agreed = await this.agree({ task, seq, slot, statement, end }, signal);
    const { policy } = ports.membership;
    const inputs = executed && ports.readSource !== undefined && this.readsItself(task) ? "read" : "fetched";
    const vote = signVote(
      { slot, statement, policy, executed, inputs, draw: agreed.draw, proofs: [...agreed.proofs] },
      ports.signer,
    );
    const block = cborBlock(ports.hash, vote);
    await ports.store.blocks.put(block);
    // A node signs once for a slot, also when a restart makes it claim again what was certified before.
    await ports.store.meta.put(voteKey(slot), block.cid.bytes);
    return { type: "balloted", task, seq, vote: block.cid };
  }

  /** Under `sample` a task that follows on an unexecuted one takes its input from the submitter, though it could read the source. */
  private readsItself(task: string): boolean {
    const { membership, plan } = this.node.ports;
    return membership.policy.verify === "full" || plan.tasks.find(({ name }) => name === task)?.input.from === "source";
  }

  /** What is drawn for the statement, and the proofs that its votes cover. */
  private async agree(
    claim: { task: string; seq: number; slot: CID; statement: CID; end: boolean },
    signal: AbortSignal,
  ): Promise<Agreed> {
    const { ports, committee } = this.node;
    const isSeal = claim.task === SEAL_TASK;
    const plan = isSeal ? undefined : taskOf(ports.plan, claim.task);
    const proves = claim.end && plan !== undefined && plan.prove !== null;
    const samples = !isSeal && ports.membership.policy.verify === "sample";
    if (!proves && !samples) return { draw: null, proofs: [] };
    // Where a quorum came to its certificate without this node, there is nothing left to draw: its vote stands alone.
    const alone: Agreed = { draw: null, proofs: [] };
    return (await committee.unlessCertified(claim.slot, signal, (bound) => this.draw(claim, proves, bound))) ?? alone;
  }

  private async draw(
    claim: { task: string; seq: number; slot: CID; statement: CID },
    proves: boolean,
    signal: AbortSignal,
  ): Promise<Agreed> {
    const { ports, committee, draws, isSubmitter } = this.node;
    const plan = taskOf(ports.plan, claim.task);
    const committed = this.committed(claim.task, claim.seq, claim.statement);
    if (isSubmitter) {
      const kept = await recallDraw(draws, claim);
      if (kept !== undefined) {
        if (!proves) return { draw: kept.seed, proofs: [] };
        const ids = await checkWindowProofs(this.proofPorts(signal), plan, committed, kept);
        await this.keepProofs(
          claim.task,
          committed,
          kept.proofs.map(({ proof }) => proof),
        );
        return { draw: kept.seed, proofs: ids };
      }
      const drawn = await drawAsExecutor(draws, claim, signal);
      const made = proves
        ? await makeWindowProofs(this.proofPorts(signal), plan, committed, drawn.seed, signal)
        : undefined;
      await ports.store.blocks.putAll(made?.blocks ?? []);
      const proofs = (made?.blocks ?? []).map((block, i) => ({ proof: block.cid, salts: made?.salts[i] ?? [] }));
      await publishDraw(draws, claim, { ...drawn, proofs });
      if (made !== undefined)
        await this.keepProofs(
          claim.task,
          committed,
          made.blocks.map((block) => block.cid),
        );
      return { draw: drawn.seed, proofs: made?.ids ?? [] };
    }
    const announced = await committee.announced(claim.slot, signal);
    // A voter that came to another statement has nothing to draw for: its vote stands alone, and shows the difference.
    if (!announced.equals(claim.statement)) return { draw: null, proofs: [] };
    const drawn = await drawAsVoter(draws, claim, signal);
    const proofs = proves ? await checkWindowProofs(this.proofPorts(signal), plan, committed, drawn) : [];
    if (proofs.length > 0) ports.observer.proved?.(claim.task, proofs.length);
    return { draw: drawn.seed, proofs };
  }

  private async keepProofs(task: string, committed: Committed, proofs: readonly CID[]): Promise<void> {
    const { ports } = this.node;
    const list = cborBlock(ports.hash, { v: 1, statement: committed.statementCid, proofs });
    await ports.store.meta.put(proofsKey(committed.statementCid), list.bytes);
    ports.observer.proved?.(task, proofs.length);
  }

  private committed(task: string, seq: number, statement: CID): Committed {
    const committed = this.node.ledger.find(task, seq);
    assert(
      committed !== undefined && committed.statementCid.equals(statement),
      `statement of ${task}/${seq} is known here`,
    );
    return committed;
  }

  private proofPorts(signal: AbortSignal): WindowProofPorts {
    const { ports, ledger, reader } = this.node;
    const { hash, signer, prover, keys, membership } = ports;
    return {
      hash,
      signer,
      ledger,
      prover,
      keys,
      domain: membership.domain,
      epoch: membership.epoch,
      read: (cid) => reader.read(cid, signal),
      again: (task) => this.generated(task, signal),
    };
  }

  private generated({ input }: TaskPlan, signal: AbortSignal): AsyncIterable<Batch> | undefined {
    const { plan, readSource } = this.node.ports;
    if (!isGenerated(plan, input)) return undefined;
    const batches = readSource?.(input.name, plan.cut, 0, signal);
    return batches && { [Symbol.asyncIterator]: () => batches };
  }

  private async cast({ task, seq, statement, vote: cid }: Params<"cast">, signal: AbortSignal): Promise<OutcomeEvent> {
    const { ports, committee, reader, draws } = this.node;
    const vote = parseVote(decodeStrict(ports.hash, { cid, bytes: await reader.read(cid, signal) }));
    await this.node.learnSlot(vote.slot);
    if (vote.draw !== null && !committee.agreed(vote)) await recallDraw(draws, vote);
    const { block, certificate } = await committee.cast(vote, signal);
    const certified = certificate.statement;
    if (!certified.equals(statement)) {
      throw new IpdmError(
        "DIVERGED",
        `${ports.name} computed another result for ${task}/${seq} than the quorum certified; its own does not count`,
        {
          kind: "verification",
          where: `${task}/${seq}`,
          hint: "check this node's installation and input, then start it with an empty data folder",
          facts: { node: ports.name, own: String(statement), certified: String(certified) },
        },
      );
    }
    await ports.store.blocks.put(block);
    return { type: "certified", task, seq, certificate: block.cid };
  }

  private async deliver({ task, seq, statement, certificate }: Params<"deliver">): Promise<undefined> {
    const { ports, tasks, lake } = this.node;
    if (task === SEAL_TASK) {
      await lake.send({ type: "sealed", statement });
      return undefined;
    }
    await lake.send({ type: "committed", task, seq, statement });
    await tasks.get(task)?.send({ type: "certified", seq, certificate });
    ports.observer.certified?.(task, seq);
    return undefined;
  }

  private async seal(signal: AbortSignal): Promise<OutcomeEvent> {
    const { slot, statement } = await sealRun(this.node, signal);
    return { type: "claimed", task: SEAL_TASK, seq: 0, slot, statement, executed: true, end: false };
  }
}

/** Key under which a node remembers its vote for a slot. */
function voteKey(slot: CID): string {
  return `vote/${slot.toString()}`;
}

/** Key under which a node remembers which proofs it made for a statement. */
export function proofsKey(statement: CID): string {
  return `proofs/${statement.toString()}`;
}

/** True for the member that submits work. */
export function isSubmitter(node: {
  readonly signer: { readonly publicKey: Uint8Array };
  readonly membership: { readonly submitter: Uint8Array };
}): boolean {
  return equalBytes(node.signer.publicKey, node.membership.submitter);
}
