import type { Batch } from "../../batch/batch.ts";
import { bitBytes } from "../../batch/buffers.ts";
import type { Column } from "../../batch/column.ts";
import { ColumnWriter } from "../../batch/column-writer.ts";
import type { ColumnData } from "../../batch/layout.ts";
import type { Field } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Compiled } from "./compiled.ts";
import type { Vector } from "./vector.ts";

/** The field of a column that an expression fills. */
export function computedField(name: string, compiled: Compiled): Field {
  if (compiled.field !== undefined) return { ...compiled.field, name };
  return { name, type: compiled.type, nullable: compiled.nullable };
}

/** An expression's values for a whole batch; a column as it stands is that column. */
export function computeColumn(batch: Batch, compiled: Compiled, field: Field): Column | ColumnData {
  if (compiled.field !== undefined) return batch.column(compiled.field.name);
  if (compiled.kind === "text" || compiled.kind === "bytes") return computeTexts(batch, compiled, field);
  const { rows } = batch;
  const width = field.type === "i32" ? 4 : 8;
  const data = new Uint8Array(field.type === "bool" ? bitBytes(rows) : rows * width);
  let validity: Uint8Array | undefined;
  let nulls = 0;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - from);
    const values = compiled.run(batch, from, count);
    put(field, values, from, count, data);
    if (values.nulls === undefined && validity === undefined) continue;
    if (values.nulls !== undefined) nulls += values.nulls.subarray(0, count).reduce((sum, bit) => sum + bit, 0);
    if (validity === undefined) {
      validity = new Uint8Array(bitBytes(rows));
      markValid(undefined, 0, from, validity);
    }
    markValid(values.nulls, from, count, validity);
  }
  if (nulls > 0 && validity !== undefined) zeroNulls(validity, rows, field.type === "bool" ? 0 : width, data);
  return { data, nulls, validity: nulls > 0 ? validity : undefined, offsets: undefined, extra: undefined, entries: 0 };
}

/** The rows for which a condition is true, in `into`; how many there are. */
export function trueRows(batch: Batch, condition: Compiled, into: Int32Array): number {
  let found = 0;
  for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, batch.rows - from);
    const selected = condition.select?.(batch, from, count, into, found) ?? -1;
    if (selected >= 0) {
      found = selected;
      continue;
    }
    const { numbers, nulls } = condition.run(batch, from, count);
    if (nulls === undefined) {
      for (let i = 0; i < count; i++) {
        into[found] = from + i;
        found += numbers[i] as number;
      }
    } else {
      for (let i = 0; i < count; i++) if (nulls[i] !== 1 && numbers[i] === 1) into[found++] = from + i;
    }
  }
  return found;
}

function put(field: Field, values: Vector, from: number, count: number, data: Uint8Array): void {
  const { numbers, wides } = values;
  if (field.type === "bool") {
    for (let i = 0; i < count; i++) {
      const row = from + i;
      if (numbers[i] === 1) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7));
    }
  } else if (field.type === "f64") {
    new Float64Array(data.buffer, 8 * from, count).set(numbers.subarray(0, count));
  } else if (field.type === "i32") {
    new Int32Array(data.buffer, 4 * from, count).set(numbers.subarray(0, count));
  } else if (wides === undefined) {
    const words = new Int32Array(data.buffer, 8 * from, 2 * count);
    for (let i = 0; i < count; i++) {
      const value = numbers[i] as number;
      const high = Math.floor(value / 4_294_967_296);
      words[2 * i] = value - high * 4_294_967_296;
      words[2 * i + 1] = high;
    }
  } else {
    const view = new BigInt64Array(data.buffer, 8 * from, count);
    for (let i = 0; i < count; i++) {
      const value = wides[i] as bigint;
      if (BigInt.asIntN(64, value) !== value && values.nulls?.[i] !== 1) throw overflow(field, value);
      view[i] = value;
    }
  }
}

function overflow({ name }: Field, value: bigint): IpdmError {
  return new IpdmError("EXPRESSION_OVERFLOW", `${name} is ${value}, which does not fit 64 bits`, {
    hint: "use smaller values or cast to f64 first",
    facts: { column: name, value: value.toString() },
  });
}

function markValid(nulls: Uint8Array | undefined, from: number, count: number, validity: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const row = from + i;
    if (nulls?.[i] !== 1) validity[row >> 3] = (validity[row >> 3] as number) | (1 << (row & 7));
  }
}

/** A null row's bytes are zero: one form for equal columns. */
function zeroNulls(validity: Uint8Array, rows: number, width: number, data: Uint8Array): void {
  for (let row = 0; row < rows; row++) {
    if ((((validity[row >> 3] as number) >> (row & 7)) & 1) === 1) continue;
    if (width === 0) data[row >> 3] = (data[row >> 3] as number) & ~(1 << (row & 7));
    else data.fill(0, row * width, (row + 1) * width);
  }
}

function computeTexts(batch: Batch, compiled: Compiled, field: Field): ColumnData {
  const writer = new ColumnWriter(field);
  for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, batch.rows - from);
    const { texts, nulls } = compiled.run(batch, from, count);
    for (let i = 0; i < count; i++) writer.push(nulls?.[i] === 1 ? null : (texts[i] ?? null));
  }
  return writer.held(batch.rows);
}
