import type { CID } from "multiformats/cid";
import type { InputRef } from "./result.ts";
import { type Slot, slotName } from "./slot.ts";
import type { Statement } from "./statement.ts";

/** A slot and the statement certified for it. */
export interface Committed {
  readonly slot: Slot;
  readonly slotCid: CID;
  readonly statement: Statement;
  readonly statementCid: CID;
}

/** A task's committed work in sequence, and what it reads. */
export interface TaskCommits {
  readonly task: string;
  readonly input: InputRef;
  /** The inputs beside the first, of a task that reads several. */
  readonly beside?: readonly InputRef[];
  readonly commits: readonly Committed[];
}

/** All inputs of a task, the first first. */
export function inputsOf({ input, beside = [] }: Pick<TaskCommits, "input" | "beside">): readonly InputRef[] {
  return [input, ...beside];
}

/** Where the statements do not cover the inputs exactly once. */
export interface CoverageFault {
  readonly code: "COVERAGE_GAP";
  readonly where: string;
  readonly message: string;
}

/**
 * Checks that the statements of every task cover its whole input once and in order: keys, sequence numbers, row ranges, the chain
 * of states, the running row counts of outputs, and that a task's input batches are exactly the output batches of the task
 * before it. Returns the first fault, or `undefined`.
 */
export function coverageFault(
  tasks: readonly TaskCommits[],
  sourceRows: Readonly<Record<string, number>>,
): CoverageFault | undefined {
  const byName = new Map(tasks.map((task) => [task.task, task]));
  for (const task of tasks) {
    const fault = chainFault(task) ?? partFault(task) ?? inputsFault(task, byName, sourceRows);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function chainFault({ task, commits }: TaskCommits): CoverageFault | undefined {
  let rows = 0;
  let state: CID | null = null;
  const produced = new Map<string, number>();
  for (const [seq, { slot, slotCid, statement }] of commits.entries()) {
    const where = slotName(slot);
    const last = seq === commits.length - 1;
    if (slot.task !== task || slot.seq !== seq)
      return fault(`${task}/${seq}`, "the statement of this sequence number is missing");
    if (!statement.slot.equals(slotCid)) return fault(where, "the statement is for another slot");
    if (!statement.stage.equals(slot.stage) || !slot.stage.equals((commits[0] as Committed).slot.stage))
      return fault(where, "the statement is for another stage");
    if (!slot.key.equals((commits[0] as Committed).slot.key))
      return fault(where, "the slot is of other work of the task");
    if (slot.input.from !== rows) return fault(where, `input starts at row ${slot.input.from}, not at ${rows}`);
    if (statement.input.from !== slot.input.from || statement.input.rows !== slot.input.rows)
      return fault(where, "the statement is for other input rows");
    if (slot.input.end !== last)
      return fault(where, last ? "the end of the input is missing" : "something follows the end of the input");
    if ((statement.tables !== null) !== last)
      return fault(where, "only the last statement of a task closes its tables");
    if (!sameLink(statement.state.before, state))
      return fault(where, "the state before it is not the state after the one before");
    for (const [port, output] of Object.entries(statement.outputs)) {
      if (output.from !== (produced.get(port) ?? 0)) return fault(where, `output ${port} starts at row ${output.from}`);
      produced.set(port, output.from + output.rows);
    }
    rows += slot.input.rows;
    state = statement.state.after;
  }
  const tables = commits.at(-1)?.statement.tables;
  if (tables === undefined || tables === null) return fault(`${task}/${commits.length}`, "there is no last statement");
  for (const [port, table] of Object.entries(tables)) {
    if (table.rows !== (produced.get(port) ?? 0))
      return fault(task, `table ${port} has ${table.rows} rows, its statements ${produced.get(port) ?? 0}`);
  }
  return undefined;
}

/** Slots of a task that reads several inputs say which one they are of, and each input ends once. */
function partFault({ task, beside, commits }: TaskCommits): CoverageFault | undefined {
  const open = new Set(beside === undefined ? [] : [0, ...beside.map((_, i) => i + 1)]);
  for (const { slot } of commits) {
    const { part } = slot;
    if ((part !== undefined) !== (beside !== undefined))
      return fault(
        slotName(slot),
        part === undefined ? "it does not say of which input it is" : "the task reads one input",
      );
    if (part === undefined) continue;
    if (!open.has(part.input)) return fault(slotName(slot), `input ${part.input} has ended, or is none`);
    if (part.end) open.delete(part.input);
    if ((open.size === 0) !== slot.input.end) return fault(slotName(slot), "it ends another way than its inputs");
  }
  return open.size === 0 ? undefined : fault(task, `the end of ${open.size} of its inputs is missing`);
}

function inputsFault(
  each: TaskCommits,
  byName: ReadonlyMap<string, TaskCommits>,
  sourceRows: Readonly<Record<string, number>>,
): CoverageFault | undefined {
  for (const [i, input] of inputsOf(each).entries()) {
    const commits =
      each.beside === undefined ? each.commits : each.commits.filter(({ slot }) => slot.part?.input === i);
    const found = inputFault({ task: each.task, input, commits }, byName, sourceRows);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inputFault(
  { task, input, commits }: TaskCommits,
  byName: ReadonlyMap<string, TaskCommits>,
  sourceRows: Readonly<Record<string, number>>,
): CoverageFault | undefined {
  const read = commits.reduce((sum, { slot }) => sum + slot.input.rows, 0);
  if (input.from === "source") {
    const rows = sourceRows[input.name];
    return rows === read
      ? undefined
      : fault(task, `read ${read} rows of source ${input.name}, which has ${rows ?? "none"}`);
  }
  const upstream = byName.get(input.name);
  if (upstream === undefined) return fault(task, `reads ${input.name}, of which there are no statements`);
  const outputs = upstream.commits.map(({ statement }) => statement.outputs[input.port]);
  const made = outputs.reduce((sum, output) => sum + (output?.rows ?? 0), 0);
  if (made !== read) return fault(task, `read ${read} rows of ${input.name}, which made ${made}`);
  const batches = outputs.flatMap((output) => output?.batches ?? []);
  const taken = commits.flatMap(({ slot }) => slot.input.batches);
  const differs = taken.findIndex((cid, i) => !sameLink(cid, batches[i] ?? null));
  if (differs >= 0 || taken.length !== batches.length)
    return fault(task, `its batch ${differs < 0 ? taken.length : differs} is not the one that ${input.name} made`);
  return undefined;
}

function sameLink(a: CID | null, b: CID | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function fault(where: string, message: string): CoverageFault {
  return { code: "COVERAGE_GAP", where, message };
}
