import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { openAnchor } from "../../src/consensus/chain-anchor.ts";
import { coverageFault, inputsOf } from "../../src/consensus/coverage.ts";
import { type ModuleEntry, operatorOfEntry } from "../../src/consensus/module-entry.ts";
import { type OperatorHistory, operatorHistory, takeoversOf } from "../../src/consensus/module-version.ts";
import { type Anchor, type InputRef, isChainAnchor, type Operator, type Stage } from "../../src/consensus/result.ts";
import { slotName } from "../../src/consensus/slot.ts";
import { parseTaskState } from "../../src/consensus/statement.ts";
import { runKey, taskKey } from "../../src/consensus/work-key.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { cborBlock, decodeBlock } from "../../src/dag/block.ts";
import { Frontier } from "../merkle/frontier.ts";
import { statementsRoot } from "../merkle/statements.ts";
import type { Receipt, ShownCommit, ShownTask } from "./contents.ts";
import { refuse } from "./verdict.ts";

/**
 * Checks that the seal covers every statement, every input once, and names a result that follows from them: stages, coverage,
 * inputs, output tables. Returns how many statements it looked at.
 */
export function checkSeal(receipt: Receipt, hash: Hash): number {
  const { seal, root, tasks } = receipt;
  const { statement } = seal;
  if (!statement.result.equals(root.result) || !seal.slot.stage.equals(root.result))
    refuse("SEAL_MISMATCH", "seal/result", "the seal names another result");
  const { count, root: merkle } = statement.statements;
  if (count !== root.statements.length || !equalBytes(merkle, statementsRoot(hash, root.statements))) {
    refuse("SEAL_MISMATCH", "seal/statements", "the seal is over other statements");
  }
  checkConfig(receipt);
  checkStages(receipt, hash);
  checkModules(receipt);
  const rows = Object.fromEntries(Object.entries(statement.inputs).map(([name, input]) => [name, input.rows]));
  const fault = coverageFault(tasks, rows);
  if (fault !== undefined) refuse(fault.code, fault.where, fault.message);
  checkInputs(receipt);
  checkOutputs(receipt);
  checkKeys(receipt, hash);
  return count;
}

/** The configuration is the one that the members sealed, and fits what was done. */
function checkConfig({ config, root, seal, result, tasks }: Receipt): void {
  if (!seal.statement.config.equals(root.config))
    refuse("SEAL_MISMATCH", "seal/config", "the seal names another configuration");
  const slots = [seal.slot, ...tasks.flatMap((task) => task.commits.map(({ slot }) => slot))];
  const other = slots.find((slot) => slot.input.cut !== config.cut);
  if (other !== undefined) refuse("SEAL_MISMATCH", slotName(other), `its batches are not of ${config.cut} rows`);
  const unknown = Object.keys(config.prove).find((task) => !Object.hasOwn(result.tasks, task));
  if (unknown !== undefined)
    refuse("SEAL_MISMATCH", `config/prove/${unknown}`, "windows of a task that the result does not have");
}

