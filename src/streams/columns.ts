import type { Value } from "../batch/column.ts";
import type { ColumnType, Field, Schema } from "../batch/schema.ts";
import { COLUMN_TYPES, schemaOf } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";

/** A column's type as a text: `i32`, or `i32?` where it may hold nulls. `fixed` has its width: `fixed32`. */
export type ColumnSpec = `${Exclude<ColumnType, "fixed"> | `fixed${number}`}${"" | "?"}`;

/** Columns by name, as the compiler knows them. */
export type Columns = Readonly<Record<string, ColumnSpec>>;

/** Columns that nobody declared to the compiler: every name and every type passes, and what is wrong is found at run time. */
// oxlint-disable-next-line typescript/no-explicit-any -- the one type that is assignable to every requirement on columns
export type Untyped = any;

/** Types whose values are numbers. */
export type NumberSpec = `${"i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64"}${"" | "?"}`;
/** Types whose values are texts. */
export type TextSpec = `${"utf8" | "dict"}${"" | "?"}`;
/** Event times. */
export type TimeSpec = `timestamp${"" | "?"}`;
/** Truth values. */
export type BoolSpec = `bool${"" | "?"}`;
/** Types that may be part of a key. */
export type KeySpec = Exclude<ColumnSpec, `f32${"" | "?"}` | `f64${"" | "?"}`>;

type Bare<S> = S extends `${infer T}?` ? T : S;

/** The JavaScript value of a column: 64-bit integers and timestamps are bigint. */
export type ValueOf<S> = S extends `${string}?` ? BareValue<Bare<S>> | null : BareValue<S>;

type BareValue<S> = S extends "bool"
  ? boolean
  : S extends "i64" | "u64" | "timestamp"
    ? bigint
    : S extends "utf8" | "dict"
      ? string
      : S extends "binary" | `fixed${number}`
        ? Uint8Array
        : number;

/** A row as an object, from its columns. */
export type Row<C = Untyped> = 0 extends 1 & C
  ? Readonly<Record<string, Value>>
  : { readonly [K in keyof C]: ValueOf<C[K]> };

/** Columns with others added, in their place where a name is known already. */
export type Added<C, A> = 0 extends 1 & C ? Untyped : Omit<C, keyof A> & A;

declare const columnsOf: unique symbol;

/** A schema whose columns the compiler knows. */
export type TypedSchema<C> = Schema & { readonly [columnsOf]?: C };

/**
 * A schema from names and types, which the compiler then knows: `columns({ at: "timestamp", who: "utf8", paid: "i64?" })`.
 * Throws `SCHEMA_INVALID`.
 */
export function columns<const C extends Columns>(specs: C): TypedSchema<C> {
  return schemaOf(Object.entries(specs).map(([name, spec]) => fieldOfSpec(name, spec)));
}

/** The field of a column whose type is written as a {@link ColumnSpec}. Throws `SCHEMA_INVALID`. */
export function fieldOfSpec(name: string, spec: string): Field {
  const nullable = spec.endsWith("?");
  const bare = nullable ? spec.slice(0, -1) : spec;
  const fixed = /^fixed(\d{1,5})$/.exec(bare);
  if (fixed !== null) return { name, type: "fixed", nullable, width: Number(fixed[1]) };
  if (!isPlainType(bare)) {
    throw new IpdmError("SCHEMA_INVALID", `column ${name} cannot be of type ${JSON.stringify(spec.slice(0, 40))}`, {
      kind: "config",
      hint: `types: ${PLAIN_TYPES.join(", ")}, fixed and a width in bytes; a ? at the end lets a column hold nulls`,
    });
  }
  return { name, type: bare, nullable };
}

const PLAIN_TYPES = COLUMN_TYPES.filter((type) => type !== "fixed");

function isPlainType(text: string): text is (typeof PLAIN_TYPES)[number] {
  return (PLAIN_TYPES as readonly string[]).includes(text);
}
