import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import type { DomainContext } from "../../../machines/domain/step.ts";
import type { Prover } from "../../../proofs/groth16/prover.ts";
import { loadWindowKeys } from "../../../proofs/groth16/window-keys.ts";
import { type Policy, parseMembership } from "../../../src/consensus/membership.ts";
import { parseStatement, type Statement } from "../../../src/consensus/statement.ts";
import { certificateFault, parseCertificate } from "../../../src/consensus/vote.ts";
import { compareBytes, equalBytes, toHex, utf8 } from "../../../src/core/bytes.ts";
import { type Block, CODEC, cborBlock } from "../../../src/dag/block.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import { quietLog, sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import { HostilePeer } from "./hostile-peer.ts";
import { Random } from "./random.ts";
import { SimNode } from "./sim-node.ts";
import { simBatches, simPlan, simSource } from "./sim-plan.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What one simulated run is made of. Everything not given is drawn from the seed. */
export interface SimulationOptions {
  readonly seed: number;
  readonly members?: number;
  readonly quorum?: number;
  readonly policy?: Policy;
  /** Members that claim false statements, and members that send junk and vote twice. */
  readonly liars?: number;
  readonly hostile?: number;
  readonly drop?: number;
  /** Times that nodes are killed, and that the network splits. */
  readonly kills?: number;
  readonly splits?: number;
  readonly rows?: number;
}

/** What came of it, for assertions beyond the invariants that every run is checked for. */
export interface SimulationReport {
  readonly seal: string;
  readonly virtualMs: number;
  readonly restarts: number;
  readonly accused: ReadonlyMap<string, ReadonlySet<string>>;
  readonly names: readonly string[];
  readonly held: readonly { readonly slots: number; readonly strays: number }[];
}

const CUT = 1;
/** Virtual time in which every run has to come to its end once nodes are up and the network is whole. */
const LIMIT_MS = 120_000;