/** The modules are those that the tasks run, each once: a task's first, then those that took over. */
function checkModules({ root, stages, tasks, entries }: Receipt): void {
  const run = tasks.flatMap(({ task, commits }) => {
    const operator = stages.get(task)?.operator;
    if (operator?.kind !== "module") return [];
    const versions = commits.flatMap(({ slot }) => (slot.version === undefined ? [] : [slot.version.toString()]));
    return [operator.module, ...[...new Set(versions)].map((cid) => entries.get(cid)?.module)].map(String);
  });
  if (!sameList([...new Set(run)], root.modules.map(String)))
    refuse("STAGE_MISMATCH", "modules", "the modules are not those that the tasks run");
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Every stage is the task of the result, tied to the stage or anchor before it; so the result is what the statements computed. */
function checkStages({ result, stages, tasks, entries, anchors }: Receipt, hash: Hash): void {
  for (const { task, commits } of tasks) {
    const stage = stages.get(task);
    const wanted = result.tasks[task];
    const same =
      stage !== undefined &&
      wanted !== undefined &&
      stage.task === task &&
      equalBytes(
        dagCbor.encode({ input: stage.input, ...besideOf(stage), ...historyOf(stage.operator, commits, entries) }),
        dagCbor.encode(wanted),
      );
    if (!same || stage === undefined)
      return refuse("STAGE_MISMATCH", task, "the statements are for another task than the result names");
    for (const { input, upstream: named } of [stage, ...(stage.beside ?? [])]) {
      const upstream: CID | undefined =
        input.from === "source"
          ? upstreamAnchor(result.inputs[input.name], anchors.get(input.name), named, hash)
          : tasks.find((other) => other.task === input.name)?.commits[0]?.slot.stage;
      if (upstream === undefined || !named.equals(upstream))
        refuse("STAGE_MISMATCH", task, `it does not follow from ${input.name}`);
    }
    for (const { slot, statement } of commits) {
      const first = stage.operator.kind === "module" ? stage.operator.module : null;
      // Whether another version may run here, the locks are to say.
      const module = slot.version === undefined ? first : (entries.get(slot.version.toString())?.module ?? null);
      const ran = statement.module?.original ?? null;
      if (module === null || ran === null ? module !== ran : !module.equals(ran))
        refuse("STAGE_MISMATCH", `${task}/${slot.seq}`, "the statement is by another module");
    }
  }
}

/** The inputs beside the first, as a result names them. */
function besideOf({ beside }: Stage): { readonly beside?: readonly InputRef[] } {
  return beside === undefined ? {} : { beside: beside.map(({ input }) => input) };
}

/** The anchor that a stage names: the input's, or, of a chain whose head the run followed, the same without its end. */
function upstreamAnchor(own: CID | undefined, anchor: Anchor | undefined, named: CID, hash: Hash): CID | undefined {
  if (anchor === undefined || !isChainAnchor(anchor) || own?.equals(named) === true) return own;
  return cborBlock(hash, openAnchor(anchor)).cid;
}

/** What a task did, by its stage and the versions that its slots run. */
function historyOf(
  operator: Operator,
  commits: readonly ShownCommit[],
  entries: ReadonlyMap<string, ModuleEntry>,
): OperatorHistory {
  const taken = takeoversOf(commits.map(({ slot }) => slot));
  if (typeof taken === "string") return refuse("STAGE_MISMATCH", commits[0]?.slot.task ?? "", taken);
  const time = operator.kind === "module" ? operator.time : undefined;
  const later = taken.map(({ from, version }) => {
    const entry = entries.get(version.toString());
    return { from, operator: operatorOfEntry(entry as ModuleEntry, time) }; // reading the receipt found one for each slot
  });
  return operatorHistory(operator, later);
}

/**
 * The keys are those of this work: of the stage, the membership, the cut and the windows asked for, and of the run that the
 * result and the configuration tell of. A slot of other work can then not pass for one of this.
 */
function checkKeys({ result, config, root, seal, tasks }: Receipt, hash: Hash): void {
  const { membership } = root;
  const { name, cut, prove, lock } = config;
  const keys: Record<string, CID> = {};
  const changing = new Set<string>();
  for (const { task, input, commits } of upstreamFirst(tasks)) {
    const { slot } = commits[0] as ShownCommit;
    const asked = Object.hasOwn(prove, task) ? (prove[task] ?? null) : null;
    const locked = Object.hasOwn(lock, task) ? lock[task] : undefined;
    const live = locked?.live === undefined ? {} : { live: { name: locked.name, range: locked.range } };
    const before = input.from === "task" && changing.has(input.name) ? keys[input.name] : undefined;
    const after = before === undefined ? {} : { after: before };
    const own = taskKey(hash, { stage: slot.stage, membership, cut, prove: asked, ...live, ...after }).cid;
    keys[task] = own;
    if (live.live !== undefined || before !== undefined) changing.add(task);
    // Coverage found that all slots of the task carry this one.
    if (!slot.key.equals(own)) refuse("WORK_MISMATCH", slotName(slot), "the slot's key is not that of the task's work");
  }
  const outputs = Object.fromEntries(
    Object.entries(result.outputs).map(([output, { task, port }]) => [output, { task, port }]),
  );
  if (!seal.slot.key.equals(runKey(hash, { name, membership, tasks: keys, outputs }).cid))
    refuse("WORK_MISMATCH", "seal", "the key of the seal's slot is not that of the run");
}

/** Tasks after those that they read: their stages, which link one another by hash, form no cycle. */
function upstreamFirst(tasks: readonly ShownTask[]): ShownTask[] {
  const ordered = new Set<ShownTask>();
  const add = (task: ShownTask): void => {
    for (const input of inputsOf(task)) {
      const before = input.from === "task" ? tasks.find((other) => other.task === input.name) : undefined;
      if (before !== undefined && !ordered.has(before)) add(before);
    }
    ordered.add(task);
  };
  for (const task of tasks) add(task);
  return [...ordered];
}

function checkInputs({ result, seal, root, tasks }: Receipt): void {
  const names = Object.keys(result.inputs).sort();
  const anchors = names.map((name) => String(result.inputs[name]));
  const sealed = names.map((name) => String(seal.statement.inputs[name]?.anchor));
  const same =
    Object.keys(seal.statement.inputs).length === names.length &&
    sameList(anchors, sealed) &&
    sameList(anchors, root.inputs.map(String));
  if (!same) refuse("SEAL_MISMATCH", "seal/inputs", "the inputs are not those of the result");
  const unread = names.find((name) => !tasks.some(({ input }) => input.from === "source" && input.name === name));
  if (unread !== undefined) refuse("COVERAGE_GAP", `inputs/${unread}`, "no task reads it");
}

function checkOutputs({ result, seal, tasks }: Receipt): void {
  const names = Object.keys(result.outputs);
  if (names.length !== Object.keys(seal.statement.outputs).length)
    refuse("SEAL_MISMATCH", "seal/outputs", "the outputs are not those of the result");
  for (const name of names) {
    const output = result.outputs[name];
    const sealed = seal.statement.outputs[name];
    const table = tasks.find(({ task }) => task === output?.task)?.commits.at(-1)?.statement.tables?.[
      output?.port ?? ""
    ];
    const agree =
      output !== undefined &&
      sealed !== undefined &&
      table !== undefined &&
      table.leaf === "row" &&
      output.task === sealed.task &&
      output.port === sealed.port &&
      output.rows === sealed.rows &&
      output.rows === table.rows &&
      table.leaves === table.rows &&
      equalBytes(output.root, sealed.root) &&
      equalBytes(output.root, table.root);
    if (!agree) refuse("SEAL_MISMATCH", `outputs/${name}`, "its rows are not those of the statements");
  }
}

/**
 * Checks the Merkle roots that can be checked without rows: each state counts the rows that its statement adds, and its frontier
 * after the last statement it is the root of the whole table. Returns the number of frontiers looked at.
 */
export function checkMerkle(receipt: Receipt, hash: Hash): number {
  let count = 0;
  for (const { task, commits } of receipt.tasks) {
    let rowsIn = 0;
    const before = new Map<string, number>();
    for (const { slot, statement } of commits) {
      const where = `${task}/${slot.seq}`;
      const block = receipt.blocks.get(statement.state.after.toString());
      if (block === undefined) return refuse("CAR_LINK_MISSING", where, "the state after it is missing");
      const state = parseTaskState(decodeBlock(block));
      rowsIn += slot.input.rows;
      if (!state.stage.equals(slot.stage) || state.rowsIn !== rowsIn)
        refuse("MERKLE_MISMATCH", where, "the state after it is of other rows");
      const ports = Object.keys(statement.outputs).sort();
      if (
        !sameList(ports, Object.keys(state.outputs).sort()) ||
        (statement.tables !== null && !sameList(ports, Object.keys(statement.tables).sort()))
      ) {
        refuse("MERKLE_MISMATCH", where, "its outputs, tables and state are not of the same ports");
      }
      for (const [port, output] of Object.entries(statement.outputs)) {
        const kept = state.outputs[port];
        if (kept === undefined || kept.rows !== output.from + output.rows)
          return refuse("MERKLE_MISMATCH", `${where}/${port}`, "the state does not count its rows");
        const leaves = (before.get(port) ?? 0) + (output.leaf === "row" ? output.rows : output.batches.length);
        before.set(port, leaves);
        if (kept.leaves !== leaves)
          refuse("MERKLE_MISMATCH", `${where}/${port}`, "the state does not count its leaves");
        const root = Frontier.fromIpld(hash, { count: kept.leaves, hashes: kept.frontier }).root();
        // All leaves of the first statement are all leaves so far.
        if (slot.seq === 0 && !equalBytes(root, output.root))
          refuse("MERKLE_MISMATCH", `${where}/${port}`, "the state's frontier is not over its rows");
        const table = statement.tables?.[port];
        if (table !== undefined && table.leaf !== output.leaf)
          refuse("MERKLE_MISMATCH", `${where}/${port}`, "the table has other leaves than its statements");
        if (table !== undefined && (table.leaves !== kept.leaves || !equalBytes(root, table.root)))
          refuse("MERKLE_MISMATCH", `${where}/${port}`, "the table's root is not that of its rows");
        count++;
      }
    }
  }
  return count;
}
