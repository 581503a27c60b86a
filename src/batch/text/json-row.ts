import type { Value } from "../column.ts";
import type { ColumnWriter } from "../column-writer.ts";
import type { Schema } from "../schema.ts";
import type { BatchWriter } from "../writer.ts";
import { isObject, parseJson } from "./json-object.ts";
import { jsonParser, type ValueParser } from "./text-value.ts";

/** What is wrong with a row of text; `column` names the column, unless the row as a whole is at fault. */
export interface RowFault {
  /** `syntax`: no row of this format at all; `value`: a value that does not fit; `column`: one that nobody declared. */
  readonly kind: "syntax" | "value" | "column";
  readonly message: string;
  readonly column?: string;
  readonly cause?: unknown;
}

/** Reads rows of NDJSON, one JSON object each. A column that an object does not have is null; of a key that stands twice the last counts. */
export class JsonRowReader {
  private readonly parsers: readonly (readonly [name: string, parse: ValueParser])[];
  private readonly isStrict: boolean;

  /** `isStrict` refuses objects with keys that are no column. */
  constructor(schema: Schema, isStrict: boolean) {
    this.parsers = schema.fields.map((field) => [field.name, jsonParser(field)] as const);
    this.isStrict = isStrict;
  }

  /** Adds the row that `text` is. What is wrong with it, if anything: the writer is of no use then. */
  push(writer: BatchWriter, text: string): RowFault | undefined {
    let object: unknown;
    try {
      object = parseJson(text);
    } catch (cause) {
      return { kind: "syntax", message: cause instanceof Error ? cause.message : "not JSON", cause };
    }
    if (!isObject(object)) return { kind: "syntax", message: "expected one JSON object a line" };
    return this.pushObject(writer, object);
  }

  /** Adds the row that an object is, as {@link parseJson} gives it. */
  pushObject(writer: BatchWriter, object: Record<string, unknown>): RowFault | undefined {
    let known = 0;
    for (let i = 0; i < this.parsers.length; i++) {
      const [name, parse] = this.parsers[i] as readonly [string, ValueParser];
      const value = Object.hasOwn(object, name) ? object[name] : undefined;
      if (value !== undefined) known++;
      const isNull = value === null || value === undefined;
      const fault = pushValue(writer.at(i), isNull ? null : parse(value), value);
      if (fault !== undefined) return fault;
    }
    writer.endRow();
    return this.isStrict && known !== Object.keys(object).length ? this.extra(object) : undefined;
  }

  private extra(object: Record<string, unknown>): RowFault {
    const column = Object.keys(object).find((key) => !this.parsers.some(([name]) => name === key)) ?? "";
    return { kind: "column", message: `column ${shown(column)} is not declared`, column };
  }
}

/** Adds a value that a parser gave for `given`; `undefined` is one that does not fit. */
export function pushValue(column: ColumnWriter, value: Value | undefined, given: unknown): RowFault | undefined {
  try {
    if (value !== undefined) {
      column.push(value);
      return undefined;
    }
  } catch {
    // Out of the type's range, or null where there is none: the same fault as a value of another type.
  }
  const { name, type } = column.field;
  return { kind: "value", message: `${shown(given)} does not fit column ${name} (${type})`, column: name };
}

/** True for a line without a row. */
export function isBlank(text: string): boolean {
  return text.length === 0 || text.trim().length === 0;
}

function shown(given: unknown): string {
  if (typeof given === "string") return JSON.stringify(given.slice(0, 40));
  return typeof given === "object" && given !== null ? "a nested value" : String(given ?? null);
}
