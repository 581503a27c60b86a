import type { SchemaElement } from "hyparquet";
import type { ColumnType, Field } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { unsupportedColumn } from "../failure.ts";

/** What to do with a column's physical values to get those of its batch column. */
export type Conversion = "none" | "integer" | "float32" | "millis" | "nanos" | "days" | "int96";

/** A Parquet column and the batch column it becomes. */
export interface ParquetColumn {
  readonly element: SchemaElement;
  /** Position among the file's leaf columns. */
  readonly index: number;
  readonly field: Field;
  readonly conversion: Conversion;
  /** The integers of the file are unsigned. */
  readonly unsigned: boolean;
}

interface Natural {
  readonly type: ColumnType;
  readonly conversion: Conversion;
  readonly width?: number;
}

/**
 * Maps a flat column: integers by their logical width, timestamps of any unit to microseconds, dates to midnight UTC,
 * DECIMAL of scale 0 to its integer, STRING, ENUM and JSON to `dict`, other bytes to `binary` or `fixed`. `declared`
 * chooses another type where no value is lost. Throws `SOURCE_COLUMN_UNSUPPORTED`, `SOURCE_COLUMN_MISMATCH`.
 */
export function mapColumn(
  file: string,
  element: SchemaElement,
  index: number,
  declared: Field | undefined,
): ParquetColumn {
  const { name } = element;
  const hint = "leave it out by listing the wanted columns under `columns`";
  if (element.repetition_type === "REPEATED") throw unsupportedColumn(file, name, "a list", hint);
  const natural = naturalType(element);
  if (typeof natural === "string") throw unsupportedColumn(file, name, natural, hint);
  const nullable = element.repetition_type !== "REQUIRED";
  const own: Field = {
    name,
    type: natural.type,
    nullable,
    ...(natural.width === undefined ? {} : { width: natural.width }),
  };
  const unsigned = natural.type.startsWith("u") && natural.type !== "utf8";
  if (declared === undefined || (declared.type === own.type && declared.width === own.width)) {
    return { element, index, field: own, conversion: natural.conversion, unsigned };
  }
  const conversion = otherConversion(natural, declared);
  if (conversion === undefined) {
    throw new IpdmError(
      "SOURCE_COLUMN_MISMATCH",
      `${file}: column ${name} holds ${natural.type}, which cannot be read as ${declared.type}`,
      {
        kind: "config",
        where: file,
        hint: `declare it as ${natural.type}`,
        facts: { column: name },
      },
    );
  }
  return { element, index, field: { ...declared, nullable }, conversion, unsigned };
}

/** The column type that a Parquet type becomes by itself, or what makes it unsupported. */
function naturalType(element: SchemaElement): Natural | string {
  const { type, converted_type: converted, logical_type: logical } = element;
  const kind = logical?.type;
  if (converted === "DECIMAL" || kind === "DECIMAL") {
    const scale = element.scale ?? (logical?.type === "DECIMAL" ? logical.scale : 0);
    if (scale !== 0 || (type !== "INT32" && type !== "INT64")) return `a decimal of scale ${scale} in ${type}`;
  }
  switch (type) {
    case "BOOLEAN":
      return { type: "bool", conversion: "none" };
    case "INT32":
    case "INT64":
      return integerType(element, type);
    case "INT96":
      return { type: "timestamp", conversion: "int96" };
    case "FLOAT":
      return { type: "f32", conversion: "none" };
    case "DOUBLE":
      return { type: "f64", conversion: "none" };
    case "BYTE_ARRAY":
      if (
        converted === "UTF8" ||
        converted === "ENUM" ||
        converted === "JSON" ||
        kind === "STRING" ||
        kind === "ENUM" ||
        kind === "JSON"
      ) {
        return { type: "dict", conversion: "none" };
      }
      return kind === undefined || kind === "BSON" ? { type: "binary", conversion: "none" } : `of the type ${kind}`;
    case "FIXED_LEN_BYTE_ARRAY": {
      const width = element.type_length ?? 0;
      if (kind === "FLOAT16" || converted === "INTERVAL" || kind === "INTERVAL")
        return `of the type ${kind ?? converted}`;
      return width < 1 || width > 65_536 ? `of ${width} bytes a value` : { type: "fixed", conversion: "none", width };
    }
    default:
      return "a group of columns";
  }
}

function integerType(element: SchemaElement, type: "INT32" | "INT64"): Natural | string {
  const { converted_type: converted, logical_type: logical } = element;
  if (logical?.type === "TIME" || converted === "TIME_MILLIS" || converted === "TIME_MICROS") return "a time of day";
  if (logical?.type === "DATE" || converted === "DATE") return { type: "timestamp", conversion: "days" };
  const unit =
    logical?.type === "TIMESTAMP"
      ? logical.unit
      : converted === "TIMESTAMP_MILLIS"
        ? "MILLIS"
        : converted === "TIMESTAMP_MICROS"
          ? "MICROS"
          : undefined;
  if (unit !== undefined)
    return { type: "timestamp", conversion: unit === "MILLIS" ? "millis" : unit === "NANOS" ? "nanos" : "none" };
  const bits = type === "INT32" ? 32 : 64;
  let width: number = bits;
  let signed = true;
  const named = /^(U?)INT_(\d+)$/.exec(converted ?? "");
  if (logical?.type === "INTEGER") ({ bitWidth: width, isSigned: signed } = logical);
  else if (named !== null) {
    width = Number(named[2]);
    signed = named[1] === "";
  }
  if (![8, 16, 32, 64].includes(width) || width > bits) return `an integer of ${width} bits in ${type}`;
  return { type: `${signed ? "i" : "u"}${width}` as ColumnType, conversion: width === bits ? "none" : "integer" };
}

function otherConversion(natural: Natural, declared: Field): Conversion | undefined {
  const { type } = declared;
  if (natural.type === "dict" && type === "utf8") return "none";
  if (natural.type === "f32" && type === "f64") return "float32";
  if (natural.type === "i64" && type === "timestamp") return "none";
  if (natural.conversion === "days" && type === "i32") return "none";
  const from = /^([iu])(\d+)$/.exec(natural.type);
  const to = /^([iu])(\d+)$/.exec(type);
  if (from === null || to === null) return undefined;
  const wider = Number(to[2]) > Number(from[2]);
  return wider && (from[1] === to[1] || to[1] === "i") ? "integer" : undefined;
}
