import { join, resolve } from "node:path";
import type { NodePorts, WriteOutput } from "../../actors/node/node-ports.ts";
import { RunNode } from "../../actors/node/run-node.ts";
import { loadCircuitKey } from "../../proofs/groth16/circuit-files.ts";
import { ProverPool } from "../../proofs/groth16/prover-pool.ts";
import { WINDOW_CIRCUIT } from "../../proofs/groth16/window-proof.ts";
import { BATCH_ROWS_DEFAULT, BATCH_ROWS_MAX } from "../batch/limits.ts";
import type { Config } from "../config/config.ts";
import { withReplicas } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { defaultOutDir, outputPaths } from "../config/outputs.ts";
import { quorumNumbers } from "../consensus/membership.ts";
import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { type LocalNode, quietLog, sha256, verifyEd25519 } from "../node.ts";
import { makePlan } from "../plan/plan.ts";
import { LATE, type RunPlan } from "../runtime/plan.ts";
import { openLane } from "../sandbox/lane.ts";
import type { Lane } from "../sandbox/port.ts";
import { openSink } from "../sinks/port.ts";
import { Closers } from "./closers.ts";
import { prepareFile, prepareFolder } from "./folders.ts";
import { epochOf, membershipOf, openMembers } from "./members.ts";
import { namingModule } from "./module-errors.ts";
import { exchangeModules } from "./module-exchange.ts";
import { loadModules } from "./modules.ts";
import { openLocalNetworks } from "./networks.ts";
import type { RunOptions, RunProgress, RunSummary } from "./options.ts";
import { collectReceipt, writeWhole } from "./receipt.ts";
import { sourceFacts, sourceReader } from "./sources.ts";

/** How long nodes that lag may take to seal once the submitter has, in milliseconds. Their journals let them go on later. */
const LAGGARD_GRACE_MS = 5000;

/** Name of the receipt in the out folder. */
export const RECEIPT_FILE = "receipt.car";

/**
 * Runs a configuration on a domain of nodes in this process: data in, tables and a receipt out. Work that the data folder
 * holds certified already is reused, and work that was stopped goes on. Throws `IpdmError`s of every kind; after any of them,
 * and after an abort (`INTERRUPTED`), the same call continues.
 */
export async function runConfig(options: RunOptions): Promise<RunSummary> {
  const began = performance.now();
  const { config, warnings } = await loadConfig(options.configPath);
  for (const { message, where } of warnings)
    options.onNotice?.({ level: "warn", code: "CONFIG_ODD", message: `${where}: ${message}` });
  const chosen = options.replicas === undefined ? config : withReplicas(config, options.replicas);
  const cut = options.batchRows ?? BATCH_ROWS_DEFAULT;
  if (!Number.isInteger(cut) || cut < 1 || cut > BATCH_ROWS_MAX) {
    throw new IpdmError("BATCH_ROWS_INVALID", `a batch has 1 to ${BATCH_ROWS_MAX} rows, not ${cut}`, {
      kind: "usage",
      hint: "leave --batch-rows out: it never changes a result",
    });
  }
  const outDir = resolve(options.outDir ?? defaultOutDir(config, process.cwd()));
  const dataDir = resolve(options.dataDir ?? join(outDir, ".data"));
  try {
    return await new Run(chosen, cut, outDir, options).start(dataDir, began);
  } catch (error) {
    throw await namingModule(error, config);
  }
}

class Run {
  private readonly config: Config;
  private readonly cut: number;
  private readonly outDir: string;
  private readonly options: RunOptions;
  private readonly log: Log;
  private readonly signal: AbortSignal;
  private readonly stop = new AbortController();
  private readonly files = new Map<string, string>();
  private progress: RunProgress = {
    rowsIn: 0,
    rowsTotal: undefined,
    statements: 0,
    certificates: 0,
    proofs: 0,
    phase: "opening",
  };

  constructor(config: Config, cut: number, outDir: string, options: RunOptions) {
    this.config = config;
    this.cut = cut;
    this.outDir = outDir;
    this.options = options;
    this.log = options.log ?? quietLog;
    this.signal = options.signal === undefined ? this.stop.signal : AbortSignal.any([options.signal, this.stop.signal]);
    for (const { output, path } of outputPaths(config, outDir)) this.files.set(output.name, path);
  }

