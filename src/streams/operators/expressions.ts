import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { assembleBatch, gatherRows } from "../../batch/gather.ts";
import type { Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import type { Added, BoolSpec, ColumnSpec, Row, Untyped } from "../columns.ts";
import { compile, compileCondition } from "../expressions/compile.ts";
import type { Compiled } from "../expressions/compiled.ts";
import { computeColumn, computedField, trueRows } from "../expressions/computed.ts";
import { col, Expression } from "../expressions/expression.ts";
import { nodeText } from "../expressions/node.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import { anew } from "./event-time.ts";
import { invalid } from "./given.ts";
import { filterRows } from "./rows.ts";

/** New columns by name: expressions, or names of columns as they stand. */
type Made = Readonly<Record<string, Expression<Untyped, ColumnSpec, string> | string>>;
/** What columns a set of expressions needs. */
type NeedsOf<P extends Made> = UnionToIntersection<{ [K in keyof P]: Needs<P[K]> }[keyof P]>;
type Needs<E> =
  E extends Expression<infer R, ColumnSpec, string> ? R : E extends string ? Record<E, ColumnSpec> : unknown;
type UnionToIntersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never;
/** The columns that come out. */
type Output<C, P extends Made> = { readonly [K in keyof P]: OutputOf<C, P[K]> };
type OutputOf<C, E> = E extends string
  ? C[E & keyof C]
  : E extends Expression<Untyped, infer T, infer N>
    ? [N] extends [never]
      ? [ColumnSpec] extends [T]
        ? Untyped
        : T
      : C[N & keyof C]
    : never;

/**
 * Keeps the rows for which a condition is true, order included; batches without a kept row vanish. The condition is an expression,
 * or, many times slower, a function of the row. Throws `COLUMN_MISSING` and `EXPRESSION_TYPE` as the stream's error.
 */
export function filter<R>(
  condition: Expression<R, BoolSpec | ColumnSpec, string>,
): <C extends R = Untyped, K extends string = string>(input: Observable<Flow<C, K>>) => Observable<Flow<C, K>>;
export function filter<C = Untyped, K extends string = string>(
  condition: (row: Row<C>) => boolean,
): (input: Observable<Flow<C, K>>) => Observable<Flow<C, K>>;
export function filter(
  condition: Expression<Untyped, ColumnSpec, string> | ((row: Row) => boolean),
): (input: Observable<Flow>) => Observable<Flow> {
  if (!(condition instanceof Expression)) return filterRows(condition);
  return operator(
    (out) => {
      const tied = new Tied((schema) => compileCondition(condition.node, schema));
      let rows = new Int32Array(0);
      return {
        batch(batch) {
          if (rows.length <= batch.rows) rows = new Int32Array(batch.rows + 1);
          const kept = trueRows(batch, tied.to(batch), rows);
          if (kept > 0) out.next(kept === batch.rows ? batch : gatherRows(batch, rows, kept));
        },
      };
    },
    { name: "filter", detail: nodeText(condition.node) },
  );
}

/**
 * Computes the columns of each row anew: `project({ hour: col("at").truncate("1h"), delay: "delay" })`. A name stands for a column as it is.
 * Descriptions of event time and key stay while their columns do. Throws as {@link filter}, and `EXPRESSION_OVERFLOW`.
 */
export function project<const P extends Made>(
  made: P,
): <C extends NeedsOf<P> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Output<C, P>, K>> {
  return computing("project", made, () => []);
}

/** Adds computed columns to those that are there, in their place where the name is known already. See {@link project}. */
export function withColumns<const P extends Made>(
  made: P,
): <C extends NeedsOf<P> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Added<C, Output<C, P>>, K>> {
  return computing("withColumns", made, (schema) => schema.fields.map(({ name }) => name));
}

/** Keeps the columns named, in this order. Throws `OPTION_INVALID`, and `COLUMN_MISSING` as the stream's error. */
export function select<const N extends string>(
  ...names: readonly N[]
): <C extends Record<N, ColumnSpec> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Pick<C, N>, K>> {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid("select", `column ${twice} stands twice`, "name each column once");
  return computing("select", Object.fromEntries(names.map((name) => [name, name])), () => []);
}

type Renamed<C, M> = 0 extends 1 & C
  ? Untyped
  : { readonly [K in keyof C as K extends keyof M ? M[K] & string : K]: C[K] };

/** Gives columns other names: `rename({ origin: "airport" })`. */
export function rename<const M extends Readonly<Record<string, string>>>(
  to: M,
): <C extends Record<keyof M & string, ColumnSpec> = Untyped>(
  input: Observable<Flow<C>>,
) => Observable<Flow<Renamed<C, M>>> {
  const detail = Object.entries(to).map(([from, name]) => `${from} as ${name}`);
  return operator(
    (out) => {
      const renamed = new Map<Schema, Schema>();
      return {
        header: anew,
        batch(batch) {
          let schema = renamed.get(batch.schema);
          if (schema === undefined) {
            for (const name of Object.keys(to)) compile({ op: "column", name }, batch.schema);
            schema = schemaOf(batch.schema.fields.map((field) => ({ ...field, name: to[field.name] ?? field.name })));
            renamed.clear();
            renamed.set(batch.schema, schema);
          }
          out.next(assembleBatch(schema, batch.rows, batch.columns));
        },
      };
    },
    { name: "rename", detail: detail.join(", ") },
  );
}

interface Plan {
  readonly schema: Schema;
  readonly columns: readonly Compiled[];
}

function computing<From extends Flow, To extends Flow>(
  name: string,
  made: Made,
  kept: (schema: Schema) => readonly string[],
): (input: Observable<From>) => Observable<To> {
  const expressions = Object.entries(made).map(
    ([column, each]) => [column, typeof each === "string" ? col(each).node : each.node] as const,
  );
  const detail = expressions.map(([column, node]) => {
    const text = nodeText(node);
    return text === column ? column : `${column}: ${text}`;
  });
  const planOf = (schema: Schema): Plan => {
    const nodes = new Map(kept(schema).map((column) => [column, col(column).node]));
    for (const [column, node] of expressions) nodes.set(column, node);
    const columns = [...nodes].map(([, node]) => compile(node, schema));
    const fields = [...nodes.keys()].map((column, i) => computedField(column, columns[i] as Compiled));
    return { schema: schemaOf(fields), columns };
  };
  return operator<From, To>(
    (out) => {
      const tied = new Tied(planOf);
      return {
        header(header) {
          const { schema } = header;
          const kept = name === "withColumns" ? header : keptAlone(header, made);
          return schema === undefined ? kept : { ...kept, schema: planOf(schema).schema };
        },
        batch(batch) {
          const { schema, columns } = tied.to(batch);
          const parts = columns.map((compiled, i) =>
            computeColumn(batch, compiled, schema.fields[i] as Schema["fields"][0]),
          );
          out.next(assembleBatch(schema, batch.rows, parts));
        },
      };
    },
    { name, detail: detail.join(", ") },
  );
}

/** A header without descriptions of columns that are no longer there under their name. */
function keptAlone(header: Header, made: Made): Header {
  const isKept = (name: string): boolean => {
    const each = made[name];
    return each === name || (each instanceof Expression && each.node.op === "column" && each.node.name === name);
  };
  const { time, keys } = header;
  return {
    ...anew(header),
    ...(time !== undefined && isKept(time.column) ? { time } : {}),
    ...(keys?.every(isKept) === true ? { keys } : {}),
  };
}

/** Something made for a schema once, and again only when another schema comes. */
class Tied<T> {
  private readonly make: (schema: Schema) => T;
  private schema: Schema | undefined;
  private made: T | undefined;

  constructor(make: (schema: Schema) => T) {
    this.make = make;
  }

  to({ schema }: Batch): T {
    if (this.made === undefined || this.schema !== schema) {
      this.made = this.make(schema);
      this.schema = schema;
    }
    return this.made;
  }
}
