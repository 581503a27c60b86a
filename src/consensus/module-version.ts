import type { CID } from "multiformats/cid";
import gt from "semver/functions/gt.js";
import satisfies from "semver/functions/satisfies.js";
import { equalBytes } from "../core/bytes.ts";
import type { Verify } from "../core/ports.ts";
import { entrySigned, type ModuleEntry } from "./module-entry.ts";
import type { Operator } from "./result.ts";
import type { Slot } from "./slot.ts";
import type { LiveRange } from "./work-key.ts";

/** How often a newer version may take over in one run of a task. */
export const TAKEOVERS_MAX = 1024;

type ModuleOperator = Extract<Operator, { kind: "module" }>;

/** From this slot on a task runs another version of its module. */
export interface Takeover {
  readonly seq: number;
  /** First row of the slot, counted from the start of the task's input. */
  readonly from: number;
  /** The version's entry. */
  readonly version: CID;
}

/**
 * Why a task that runs one version of a module cannot go on with another; `undefined` where it can. The other is signed by the same
 * publisher, of the name and range asked for, newer, called the same way, and asks for no more. What it puts out is for whoever
 * loads it to compare.
 */
export function takeoverFault(
  now: ModuleEntry,
  next: ModuleEntry,
  { name, range }: LiveRange,
  verify: Verify,
): string | undefined {
  if (!entrySigned(next, verify)) return "it does not carry the signature of its publisher";
  if (!equalBytes(next.publisher, now.publisher)) return "another key published it";
  if (next.name !== name) return `it is a version of ${next.name}`;
  if (!satisfies(next.version, range)) return `it is no version of ${range}`;
  if (!gt(next.version, now.version)) return `it is not newer than ${now.version}`;
  if (next.abi !== now.abi) return `it is called by ${next.abi}, not by ${now.abi}`;
  if (kindOf(next) !== kindOf(now)) return `it is ${kindOf(next)}, not ${kindOf(now)}`;
  const more = next.capabilities.find((capability) => !now.capabilities.includes(capability));
  if (more !== undefined) return `it asks for the capability ${more}`;
  if (!next.stateful || (next.continues !== undefined && satisfies(now.version, next.continues))) return undefined;
  return `it does not say that it goes on from the memory of ${now.version}`;
}

function kindOf({ unit, stateful }: ModuleEntry): string {
  return unit === null ? "of kind rows" : `${stateful ? "stateful" : "of kind batch"} on units of ${unit} rows`;
}

/**
 * The slots of a task at which another version took over, in sequence. Returns the reason in place of them where slots contradict
 * each other: the first slot runs what the stage names, a slot without rows changes nothing, and nothing goes back to the stage's.
 */
export function takeoversOf(slots: readonly Pick<Slot, "seq" | "version" | "input">[]): Takeover[] | string {
  const found: Takeover[] = [];
  for (const { seq, version, input } of slots) {
    const last = found.at(-1)?.version;
    if (version === undefined && last !== undefined) return `slot ${seq} goes back to the version of its stage`;
    if (version === undefined || (last !== undefined && version.equals(last))) continue;
    if (seq === 0) return "the first slot runs another version than its stage names";
    if (input.rows === 0) return `slot ${seq} has no rows for another version`;
    found.push({ seq, from: input.from, version });
  }
  return found.length > TAKEOVERS_MAX ? `more than ${TAKEOVERS_MAX} versions took over` : found;
}

/** What a task did to its input, as a result says it: its operator, and those that took over with the first row of each. */
export interface OperatorHistory {
  readonly operator: Operator;
  readonly later?: { readonly from: number; readonly operator: ModuleOperator }[];
}

/**
 * The normal form of a task whose module changed on the way. A module that is called on units began with the unit that the slot's
 * first row lies in; a version that was never called does not appear.
 */
export function operatorHistory(
  first: Operator,
  later: readonly { readonly from: number; readonly operator: ModuleOperator }[],
): OperatorHistory {
  if (first.kind !== "module" || later.length === 0) return { operator: first };
  const { unit } = first;
  const all: { from: number; operator: ModuleOperator }[] = [{ from: 0, operator: first }];
  for (const { from, operator } of later) {
    const begins = unit === null ? from : from - (from % unit);
    while ((all.at(-1)?.from ?? -1) >= begins) all.pop();
    all.push({ from: begins, operator });
  }
  const [begun, ...rest] = all;
  return { operator: begun?.operator ?? first, ...(rest.length === 0 ? {} : { later: rest }) };
}
