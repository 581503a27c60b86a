import type { Batch } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import { type Field, type Schema, schemaOf } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";

/** Rows of the generated batches of each schema. */
const SIZES = [0, 1, 2, 7, 64, 1000] as const;

const field = (name: string, type: Field["type"], nullable = false): Field => ({ name, type, nullable });

const SCHEMAS: readonly Schema[] = [
  schemaOf([field("id", "i64"), field("value", "i32"), field("amount", "f64")]),
  schemaOf([
    field("time", "timestamp", true),
    field("name", "utf8", true),
    field("kind", "dict", true),
    field("value", "i64", true),
    field("weight", "f64", true),
    field("flag", "bool", true),
  ]),
  schemaOf([
    ...(["i8", "i16", "u8", "u16", "u32", "u64", "f32"] as const).map((type) => field(type, type, true)),
    field("bytes", "binary", true),
    { name: "hash", type: "fixed", nullable: true, width: 32 },
  ]),
];

/** Batches of several schemas, or of the one given, and several sizes up to a unit of rows, always the same: extremes of every type, nulls, empty and long texts, NaN and infinities. */
export function sampleBatches(given?: Schema, unit?: number): Batch[] {
  const schemas = given === undefined ? SCHEMAS : [given];
  const sizes = unit === undefined ? SIZES : [...SIZES.filter((rows) => rows < unit), unit];
  return schemas.flatMap((schema, at) => sizes.map((rows) => sampleBatch(schema, rows, 20_260_101 + at)));
}

/** A batch of a schema, its values drawn from a seed. */
export function sampleBatch(schema: Schema, rows: number, seed: number): Batch {
  let state = seed;
  const next = (below: number): number => {
    // The minimal standard generator (Park and Miller 1988): exact in doubles, and the same everywhere.
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const writer = new BatchWriter(schema);
  for (let row = 0; row < rows; row++)
    writer.push(schema.fields.map((column) => (column.nullable && next(8) === 0 ? null : valueOf(column, row, next))));
  return writer.take();
}

const TEXTS = ["", "a", "ATL", "naïve", "日本語", '"quoted, text"\n', "x".repeat(300)];

function valueOf({ type, width = 0 }: Field, row: number, next: (below: number) => number): Value {
  switch (type) {
    case "bool":
      return next(2) === 1;
    case "utf8":
    case "dict":
      return `${TEXTS[next(TEXTS.length)] ?? ""}${next(3) === 0 ? next(100) : ""}`;
    case "binary":
      return Uint8Array.from({ length: next(40) }, () => next(256));
    case "fixed":
      return Uint8Array.from({ length: width }, () => next(256));
    case "f32":
      return Math.fround(floatOf(next));
    case "f64":
      return floatOf(next);
    case "timestamp":
      return BigInt(Date.UTC(2001, 0, 1) + row * 60_000 + next(1000)) * 1000n - (next(50) === 0 ? 2n ** 53n : 0n);
    default:
      return integerOf(type, next);
  }
}

function floatOf(next: (below: number) => number): number {
  return [0, -0.5, 1e-7 * next(1_000_000), 1e12 + next(1000), Number.NaN, Number.POSITIVE_INFINITY][next(6)] ?? 0;
}

const BITS: Readonly<Record<string, number>> = { i8: 8, i16: 16, i32: 32, i64: 64, u8: 8, u16: 16, u32: 32, u64: 64 };

function integerOf(type: string, next: (below: number) => number): Value {
  const bits = BITS[type] ?? 8;
  const isSigned = type.startsWith("i");
  const least = isSigned ? -(2n ** BigInt(bits - 1)) : 0n;
  const most = isSigned ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const value = [least, most, 0n, BigInt(next(128)), BigInt(next(100))][next(5)] ?? 0n;
  return bits === 64 ? value : Number(value);
}
