import { decodeMessage, encodeMessage, type Message } from "../../../actors/domain/messages.ts";
import type { NodePorts } from "../../../actors/node/node-ports.ts";
import type { DomainContext } from "../../../machines/domain/step.ts";
import { loadWindowKeys } from "../../../proofs/groth16/window-keys.ts";
import type { Batch } from "../../../src/batch/batch.ts";
import { type Membership, type Policy, parseMembership } from "../../../src/consensus/membership.ts";
import { type Slot, signSlot } from "../../../src/consensus/slot.ts";
import { compareBytes, utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { type Block, cborBlock, rawBlock } from "../../../src/dag/block.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { quietLog, sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import type { ProveWindows, RunPlan, TaskPlan } from "../../../src/runtime/plan.ts";
import { Random } from "./random.ts";
import { SimNode } from "./sim-node.ts";
import { simBatches, simPlan, simSource } from "./sim-plan.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Rows a batch, and rows, of a scene that does not say otherwise. */
export const CUT = 4;
export const ROWS = 12;

/** How a scene differs from the ordinary. */
export interface SceneOptions {
  readonly cut?: number;
  readonly rows?: number;
  readonly policy?: Policy;
  /** Windows of the task `sums` that are to be proved. */
  readonly prove?: ProveWindows;
  /** Tells keys of one scene from those of another. */
  readonly name?: string;
  readonly keys?: NodePorts["keys"];
}

/** Two honest voters of three, and a submitter that says whatever a test wants. */
export class VotersScene {
  readonly time: VirtualTime;
  readonly submitter: Network;
  readonly signer: Signer;
  readonly membership: Membership;
  readonly plan: RunPlan;
  readonly batches: readonly Batch[];
  readonly rows: number;
  readonly voters: readonly SimNode[];
  /** What the submitter heard, in order. */
  readonly heard: Message[] = [];
  private readonly served = new Map<string, Uint8Array>();

  private constructor(options: SceneOptions, keys: NodePorts["keys"]) {
    const { cut = CUT, rows = ROWS, policy = { verify: "full" }, prove = null, name = "hostile" } = options;
    const hub = new MemoryHub({ mode: "manual", seed: 1 });
    this.time = new VirtualTime(hub);
    const signers = [0, 1, 2].map((i) => signerOf(sha256(utf8(`${name} ${i}`))));
    this.signer = signers[0] as Signer;
    this.membership = parseMembership({
      v: 1,
      domain: "sim",
      epoch: 1,
      members: signers.map(({ publicKey }) => publicKey).toSorted(compareBytes),
      submitter: this.signer.publicKey,
      quorum: 2,
      policy,
    });
    const block = cborBlock(sha256, this.membership);
    this.plan = simPlan(block, cut, rows, prove);
    this.rows = rows;
    this.batches = simBatches(new Random(1), cut, rows);
    this.voters = signers.slice(1).map(
      (own, i) =>
        new SimNode(`v${i}`, hub, {
          signer: own,
          hash: sha256,
          verify: verifyEd25519,
          log: quietLog,
          membership: this.membership,
          membershipCid: block.cid,
          plan: this.plan,
          modules: new Map(),
          readSource: simSource(this.batches, cut),
          prover: {
            prove: () => Promise.reject(new Error("voters prove nothing")),
            close: async () => {},
            [Symbol.asyncDispose]: async () => {},
          },
          keys,
          timers: this.time,
          writeOutput: undefined,
        }),
    );
    this.submitter = hub.join(this.signer.publicKey);
    this.submitter.subscribe(this.topic, ({ data }) => this.hear(data));
    this.submitter.serveBlocks(async (cid) => this.served.get(cid.toString()));
    this.serve(...this.batches.map(({ bytes }) => rawBlock(sha256, bytes)));
  }

  /** A scene whose voters are up and listen. */
  static async open(options: SceneOptions = {}): Promise<VotersScene> {
    const scene = new VotersScene(options, options.keys ?? (await loadWindowKeys()));
    for (const voter of scene.voters) voter.start();
    await scene.listening();
    return scene;
  }

  /** Lets time pass until all voters are up and listen. */
  async listening(): Promise<void> {
    await this.time.until(() => this.voters.every((voter) => voter.running?.tasks.size === 2), 1000);
    await this.time.until(() => false, 100);
  }

  get topic(): string {
    return `ipdm/1/${this.plan.key.cid.toString()}/control`;
  }

  /** The submitter gives these to whoever asks for them. */
  serve(...blocks: readonly Block[]): void {
    for (const { cid, bytes } of blocks) this.served.set(cid.toString(), bytes);
  }

  say(message: Message): Promise<void> {
    return this.submitter.publish(this.topic, encodeMessage(message));
  }

  /** Signs slot 0 of the first task, over all of its input, but for what is given. */
  slot(input: Partial<Slot["input"]> = {}, parts: Partial<Slot> = {}): { readonly slot: Slot; readonly block: Block } {
    const [task] = this.plan.tasks as [TaskPlan];
    const batches = this.batches.map(({ bytes }) => rawBlock(sha256, bytes).cid);
    const body = {
      v: 1 as const,
      membership: this.plan.membership.cid,
      domain: "sim",
      epoch: 1,
      task: task.name,
      key: task.key.cid,
      stage: task.stage.cid,
      seq: 0,
      input: { from: 0, rows: this.rows, end: true, cut: this.plan.cut, batches, ...input },
      submitter: this.signer.publicKey,
      ...parts,
    };
    const slot = signSlot(body, this.signer);
    return { slot, block: cborBlock(sha256, slot) };
  }

  /** Signs such a slot and offers it. */
  async offer(input: Partial<Slot["input"]> = {}, parts: Partial<Slot> = {}): Promise<void> {
    await this.say({ kind: "slot", slot: this.slot(input, parts).block.bytes });
  }

  async end(): Promise<void> {
    for (const voter of this.voters) await voter.kill();
    await this.submitter.close();
  }

  private hear(data: Uint8Array): void {
    this.heard.push(decodeMessage(data));
  }
}

/** Slots that a voter holds a certificate for, and has voted on. */
export function certified(voter: SimNode | undefined): number {
  return (voter?.running?.domain.snapshot().context as unknown as DomainContext | undefined)?.certified ?? 0;
}
