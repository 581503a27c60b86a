import { declaredField } from "../../batch/declared-field.ts";
import { type ColumnType, typeCode } from "../../batch/schema.ts";
import { SETTING_VALUE_MAX } from "../limits.ts";
import { type AbiType, abiCode, abiError, isWord } from "./abi-type.ts";
import { type EventColumns, eventColumns } from "./event-columns.ts";
import type { EventSet } from "./event-sets.ts";
import { signatureOf, topicCount, topicOf } from "./event-signature.ts";
import { wordOf } from "./event-word.ts";

/** Events of a task, and pieces of the text that its module is given; values of `where`. */
const EVENTS_MAX = 256;
const PIECES_MAX = 48;
const VALUES_MAX = 2048;

/** What a task says of its events beside which they are. */
export interface EventOptions {
  /** Values that are let through, by column; a log needs one of each. */
  readonly where: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  /** Types of columns other than the usual. */
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * The settings of the module `ipdm:ethereum-events` for a set of events: everything that the ABI says, in the lines that the module reads
 * (src/modules/ethereum-events/plan.ts). Throws `EVENT_ABI_INVALID`.
 */
export function eventSettings(given: EventSet, options: EventOptions): Readonly<Record<string, string>> {
  const set = { ...given, events: distinct(given.events) };
  if (set.events.length === 0) throw abiError("there is no event to decode");
  if (set.events.length > EVENTS_MAX) throw abiError(`a task decodes at most ${EVENTS_MAX} events`);
  const found = eventColumns(set, options.columns);
  const lines = [
    `a ${set.address}`,
    `t ${typeCode(timeType(options.columns["timestamp"]))}`,
    ...found.columns.map(({ name, type, nullable }) => `c ${columnCode(type)} ${nullable ? 1 : 0} ${name}`),
    ...set.events.flatMap((event, i) => [
      `e ${event.anonymous ? "-" : topicOf(event)} ${topicCount(event)} ${event.name}`,
      ...event.parameters.map(({ name, type, indexed }, j) => {
        const expanded = Object.hasOwn(set.expanded, name) && type.kind === "list" ? 1 : 0;
        return `p ${found.numbers[i]?.[j] ?? 0} ${indexed ? 1 : 0} ${expanded} ${abiCode(type)}`;
      }),
    ]),
    ...allowed(set, found, options.where),
  ];
  const text = `${lines.join("\n")}\n`;
  const pieces = Math.ceil(text.length / SETTING_VALUE_MAX);
  if (pieces > PIECES_MAX)
    throw abiError("the events and values of `where` are too many for one task", "make two of it");
  return Object.fromEntries(
    Array.from({ length: pieces }, (_, i) => [
      `plan.${i}`,
      text.slice(i * SETTING_VALUE_MAX, (i + 1) * SETTING_VALUE_MAX),
    ]),
  );
}

function columnCode(type: string): string {
  const field = declaredField("", type);
  return `${typeCode(field.type)} ${field.width ?? 0}`;
}

function timeType(asked: string | undefined): ColumnType {
  if (asked === undefined || asked === "u64" || asked === "timestamp") return asked ?? "u64";
  throw abiError(`timestamp cannot be ${asked}`, "it is u64, in seconds, or timestamp", ["columns", "timestamp"]);
}

/** Of events that are told by the same topics, the first: files repeat what contracts inherit. */
function distinct(events: EventSet["events"]): EventSet["events"] {
  const seen = new Set<string>();
  return events.filter((event) => {
    const key = `${signatureOf(event)} ${topicCount(event)} ${event.anonymous}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function allowed(set: EventSet, { columns }: EventColumns, where: EventOptions["where"]): readonly string[] {
  const lines = Object.entries(where).flatMap(([name, values]) => {
    if (name === set.address) return values.map((value) => `w a ${wordOf(name, { kind: "address" }, value)}`);
    const number = columns.findIndex((column) => column.name === name);
    const column = columns[number];
    if (column === undefined) {
      const names = [set.address, ...columns.map((each) => each.name)].join(", ");
      throw abiError("there is no such column", `there are ${names}`, ["where", name]);
    }
    if (!isWord(column.source) || isExpanded(set, column.name))
      throw abiError(`a ${describe(column.source)} cannot be compared`, "filter in a module behind it", [
        "where",
        name,
      ]);
    return values.map((value) => `w ${number} ${wordOf(name, column.source, value)}`);
  });
  if (lines.length > VALUES_MAX) throw abiError(`it names more than ${VALUES_MAX} values`, undefined, ["where"]);
  return lines;
}

function isExpanded({ expanded }: EventSet, column: string): boolean {
  return Object.values(expanded).includes(column);
}

function describe(type: AbiType): string {
  return isWord(type) ? "value of a list" : type.kind;
}
