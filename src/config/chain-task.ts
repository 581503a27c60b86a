import { z } from "zod";
import { IpdmError } from "../core/errors.ts";
import type { ChainKind } from "../sources/chain/kind.ts";
import { builtInReference } from "./built-in-module.ts";
import { chainKindOf } from "./chain-source.ts";
import type { ChainSourceConfig, ModuleTaskConfig } from "./config.ts";
import { readAbiFile } from "./ethereum/abi-file.ts";
import { eventSettings } from "./ethereum/event-plan.ts";
import { EVENT_SETS, type EventSet } from "./ethereum/event-sets.ts";
import { parseEvent, SIGNATURE_CHARS_MAX } from "./ethereum/event-signature.ts";
import { checkTableColumns, tableSettings } from "./ethereum/table-columns.ts";
import { locate } from "./files.ts";
import { nearest } from "./nearest.ts";
import { atPlace } from "./place.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";
import { column, file, readBy, readColumnType } from "./schema-values.ts";

/** Tables of each kind of chain, by the name that a task gives them. */
const TABLES: Readonly<Record<ChainKind, readonly string[]>> = {
  ethereum: ["blocks", "transactions", "logs", "withdrawals"],
  solana: ["blocks", "transactions", "instructions", "token_transfers", "balance_changes", "votes"],
};
/** Names of the tasks that hold what tasks with events did not decode: no name in a configuration has a point. */
const REJECTED = ".rejected";

const signature = z.string().min(1).max(SIGNATURE_CHARS_MAX);
const value = z.union([z.string().max(256), z.number(), z.boolean()]);

/** Keys of a task that makes a table of a chain's blocks, or of its events. */
export const chainTaskKeys = {
  table: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Table that is made of a chain's blocks. Of ethereum: blocks, transactions, logs, withdrawals; of solana: blocks, transactions, instructions, token_transfers, balance_changes, votes.",
    ),
  events: z
    .union([
      signature,
      z.array(signature).min(1).max(256),
      z.strictObject({
        abi: file.describe("A contract ABI as JSON, relative to this file."),
        names: z
          .array(z.string().min(1).max(128))
          .min(1)
          .max(256)
          .optional()
          .describe("Events of it; all when left out."),
      }),
    ])
    .optional()
    .describe(
      "Events to decode from a table of logs: erc20, erc721 or erc1155; events as Solidity declares them; or { abi: <file> }.",
    ),
  where: z
    .record(column, z.union([value, z.array(value).min(1).max(2048)]))
    .optional()
    .describe("With events: values that are let through, by column; a log needs one of each."),
  columns: z
    .record(column, readBy(readColumnType))
    .optional()
    .describe(
      "With events or table: types of columns other than the usual, such as value: i64. What does not fit stops the run.",
    ),
};

type Task = NonNullable<WrittenConfig["tasks"]>[string];

/** The chain that a task with a table reads, if its input is one. */
function chainOf(config: WrittenConfig, input: Task["input"]): ChainKind | undefined {
  if (typeof input !== "string") return undefined;
  const source = Object.hasOwn(config.sources, input) ? config.sources[input] : undefined;
  return source === undefined ? undefined : chainKindOf(source);
}

/** Checks what the keys of a task about a chain say. */
export function checkChainTask(config: WrittenConfig, path: ConfigPath, task: Task): Finding[] {
  const shown = path.join(".");
  const found = (key: string, message: string, hint: string, atKey = false): Finding => ({
    path: [...path, key],
    atKey,
    message: `${shown}.${key}${message}`,
    hint,
  });
  const findings: Finding[] = [];
  if (task.where !== undefined && task.events === undefined)
    findings.push(found("where", " belongs to a task with events", "remove it", true));
  if (task.columns !== undefined && task.events === undefined && task.table === undefined)
    findings.push(found("columns", " belongs to a task with events or table", "remove it", true));
  if (task.table !== undefined) {
    const chain = chainOf(config, task.input);
    if (chain === undefined) {
      const input = String(task.input);
      if (Object.hasOwn(config.sources, input) || Object.hasOwn(config.tasks ?? {}, input))
        findings.push(found("table", `: ${input} is no chain`, "let it read a source with ethereum or solana", true));
    } else if (!TABLES[chain].includes(task.table)) {
      const near = nearest(task.table, TABLES[chain]);
      const hint = near === undefined ? `${chain} has ${TABLES[chain].join(", ")}` : `did you mean ${near}?`;
      findings.push(found("table", `: ${chain} has no table ${JSON.stringify(task.table.slice(0, 64))}`, hint));
    } else if (task.columns !== undefined) {
      const fault =
        chain === "ethereum" ? checkTableColumns(task.table, task.columns) : "tables of solana have their types";
      if (fault !== undefined) findings.push(found("columns", `: ${fault}`, "leave it out"));
    }
  }
  return [...findings, ...checkEvents(path, task)];
}