  async start(dataDir: string, began: number): Promise<RunSummary> {
    const { config, signal } = this;
    await using stack = new Closers();
    await this.prepareFolders(dataDir);
    const members = await openMembers(dataDir, config.domain.replicas);
    for (const member of members) stack.defer(() => member.store.close());
    const submitter = members[0] as LocalNode;
    const epoch = await epochOf(submitter, this.options.fresh === true);
    const { membership, block } = membershipOf(config, members, epoch);
    const { facts, rows } = await sourceFacts(config, signal);
    this.report({ phase: "planning", rowsTotal: rows });
    const lanes = members.map(() => openLane());
    for (const lane of lanes) stack.use(lane);
    const plan = await makePlan({
      config,
      sources: facts,
      membership: { cid: block.cid, block },
      cut: this.cut,
      lane: lanes[0] as Lane,
      hash: sha256,
    });
    const circuit = await loadCircuitKey(WINDOW_CIRCUIT);
    const prover = stack.use(new ProverPool());
    const networks = await openLocalNetworks(members, this.log, signal);
    for (const network of networks) stack.use(network);
    const modules = await exchangeModules(plan, members, networks, signal);
    const nodes: RunNode[] = [];
    for (const [i, member] of members.entries()) {
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
        modules: await loadModules(plan, lanes[i] as Lane, modules[i] ?? new Map()),
        readSource: sourceReader(config, plan),
        prover,
        key: circuit.key,
        keyOrigin: circuit.provenance,
        writeOutput: i === 0 ? this.writer() : undefined,
        observer: i === 0 ? this.observer(members) : {},
        ...this.tamperOf(member.name),
      };
      nodes.push(new RunNode(ports, this.hotBytes()));
    }
    stack.defer(async () => {
      this.stop.abort(new IpdmError("RUN_ENDED", "the run has ended", { kind: "interrupted" }));
      await Promise.all(nodes.map((node) => node.close()));
    });
    this.report({ phase: "running" });
    await this.carryOut(nodes);
    const lead = nodes[0] as RunNode;
    await this.ensureOutputs(lead);
    const made = await collectReceipt(lead);
    const receipt = join(this.outDir, RECEIPT_FILE);
    await writeWhole(receipt, made.receipt.bytes);
    return this.summary(plan, lead, made, receipt, (performance.now() - began) / 1000, quorumNumbers(membership));
  }

  /** What cannot be written is said before the work, not after it. */
  private async prepareFolders(dataDir: string): Promise<void> {
    await prepareFolder(this.outDir, "the receipt");
    await prepareFile(join(this.outDir, RECEIPT_FILE), "the receipt");
    for (const [name, path] of this.files) await prepareFile(path, `the output ${name}`);
    await prepareFolder(dataDir, "keys, journals and batches");
  }

  /** Opens all nodes at once, since each waits for the others, and waits for the submitter; a voter that fails is reported. */
  private async carryOut(nodes: readonly RunNode[]): Promise<void> {
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
    await lead.open(signal);
    for (const task of lead.reused)
      this.options.onNotice?.({ level: "info", code: "REUSED", message: `${task}: reused`, facts: { stage: task } });
    await lead.published(signal);
    this.report({ phase: "sealed" });
    await Promise.race([
      Promise.all(followed),
      new Promise((resolve) => setTimeout(resolve, LAGGARD_GRACE_MS).unref()),
    ]);
  }

  private tamperOf(node: string): Pick<NodePorts, "tamper"> {
    const found = [this.options.tamper ?? []].flat().find((tamper) => tamper.node === node);
    return found === undefined ? {} : { tamper: found.change };
  }

  private nodeFailed(voter: RunNode, error: unknown, members: number): void {
    const code = error instanceof IpdmError ? error.code : "NODE_FAILED";
    const message = error instanceof Error ? error.message : String(error);
    this.options.onNotice?.({
      level: "warn",
      code,
      message: `node ${voter.ports.name} left the run: ${message}`,
      facts: { node: voter.ports.name },
    });
    this.lost++;
    const { quorum } = voter.ports.membership;
    if (members - this.lost < quorum) this.stop.abort(error);
  }

  private lost = 0;

  private writer(): WriteOutput {
    return async (output, batches) => {
      const sink = await openSink({ file: this.files.get(output.name) as string, schema: output.schema });
      try {
        for await (const batch of batches) await sink.write(batch);
        const { rows } = await sink.close();
        this.written.add(output.name);
        return rows;
      } catch (error) {
        await sink.abort();
        throw error;
      }
    };
  }

  /** Outputs that an earlier run wrote are written again: their files may be gone, changed, or wanted in another folder. */
  private async ensureOutputs(lead: RunNode): Promise<void> {
    for (const name of this.files.keys()) {
      if (!this.written.has(name)) await lead.writeAgain(name, this.signal);
    }
  }

  private readonly written = new Set<string>();

  private observer(members: readonly LocalNode[]) {
    const nameOf = (key: Uint8Array): string =>
      members.find((member) => toHex(member.signer.publicKey) === toHex(key))?.name ?? toHex(key).slice(0, 16);
    return {
      executed: (task: string, rows: number): void => {
        const reads = this.sourceTasks().has(task);
        this.report({ statements: this.progress.statements + 1, rowsIn: this.progress.rowsIn + (reads ? rows : 0) });
      },
      certified: (): void => this.report({ certificates: this.progress.certificates + 1 }),
      proved: (_task: string, proofs: number): void => this.report({ proofs: this.progress.proofs + proofs }),
      evidence: (kind: string, voter: Uint8Array, task: string, seq: number): void => {
        const node = nameOf(voter);
        const deeds: Readonly<Record<string, string>> = {
          divergent: "claimed another result for",
          equivocation: "voted twice for",
          forked: "signed two slots for",
        };
        const what = deeds[kind] ?? kind;
        this.options.onNotice?.({
          level: "warn",
          code: "EVIDENCE",
          message: `${node} ${what} ${task}/${seq}; its vote was not counted`,
          facts: { node, kind, task, seq },
        });
      },
    };
  }

  private sourceTasks(): ReadonlySet<string> {
    const names = new Set(this.config.sources.map((source) => source.name));
    const tasks = this.config.tasks.filter((task) => names.has(task.input)).map((task) => task.name);
    return new Set([...tasks, ...[...names].map((name) => `copy:${name}`)]);
  }

  private hotBytes(): number | undefined {
    return this.config.lakes[0]?.hotBytes;
  }

  private report(change: Partial<RunProgress>): void {
    this.progress = { ...this.progress, ...change };
    this.options.onProgress?.(this.progress);
  }

  private summary(
    plan: RunPlan,
    lead: RunNode,
    made: Awaited<ReturnType<typeof collectReceipt>>,
    receipt: string,
    seconds: number,
    quorum: RunSummary["quorum"],
  ): RunSummary {
    const outputs = plan.outputs.map(({ name }) => ({
      name,
      file: this.files.get(name) as string,
      rows: lead.writtenRows(name) ?? 0,
    }));
    const rowsIn = plan.inputs.reduce((sum, { name }) => sum + (inputRows(lead, name) ?? 0), 0);
    const late: Record<string, number> = {};
    for (const task of plan.tasks) {
      const rows = lead.ledger.commits(task.name).at(-1)?.statement.tables?.[LATE]?.rows ?? 0;
      if (rows > 0) late[task.name] = rows;
    }
    return {
      receipt,
      root: made.receipt.root.toString(),
      result: made.result.toString(),
      rows: { in: rowsIn, out: outputs.reduce((sum, output) => sum + output.rows, 0) },
      statements: made.statements,
      certificates: made.certificates,
      proofs: made.proofs,
      seconds,
      outputs,
      reused: [...lead.reused],
      quorum,
      late,
      production: false,
    };
  }
}

function inputRows(lead: RunNode, source: string): number | undefined {
  const reader = lead.ports.plan.tasks.find((task) => task.input.from === "source" && task.input.name === source);
  return reader === undefined
    ? undefined
    : lead.ledger.commits(reader.name).reduce((sum, { slot }) => sum + slot.input.rows, 0);
}
