import type { CID } from "multiformats/cid";
import { statementsRoot } from "../../proofs/merkle/statements.ts";
import type { ReceiptConfig } from "../../proofs/receipt/root.ts";
import { schemaToIpld } from "../../src/batch/schema.ts";
import { coverageFault, type TaskCommits } from "../../src/consensus/coverage.ts";
import { type ModuleEntry, operatorOfEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
import { operatorHistory, type Takeover, takeoversOf } from "../../src/consensus/module-version.ts";
import { type InputRef, isChainAnchor, type Result } from "../../src/consensus/result.ts";
import { type Place, signSlot } from "../../src/consensus/slot.ts";
import { SEAL_TASK, type Seal } from "../../src/consensus/statement.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { type Block, cborBlock, decodeBlock } from "../../src/dag/block.ts";
import { type InputPlan, type RunPlan, type TaskPlan, windowsAsked } from "../../src/runtime/plan.ts";
import type { NodeContext } from "../node/run-node.ts";

/**
 * Seals the run on this node: checks that its statements cover every input once, names the result, and states both. The
 * submitter fixes the slot; voters wait for it. Throws `COVERAGE_GAP` (kind `verification`).
 */
export async function sealRun(
  node: NodeContext,
  signal: AbortSignal,
): Promise<{ readonly slot: CID; readonly statement: CID }> {
  const { plan, hash, store } = node.ports;
  const tasks = plan.tasks.map(
    (task): TaskCommits => ({
      task: task.name,
      input: task.input,
      ...besideOf(task),
      commits: node.ledger.commits(task.name),
    }),
  );
  const rows = inputRows(plan, tasks);
  const fault = coverageFault(tasks, rows);
  if (fault !== undefined)
    throw new IpdmError(fault.code, `${fault.where}: ${fault.message}`, { kind: "verification", where: fault.where });
  const taken = await versionsTaken(node, signal);
  const inputs = plan.inputs.map((input) => closedInput(node, input, rows[input.name] ?? 0));
  const result = resultBlock(node, inputs, taken);
  const config = configBlock(node, inputs, taken);
  await store.blocks.putAll([
    result,
    config,
    ...plan.inputs.map(({ anchorBlock }) => anchorBlock),
    ...inputs.flatMap(({ anchorBlock, parts, headers }) => [anchorBlock, ...parts, ...headers]),
    ...plan.tasks.flatMap((task) => [task.stage, task.key]),
    plan.key,
    plan.membership.block,
    ...plan.locks.map(({ entry }) => entry),
  ]);
  const slot = node.isSubmitter ? await fixSealSlot(node, result.cid) : await awaitSealSlot(node, signal);
  const ordered = tasks
    .toSorted((a, b) => (a.task < b.task ? -1 : 1))
    .flatMap(({ commits }) => commits.map(({ statementCid }) => statementCid));
  const seal: Seal = {
    v: 1,
    kind: "seal",
    slot,
    result: result.cid,
    config: config.cid,
    statements: { count: ordered.length, root: statementsRoot(hash, ordered) },
    inputs: Object.fromEntries(
      inputs.map(({ name, anchorBlock }) => [name, { rows: rows[name] ?? 0, anchor: anchorBlock.cid }]),
    ),
    outputs: Object.fromEntries(
      outputTables(node).map(({ name, task, port, rows: count, root }) => [name, { task, port, rows: count, root }]),
    ),
  };
  const block = cborBlock(hash, seal);
  await store.blocks.put(block);
  return { slot, statement: block.cid };
}

/** An input with its end: of one that grew, what it came to hold. */
export function closedInput({ ports }: Pick<NodeContext, "ports">, input: InputPlan, rows: number): InputPlan {
  if (!isChainAnchor(input.anchor) || input.anchor.to !== null) return input;
  const closed = ports.closeInput?.(input.name, rows);
  if (closed === undefined) throw new IpdmError("INVARIANT", `the end of input ${input.name} is known`);
  return { ...input, ...closed };
}

/** The place of a run's seal. */
export function sealPlace({ key }: Pick<RunPlan, "key">): Place {
  return { task: SEAL_TASK, key: key.cid, seq: 0 };
}

function besideOf({ beside }: TaskPlan): { readonly beside?: InputRef[] } {
  return beside === undefined ? {} : { beside: beside.map(({ input }) => input) };
}

function inputRows(plan: RunPlan, tasks: readonly TaskCommits[]): Record<string, number> {
  const rows: Record<string, number> = {};
  for (const { name } of plan.inputs) {
    const reader = tasks.find(({ input }) => input.from === "source" && input.name === name);
    rows[name] = reader?.commits.reduce((sum, { slot }) => sum + slot.input.rows, 0) ?? 0;
  }
  return rows;
}

async function fixSealSlot(node: NodeContext, result: CID): Promise<CID> {
  const { ports, committee } = node;
  const { membership, signer, hash, store, plan } = ports;
  const input = { from: 0, rows: 0, end: true, cut: plan.cut, batches: [] };
  const { domain, epoch } = membership;
  const body = {
    v: 1 as const,
    membership: ports.membershipCid,
    domain,
    epoch,
    ...sealPlace(plan),
    stage: result,
    input,
    submitter: signer.publicKey,
  };
  const slot = signSlot(body, signer);
  const block = cborBlock(hash, slot);
  await store.blocks.put(block);
  await committee.offer({ cid: block.cid, slot, bytes: block.bytes });
  return block.cid;
}

async function awaitSealSlot(node: NodeContext, signal: AbortSignal): Promise<CID> {
  const known = await node.committee.slotAt(sealPlace(node.ports.plan), signal);
  await node.ports.store.blocks.put({ cid: known.cid, bytes: known.bytes });
  return known.cid;
}

/** Versions of modules that took over on the way, by task. */
type VersionsTaken = ReadonlyMap<string, readonly (Takeover & { readonly entry: ModuleEntry })[]>;

async function versionsTaken({ ports, ledger, reader }: NodeContext, signal: AbortSignal): Promise<VersionsTaken> {
  const taken = new Map<string, (Takeover & { readonly entry: ModuleEntry })[]>();
  for (const { name, live } of ports.plan.tasks) {
    if (live === undefined) continue;
    const found = takeoversOf(ledger.commits(name).map(({ slot }) => slot));
    if (typeof found === "string") throw new IpdmError("INVARIANT", `${name}: ${found}`);
    const own = [];
    for (const takeover of found) {
      const bytes = await reader.read(takeover.version, signal);
      own.push({ ...takeover, entry: parseModuleEntry(decodeBlock({ cid: takeover.version, bytes })) });
    }
    taken.set(name, own);
  }
  return taken;
}

interface OutputTable {
  readonly name: string;
  readonly task: string;
  readonly port: string;
  readonly rows: number;
  readonly root: Uint8Array;
}

function outputTables(node: NodeContext): OutputTable[] {
  return node.ports.plan.outputs.map(({ name, task, port }) => {
    const table = node.ledger.commits(task).at(-1)?.statement.tables?.[port];
    if (table === undefined) throw new IpdmError("INVARIANT", `output ${name} has no finished table`);
    return { name, task, port, rows: table.rows, root: table.root };
  });
}

/** What the run was asked for, beside the result: every member states the same, so that nobody can ask for fewer proofs afterwards. */
function configBlock({ ports }: NodeContext, inputs: readonly InputPlan[], taken: VersionsTaken): Block {
  const { plan, keys, hash } = ports;
  const asked = plan.tasks.flatMap(({ name, prove }) => (prove === null ? [] : [[name, windowsAsked(prove)] as const]));
  const known = asked.length > 0 ? [...keys.values()] : [];
  const circuits = known.map(({ circuit, key, production, label }) => ({
    name: circuit.name,
    key: key.hash,
    production,
    label,
  }));
  const lock = Object.fromEntries(
    plan.locks.map(({ task, name, range, version, module, entry, live }) => {
      const pinned = { name, range, version, module, entry: entry.cid };
      if (!live) return [task, pinned];
      const later = (taken.get(task) ?? []).map(({ seq, version: cid, entry: newer }) => ({
        slot: seq,
        version: newer.version,
        module: newer.module,
        entry: cid,
      }));
      return [task, { ...pinned, live: later }];
    }),
  );
  const anchored = inputs.flatMap(({ name, trusted }) => (trusted === null ? [] : [[name, trusted] as const]));
  const config: ReceiptConfig = {
    v: 1,
    name: plan.name,
    cut: plan.cut,
    prove: Object.fromEntries(asked),
    lock,
    circuits,
    ...(anchored.length > 0 ? { anchored: Object.fromEntries(anchored) } : {}),
  };
  return cborBlock(hash, config);
}

function resultBlock(node: NodeContext, inputs: readonly InputPlan[], versions: VersionsTaken): Block {
  const { plan, hash } = node.ports;
  const tables = new Map(outputTables(node).map((table) => [table.name, table]));
  const result: Result = {
    v: 1,
    inputs: Object.fromEntries(inputs.map(({ name, anchorBlock }) => [name, anchorBlock.cid])),
    tasks: Object.fromEntries(
      plan.tasks.map((task) => {
        const { name, input, operator } = task;
        const time = operator.kind === "module" ? operator.time : undefined;
        const taken = versions.get(name) ?? [];
        const later = taken.map(({ from, entry }) => ({ from, operator: operatorOfEntry(entry, time) }));
        return [name, { input, ...besideOf(task), ...operatorHistory(operator, later) }];
      }),
    ),
    outputs: Object.fromEntries(
      plan.outputs.map(({ name, task, port, schema }) => {
        const table = tables.get(name) as OutputTable;
        return [name, { task, port, schema: schemaToIpld(schema), rows: table.rows, root: table.root }];
      }),
    ),
  };
  return cborBlock(hash, result);
}
