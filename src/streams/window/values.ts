import * as dagCbor from "@ipld/dag-cbor";
import type { Column, Value } from "../../batch/column.ts";
import { bytesAt, entryBytes, valueAt } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import { toHex } from "../../core/bytes.ts";
import type { Ipld } from "../../dag/block.ts";
import { isInteger, isWide } from "./plan.ts";
import { bytesPart, malformed } from "./state-bytes.ts";

/** A value as IPLD; a float as its 8 bytes, little-endian, since IPLD has no NaN. */
export function toIpld(value: Value): Ipld {
  return typeof value === "number" && !Number.isSafeInteger(value) ? floatBytes(value) : value;
}

/** The reverse of {@link toIpld}, as a column of that field would give it. */
export function fromIpld(value: Ipld, field: Field): Value {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return isWide(field) ? BigInt(value) : value;
  const bytes = bytesPart(value);
  if (field.type !== "f32" && field.type !== "f64") return bytes;
  if (bytes.length !== 8) throw malformed("value");
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

/** Bytes that equal values share and different ones do not. -0 is 0, and every NaN the same. */
export function canonical(column: Column, row: number): Uint8Array {
  const { field, values } = column;
  switch (field.type) {
    case "utf8":
    case "binary":
    case "fixed":
      return bytesAt(column, row);
    case "dict":
      return entryBytes(column, Number(values[row]));
    case "f32":
    case "f64":
      return floatBytes(Number(values[row]) + 0);
    default:
      return dagCbor.encode(
        isInteger(field) || isWide(field)
          ? Number.isSafeInteger(Number(values[row]))
            ? Number(values[row])
            : values[row]
          : valueAt(column, row),
      );
  }
}

/** Values as a JSON list: integers of any size as numbers, bytes in hexadecimal, NaN and infinities as null. */
export function jsonText(values: readonly Value[]): string {
  const parts = values.map((value) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? `"0x${toHex(value)}"` : JSON.stringify(value);
  });
  return `[${parts.join(",")}]`;
}

function floatBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, value, true);
  if (Number.isNaN(value)) view.setBigUint64(0, 0x7ff8_0000_0000_0000n, true);
  return bytes;
}