function checkEvents(path: ConfigPath, { events }: Task): Finding[] {
  if (events === undefined || (typeof events === "string" && Object.hasOwn(EVENT_SETS, events))) return [];
  if (typeof events === "string" && !events.includes("(")) {
    const sets = Object.keys(EVENT_SETS);
    const near = nearest(events, sets);
    const hint =
      near === undefined ? `it is ${sets.join(", ")}, or an event with its parameters` : `did you mean ${near}?`;
    const message = `${path.join(".")}.events: there are no events ${JSON.stringify(events.slice(0, 64))}`;
    return [{ path: [...path, "events"], atKey: false, message, hint }];
  }
  const texts = typeof events === "string" ? [events] : Array.isArray(events) ? events : [];
  return texts.flatMap((text, i): Finding[] => {
    try {
      parseEvent(text);
      return [];
    } catch (error) {
      if (!(error instanceof IpdmError)) throw error;
      const place = typeof events === "string" ? [...path, "events"] : [...path, "events", i];
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      return [{ path: place, atKey: false, message: `${path.join(".")}.events: ${error.message}`, ...hint }];
    }
  });
}

/** What a task with `table` or `events` runs: a module that comes with the runtime, and its settings. */
export async function chainTask(
  name: string,
  task: Task,
  sources: ReadonlyMap<string, ChainSourceConfig>,
  folder: string,
): Promise<Pick<ModuleTaskConfig, "module" | "settings"> | undefined> {
  if (task.table !== undefined) {
    const source = sources.get(String(task.input));
    if (source === undefined) throw new IpdmError("INVARIANT", `the input of tasks.${name} was checked`);
    const { kind, verify, senders } = source;
    const settings = {
      table: task.table,
      verify,
      ...(kind === "ethereum" && senders !== "omit" ? { senders } : {}),
      ...(task.columns === undefined ? {} : tableSettings(task.columns)),
    };
    return { module: builtInReference(kind), settings };
  }
  const { events, where = {}, columns = {} } = task;
  if (events === undefined) return undefined;
  const allowed = Object.entries(where).map(([key, values]) => [key, Array.isArray(values) ? values : [values]]);
  const options = { where: Object.fromEntries(allowed), columns };
  const settings = await inTask(["tasks", name], async () => eventSettings(await eventSet(events, folder), options));
  return { module: builtInReference("ethereum-events"), settings };
}

/** An error that says which key of the task it is about (`facts.at`) is placed there, any other at `events`. */
async function inTask<T>(task: ConfigPath, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const at = error instanceof IpdmError ? (error.facts["at"] as ConfigPath | undefined) : undefined;
    return atPlace([...task, ...(at ?? ["events"])], () => Promise.reject(error));
  }
}

async function eventSet(events: NonNullable<Task["events"]>, folder: string): Promise<EventSet> {
  const named = typeof events === "string" && Object.hasOwn(EVENT_SETS, events) ? EVENT_SETS[events] : undefined;
  if (named !== undefined) return named;
  const plain = { address: "address", expanded: {} };
  if (typeof events === "string") return { ...plain, events: [parseEvent(events)] };
  if (Array.isArray(events)) return { ...plain, events: events.map(parseEvent) };
  const { abi, names } = events as { abi: string; names?: readonly string[] }; // what the schema leaves
  const found = await readAbiFile((await locate(abi, folder)).path);
  const missing = names?.find((name) => !found.some((event) => event.name === name));
  if (missing !== undefined) {
    const known = [...new Set(found.map((event) => event.name))];
    const near = nearest(missing, known);
    throw new IpdmError("EVENT_ABI_INVALID", `${abi} has no event ${missing}`, {
      kind: "config",
      hint: near === undefined ? `it has ${known.slice(0, 20).join(", ")}` : `did you mean ${near}?`,
    });
  }
  return { ...plain, events: found.filter((event) => names === undefined || names.includes(event.name)) };
}

/** The task that a `<task>.rejected` names: what a task with events counted and did not decode, with the reason. */
export function rejectedTask(task: ModuleTaskConfig): ModuleTaskConfig {
  const { time: _time, ...rest } = task;
  return { ...rest, name: `${task.name}${REJECTED}`, settings: { ...task.settings, rows: "rejected" } };
}

/** The name of the task whose rejected logs an input names, if it names any. */
export function rejectedOf(input: string): string | undefined {
  return input.endsWith(REJECTED) ? input.slice(0, -REJECTED.length) : undefined;
}
