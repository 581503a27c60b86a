import { join } from "node:path";
import type { LivePorts, NodePorts } from "../../actors/node/node-ports.ts";
import { RunNode } from "../../actors/node/run-node.ts";
import { ProverPool } from "../../proofs/groth16/prover-pool.ts";
import { allForProduction, loadWindowKeys } from "../../proofs/groth16/window-keys.ts";
import type { Config } from "../config/config.ts";
import { outputPaths } from "../config/outputs.ts";
import type { ModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { type LocalNode, quietLog, sha256, verifyEd25519 } from "../node.ts";
import { type CataloguedModule, makePlan, type SourceFacts } from "../plan/plan.ts";
import type { CatalogueWatch } from "../registry/catalogue-watch.ts";
import { catalogueFolder, resolveModules } from "../registry/resolve.ts";
import type { RunPlan } from "../runtime/plan.ts";
import { lanesFor, openLanes } from "../sandbox/lane-pool.ts";
import type { Lane } from "../sandbox/port.ts";
import { writeWhole } from "../sinks/atomic-file.ts";
import { chainInputs } from "./chains.ts";
import { Closers } from "./closers.ts";
import { prepareRun } from "./folders.ts";
import { epochToRun, followingEnded, followPorts, rememberSealed, startFollowing } from "./following.ts";
import { beginnings, livePorts, watchFor } from "./live-modules.ts";
import { LiveOutputs } from "./live-outputs.ts";
import { keysOf, membershipOf, openMembers } from "./members.ts";
import type { NamedModule } from "./module-errors.ts";
import { exchangeModules } from "./module-exchange.ts";
import { loadModules } from "./modules.ts";
import { openLocalNetworks } from "./networks.ts";
import type { RunOptions, RunSummary } from "./options.ts";
import { outputWriter } from "./output-writer.ts";
import { collectReceipt } from "./receipt.ts";
import { rememberingRefused } from "./refused-input.ts";
import { RunReport } from "./run-report.ts";
import { sourceFacts, sourceReader } from "./sources.ts";
import { summaryOf } from "./summary.ts";
import type { Trial } from "./trial.ts";

/** How long nodes that lag may take to seal once the submitter has, in milliseconds. Their journals let them go on later. */
const LAGGARD_GRACE_MS = 5000;

/** Name of the receipt in the out folder. */
export const RECEIPT_FILE = "receipt.car";

/** Name of the file of the nodes' public keys in the out folder: what readers pass to `verify --trust`. */
const KEYS_FILE = "keys.json";

/** One run of a configuration that is in order, on a domain of nodes in this process. */
export class DomainRun {
  /** Modules of the catalogue that it has to do with, as they come. */
  readonly catalogued: NamedModule[] = [];
  private readonly config: Config;
  private readonly cut: number;
  private readonly outDir: string;
  private readonly options: RunOptions;
  private readonly trial: Trial;
  private readonly log: Log;
  private readonly signal: AbortSignal;
  private readonly stop = new AbortController();
  private readonly files = new Map<string, string>();
  private readonly report: RunReport;
  private readonly written = new Set<string>();
  private lost = 0;

  constructor(config: Config, cut: number, outDir: string, options: RunOptions, trial: Trial) {
    this.config = config;
    this.cut = cut;
    this.outDir = outDir;
    this.options = options;
    this.trial = trial;
    this.report = new RunReport(options, config);
    this.log = options.log ?? quietLog;
    this.signal = options.signal === undefined ? this.stop.signal : AbortSignal.any([options.signal, this.stop.signal]);
    for (const { output, path } of outputPaths(config, outDir)) this.files.set(output.name, path);
  }

  async start(dataDir: string, began: number): Promise<RunSummary> {
    const { config, signal } = this;
    await using stack = new Closers();
    await prepareRun(this.outDir, [RECEIPT_FILE, KEYS_FILE], this.files, dataDir);
    const members = await openMembers(dataDir, config.domain.replicas);
    for (const member of members) stack.defer(() => member.store.close());
    const submitter = members[0] as LocalNode;
    const epoch = await epochToRun(config, submitter, this.options.fresh === true);
    const { membership, block } = membershipOf(config, members, epoch);
    const chains = await chainInputs(config, dataDir, {
      signal,
      onFetch: (source, there, of) => this.report.fetching(source, there, of),
      pollMs: this.options.pollMs,
    });
    const { facts, rows } = await sourceFacts(config, chains, signal);
    this.report.planning(rows);
    const laneCount = this.options.lanes ?? lanesFor(members.length);
    const lanes = members.map(() => stack.use(openLanes({ lanes: laneCount })));
    const plan = await this.planned(submitter, block, facts, lanes[0] as Lane);
    const watch = watchFor(plan, catalogueFolder(config, this.options.catalogueDir), this.log);
    if (watch !== undefined) stack.use(watch);
    const keys = await loadWindowKeys();
    const prover = stack.use(new ProverPool());
    const networks = await openLocalNetworks(members, this.log, signal);
    for (const network of networks) stack.use(network);
    const modules = await exchangeModules(plan, members, networks, signal);
    const { files, options } = this;
    const live = await LiveOutputs.open({ plan, chains, files, epoch, onNotice: options.onNotice });
    stack.use(live);
    const nodes: RunNode[] = [];
    for (const [i, member] of members.entries()) {
      const told = i === 0 ? this.report : undefined;
      const ports: NodePorts = {
        name: member.name,
        store: member.store,
        network: networks[i],
        signer: member.signer,
        hash: sha256,
        verify: verifyEd25519,
        log: this.log,
        membership,
        membershipCid: block.cid,
        plan,
        modules: await loadModules(plan, lanes[i] as Lane, modules[i] ?? new Map(), this.log, told),
        live: this.live(plan, lanes[i] as Lane, i === 0 ? watch : undefined),
        readSource: sourceReader(config, chains, plan, told),
        prover,
        keys,
        writeOutput:
          i === 0 ? outputWriter({ files, live, onWritten: (output) => this.written.add(output) }) : undefined,
        ...followPorts(chains, this.options.fresh === true),
        observer: i === 0 ? live.observing(this.report.observer(members)) : {},
        ...this.tamperOf(member.name),
      };
      nodes.push(new RunNode(ports, config.lakes[0]?.hotBytes));
    }
    stack.defer(async () => {
      this.stop.abort(new IpdmError("RUN_ENDED", "the run has ended", { kind: "interrupted" }));
      await Promise.all([...nodes.map((node) => node.close()), followingEnded(chains)]);
    });
    this.report.update({ phase: "running" });
    const stopped = startFollowing(chains, signal, options);
    const begin = (): void => live.attach(nodes[0] as RunNode, signal, (error) => this.stop.abort(error));
    const lead = nodes[0] as RunNode;
    await rememberingRefused(Promise.race([this.carryOut(nodes, begin), stopped]), lead, chains);
    await rememberSealed(config, submitter, epoch);
    await this.ensureOutputs(lead);
    return await this.publish(lead, members, allForProduction(keys), began);
  }

  private async planned(
    submitter: LocalNode,
    membership: Block,
    sources: ReadonlyMap<string, SourceFacts>,
    lane: Lane,
  ): Promise<RunPlan> {
    const { config, cut } = this;
    const catalogued = await this.resolve();
    const { cid } = membership;
    const begun = beginnings(submitter);
    const made = {
      config,
      sources,
      membership: { cid, block: membership },
      cut,
      lane,
      hash: sha256,
      catalogued,
      begun,
    };
    const plan = await makePlan(made);
    for (const { name, live } of plan.tasks) if (live !== undefined) this.know(name, live.entry);
    this.report.locked(plan.locks);
    return plan;
  }

  /** The modules that tasks take from the catalogue. */
  private async resolve(): Promise<ReadonlyMap<string, CataloguedModule>> {
    const found = await resolveModules(this.config, {
      folder: this.options.catalogueDir,
      log: this.log,
      signal: this.signal,
      onPeer: ({ code, message }, peer) => this.options.onNotice?.({ level: "warn", code, message, facts: { peer } }),
    });
    for (const [reference, { entry }] of found) this.catalogued.push({ reference, entry });
    return found;
  }

  private live(plan: RunPlan, lane: Lane, watch: CatalogueWatch | undefined): LivePorts {
    const { beforeLook } = this.trial;
    const onLoad = (task: string, entry: ModuleEntry): void => this.know(task, entry);
    return livePorts({ plan, lane, log: this.log, watch, beforeLook, onLoad });
  }

  private know(name: string, entry: ModuleEntry): void {
    const task = this.config.tasks.find((candidate) => candidate.name === name);
    if (task?.kind === "module") this.catalogued.push({ reference: task.module, entry });
  }

  /** Writes the receipt, and the keys that readers check it with. */
  private async publish(
    lead: RunNode,
    members: readonly LocalNode[],
    production: boolean,
    began: number,
  ): Promise<RunSummary> {
    const made = await collectReceipt(lead);
    const receipt = join(this.outDir, RECEIPT_FILE);
    await writeWhole(receipt, made.receipt.bytes);
    const keys = join(this.outDir, KEYS_FILE);
    await writeWhole(keys, keysOf(members));
    const seconds = (performance.now() - began) / 1000;
    return summaryOf(lead, made, { receipt, keys, files: this.files, seconds, production });
  }

  /** Opens all nodes at once, since each waits for the others, and waits for the submitter; a voter that fails is reported. */
  private async carryOut(nodes: readonly RunNode[], begin: () => void): Promise<void> {
    const [lead, ...voters] = nodes as [RunNode, ...RunNode[]];
    const { signal } = this;
    const followed = voters.map(async (voter) => {
      try {
        await voter.open(signal);
        await voter.published(signal);
      } catch (error) {
        if (!signal.aborted) this.nodeFailed(voter, error, nodes.length);
      }
    });
    this.report.watch(lead.ports.plan, lead.ledger);
    await lead.open(signal);
    begin();
    this.report.recovered(lead.ledger);
    for (const task of lead.reused) this.report.reused(task);
    await lead.published(signal);
    this.report.sealed();
    await Promise.race([
      Promise.all(followed),
      new Promise((resolve) => setTimeout(resolve, LAGGARD_GRACE_MS).unref()),
    ]);
  }

  private tamperOf(node: string): Pick<NodePorts, "tamper"> {
    const found = this.trial.tampers.find((tamper) => tamper.node === node);
    return found === undefined ? {} : { tamper: found.change };
  }

  private nodeFailed(voter: RunNode, error: unknown, members: number): void {
    this.report.nodeLeft(voter.ports.name, error);
    this.lost++;
    const { quorum } = voter.ports.membership;
    if (members - this.lost < quorum) this.stop.abort(error);
  }

  /** Outputs that an earlier run wrote are written again: their files may be gone, changed, or wanted in another folder. */
  private async ensureOutputs(lead: RunNode): Promise<void> {
    for (const name of this.files.keys()) if (!this.written.has(name)) await lead.writeAgain(name, this.signal);
  }
}
