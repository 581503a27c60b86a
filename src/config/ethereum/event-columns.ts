import { type AbiType, abiError, isWord } from "./abi-type.ts";
import type { EventSet } from "./event-sets.ts";
import type { AbiParameter } from "./event-signature.ts";

/** A column of a parameter: one column serves the parameters of several events that have its name and type. */
export interface EventColumn {
  readonly name: string;
  /** A type's name as configurations write it. */
  readonly type: string;
  readonly nullable: boolean;
  /** Type of the values in it; of its items for a list that becomes rows. */
  readonly source: AbiType;
  readonly indexed: boolean;
}

/** The columns of a table of events, and the number of the one of each event's parameters. */
export interface EventColumns {
  readonly columns: readonly EventColumn[];
  readonly numbers: readonly (readonly number[])[];
}

const INTEGERS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"] as const;

/**
 * Finds the columns of a table of events. A name that is taken by a column of the log, or by a parameter of another type, gets the
 * event's name before it. `asked` are types other than the usual. Throws `EVENT_ABI_INVALID`.
 */
export function eventColumns(set: EventSet, asked: Readonly<Record<string, string>>): EventColumns {
  const place = new Set(["block", "timestamp", "tx", "logIndex", set.address]);
  if (set.events.length > 1) place.add("event");
  const columns: EventColumn[] = [];
  const numbers = set.events.map((event) => {
    const own = new Set<number>();
    return event.parameters.map((parameter) => {
      const found = columnOf(parameter, set);
      let { name } = found;
      const fits = (): boolean => {
        const other = columns.findIndex((column) => column.name === name);
        return other < 0 ? !place.has(name) : !own.has(other) && isSame(columns[other] as EventColumn, found);
      };
      if (!fits()) name = `${event.name}_${found.name}`;
      while (!fits()) name = `${name}_`;
      let number = columns.findIndex((column) => column.name === name);
      if (number < 0) number = columns.push({ ...found, name, nullable: false }) - 1;
      own.add(number);
      return number;
    });
  });
  const all = columns.map((column, i) => ({
    ...column,
    type: askedType(column, asked[column.name]),
    nullable: numbers.some((own) => !own.includes(i)),
  }));
  const unknown = Object.keys(asked).find(
    (name) => name !== "timestamp" && !all.some((column) => column.name === name),
  );
  if (unknown !== undefined) {
    const names = all.map(({ name }) => name).join(", ");
    throw abiError("the events have no parameter of that name", `they have ${names}`, ["columns", unknown]);
  }
  return { columns: all, numbers };
}

function isSame(column: EventColumn, found: Omit<EventColumn, "nullable">): boolean {
  return column.type === found.type && column.indexed === found.indexed && column.source.kind === found.source.kind;
}

function columnOf(parameter: AbiParameter, { expanded }: EventSet): Omit<EventColumn, "nullable"> {
  const { name, type, indexed } = parameter;
  const item = expanded[name];
  if (item !== undefined && type.kind === "list")
    return { name: item, type: usualType(type.item), source: type.item, indexed: false };
  // What does not fit into a topic stands there by its hash.
  if (indexed && !isWord(type)) return { name, type: "fixed(32)", source: { kind: "fixedBytes", size: 32 }, indexed };
  return { name, type: usualType(type), source: type, indexed: false };
}

/** The column type that holds every value of a type without loss: decimal text for integers of more than 64 bits, JSON for lists and tuples. */
function usualType(type: AbiType): string {
  switch (type.kind) {
    case "address":
      return "fixed(20)";
    case "bool":
      return "bool";
    case "fixedBytes":
      return `fixed(${type.size})`;
    case "bytes":
      return "binary";
    case "uint":
    case "int": {
      const width = [8, 16, 32, 64].find((bits) => bits >= type.size);
      return width === undefined ? "utf8" : `${type.kind === "uint" ? "u" : "i"}${width}`;
    }
    default:
      return "utf8";
  }
}

function askedType({ name, type, source, indexed }: EventColumn, asked: string | undefined): string {
  if (asked === undefined || asked === type) return type;
  const { kind } = source;
  const known = indexed
    ? []
    : kind === "uint" || kind === "int"
      ? [...INTEGERS, "utf8", "fixed(32)"]
      : kind === "address" || kind === "fixedBytes"
        ? ["utf8"]
        : [];
  if (known.includes(asked)) return asked;
  const others = known.length === 0 ? `it stays ${type}` : `it can be ${[type, ...known].join(", ")}`;
  throw abiError(`${name} cannot be ${asked}`, others, ["columns", name]);
}