const noProver: Prover = {
  prove: () => Promise.reject(new Error("nothing is proved here")),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

/** Runs a domain under faults drawn from a seed, and checks what must hold whatever happens. Throws with the seed in the message. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  try {
    return await new Simulation(options).run();
  } catch (error) {
    throw new Error(`simulation of ${JSON.stringify(options)} failed: ${String((error as Error).message)}`, {
      cause: error,
    });
  }
}

class Simulation {
  private readonly random: Random;
  private readonly options: SimulationOptions;
  private readonly hub: MemoryHub;
  private readonly time: VirtualTime;
  private readonly lies = new Set<string>();

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    const drop = options.drop ?? this.random.next() * 0.4;
    this.hub = new MemoryHub({
      mode: "manual",
      seed: options.seed,
      drop,
      duplicate: this.random.next() * 0.3,
      delayMsMax: 1 + this.random.below(80),
    });
    this.time = new VirtualTime(this.hub);
  }

  async run(): Promise<SimulationReport> {
    const { random, options, hub } = this;
    const members = options.members ?? 3 + random.below(3);
    const quorum = options.quorum ?? Math.floor(members / 2) + 1;
    const policy = options.policy ?? (random.chance(0.5) ? { verify: "full" } : { verify: "sample", share: 300_000 });
    const signers = Array.from({ length: members }, (_, i) => signerOf(sha256(utf8(`${options.seed}/${i}`))));
    const submitter = signers[0] as (typeof signers)[number];
    const keys = signers.map((signer) => signer.publicKey).toSorted(compareBytes);
    const membership = parseMembership({
      v: 1,
      domain: "sim",
      epoch: 1,
      members: keys,
      submitter: submitter.publicKey,
      quorum,
      policy,
    });
    const membershipBlock = cborBlock(sha256, membership);
    const rows = options.rows ?? 300 + random.below(500);
    const plan = simPlan(membershipBlock, CUT, rows);
    const batches = simBatches(random, CUT, rows);
    const windowKeys = await loadWindowKeys();
    const liars = options.liars ?? 0;
    const hostile = options.hostile ?? 0;
    const nodes: SimNode[] = [];
    for (const [i, signer] of signers.slice(0, members - hostile).entries()) {
      const lies = i >= members - hostile - liars;
      nodes.push(
        new SimNode(`n${i}`, hub, {
          signer,
          hash: sha256,
          verify: verifyEd25519,
          log: quietLog,
          membership,
          membershipCid: membershipBlock.cid,
          plan,
          modules: new Map(),
          readSource: random.chance(0.8) || i === 0 || lies ? simSource(batches, CUT) : undefined,
          prover: noProver,
          keys: windowKeys,
          timers: this.time,
          writeOutput: i === 0 ? async (_, written) => rowsOf(written) : undefined,
          ...(lies ? { tamper: (task: string, seq: number, block: Block) => this.tamper(task, seq, block) } : {}),
        }),
      );
    }
    const honest = nodes.slice(0, members - hostile - liars);
    const peers = signers
      .slice(members - hostile)
      .map((signer) => new HostilePeer(hub, signer, membership, plan.key.cid, random));
    for (const node of nodes) node.start();
    await this.disturb(
      honest,
      signers.map((signer) => signer.publicKey),
    );
    const ended = await this.time.until(
      () => honest.every((node) => node.done || node.failure !== undefined),
      LIMIT_MS,
    );
    const failed = honest.find((node) => node.failure !== undefined);
    const held = honest.map((node) => node.running?.committee.held ?? { slots: 0, strays: 0 });
    const seals = honest.map((node) =>
      node.done
        ? (node.running?.domain.snapshot().context as unknown as DomainContext | undefined)?.seal?.statement.toString()
        : undefined,
    );
    const states = honest.map((node) =>
      JSON.stringify(
        {
          name: node.name,
          domain: node.running?.domain.snapshot(),
          tasks: [...(node.running?.tasks.values() ?? [])].map((actor) => actor.snapshot()),
        },
        (_, value: unknown) => (value instanceof Uint8Array ? toHex(value).slice(0, 8) : value),
      ),
    );
    for (const node of nodes) await node.kill();
    for (const peer of peers) await peer.close();
    if (failed !== undefined)
      throw new Error(`${failed.name} failed: ${String(failed.failure)}`, { cause: failed.failure });
    if (!ended && process.env["SIM_DEBUG"] !== undefined) for (const line of states) console.error(line);
    if (!ended)
      throw new Error(`no end after ${this.time.nowMs} virtual ms: done ${honest.map((node) => node.done).join()}`);
    if (new Set(seals).size !== 1 || seals[0] === undefined) throw new Error(`seals differ: ${seals.join()}`);
    for (const node of honest) this.checkDisk(node, membership);
    const accused = new Map<string, Set<string>>();
    const honestKeys = honest.map((_, i) => toHex((signers[i] as typeof submitter).publicKey));
    for (const { kind, voter } of honest.flatMap((node) => node.told)) {
      if (honestKeys.includes(toHex(voter))) throw new Error(`an honest member is accused: ${kind}`);
      const name = `n${signers.findIndex((signer) => equalBytes(signer.publicKey, voter))}`;
      accused.set(name, (accused.get(name) ?? new Set()).add(kind));
    }
    const restarts = honest.reduce((sum, node) => sum + node.restarts - 1, 0);
    return {
      seal: seals[0],
      virtualMs: this.time.nowMs,
      restarts,
      accused,
      names: signers.map((_, i) => `n${i}`),
      held,
    };
  }

  /** Kills and starts nodes, splits and heals the network, at random times. Afterwards all is whole again. */
  private async disturb(nodes: readonly SimNode[], keys: readonly Uint8Array[]): Promise<void> {
    const { random } = this;
    const deeds = [
      ...Array.from({ length: this.options.kills ?? random.below(6) }, () => "kill" as const),
      ...Array.from({ length: this.options.splits ?? random.below(3) }, () => "split" as const),
    ];
    while (deeds.length > 0) {
      await this.time.until(() => nodes.every((node) => node.done), random.below(400));
      const [deed] = deeds.splice(random.below(deeds.length), 1);
      if (deed === "split") {
        this.hub.partition(keys.filter(() => random.chance(0.5)));
        await this.time.until(() => false, random.below(3000));
        this.hub.heal();
        continue;
      }
      // Now and then the power goes everywhere.
      const victims = random.chance(0.3) ? [...nodes] : nodes.filter(() => random.chance(1 / nodes.length));
      for (const node of victims) await node.kill();
      await this.time.until(() => false, random.below(1000));
      for (const node of victims) node.start();
    }
    this.hub.heal();
  }

  private tamper(task: string, seq: number, block: Block): Block {
    if (seq % 2 === 1) return block;
    const statement = dagCbor.decode<Statement>(block.bytes);
    const [port, output] = Object.entries(statement.outputs)[0] as [string, Statement["outputs"][string]];
    const changed = cborBlock(sha256, {
      ...statement,
      outputs: { ...statement.outputs, [port]: { ...output, root: sha256(utf8(`lie about ${task}/${seq}`)) } },
    });
    this.lies.add(changed.cid.toString());
    return changed;
  }

  /** Every certificate on a disk holds, names one statement a slot, and no lie. */
  private checkDisk(node: SimNode, membership: ReturnType<typeof parseMembership>): void {
    const certified = new Map<string, string>();
    for (const [text, bytes] of node.disk().blocks) {
      const cid = CID.parse(text);
      if (cid.code !== CODEC.dagCbor) continue;
      const value = dagCbor.decode<Record<string, unknown>>(bytes);
      if (typeof value !== "object" || value === null || !("votes" in value)) continue;
      const certificate = parseCertificate(value);
      const fault = certificateFault(certificate, membership, sha256, verifyEd25519);
      if (fault !== undefined) throw new Error(`${node.name} holds a certificate that does not: ${fault.code}`);
      const statement = certificate.statement.toString();
      if (this.lies.has(statement)) throw new Error(`${node.name} holds a certificate of a lie`);
      const before = this.certificates.get(certificate.slot.toString());
      if (before !== undefined && before !== statement)
        throw new Error(`two statements are certified for slot ${certificate.slot.toString()}`);
      this.certificates.set(certificate.slot.toString(), statement);
      certified.set(certificate.slot.toString(), statement);
      const made = node.disk().blocks.get(statement);
      if (made !== undefined && dagCbor.decode<{ kind: string }>(made).kind === "result")
        parseStatement(dagCbor.decode(made));
    }
    if (certified.size < 3) throw new Error(`${node.name} holds ${certified.size} certificates`);
  }

  private readonly certificates = new Map<string, string>();
}

async function rowsOf(batches: AsyncIterable<{ readonly rows: number }>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) rows += batch.rows;
  return rows;
}
