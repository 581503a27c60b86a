import { z } from "zod";
import { count, name } from "./ipld-schema.ts";

/** An expression over the columns of a row, as plain data: what `ipdm.yaml` writes as text. */
export type ExpressionForm =
  | { readonly op: "column"; readonly name: string }
  | { readonly op: "value"; readonly value: string | number | bigint | boolean | null; readonly type?: "timestamp" }
  | { readonly op: string; readonly args: readonly ExpressionForm[]; readonly option?: string | number };

/** Nodes that one expression may have. */
const EXPRESSION_NODES_MAX = 2048;
const OPERATIONS: ReadonlySet<string> = new Set([
  ...["eq", "ne", "lt", "lte", "gt", "gte", "oneOf"],
  ...["plus", "minus", "times", "div", "mod", "negated", "abs", "cast", "truncate"],
  ...["and", "or", "not", "isNull", "orElse", "when"],
  ...["startsWith", "endsWith", "includes", "lower", "upper", "length", "part"],
]);

/** Aggregates that a configuration can name. */
const STREAM_AGGREGATES = [
  "count",
  "sum",
  "min",
  "max",
  "mean",
  "variance",
  "first",
  "last",
  "distinct",
  "approxDistinct",
  "quantile",
  "topK",
  "collect",
] as const;

const expression = z.custom<ExpressionForm>(isExpression, "an expression");
const columns = z.array(z.strictObject({ name, expression })).min(1).max(256);
const keys = z.array(name).max(64);

const join = {
  kind: z.literal("join"),
  /** Which rows without a partner come out. */
  keep: z.enum(["inner", "left", "right", "full"]),
  /** Key columns of both inputs, in pairs. */
  keys: z.strictObject({ left: keys.min(1), right: keys.min(1) }),
  /**
   * Whose rows pair: those so close in time (`interval`), in one window (`window`), with the newest before (`temporal`), of one key as
   * long as they are not further apart than `ttlUs` (`regular`).
   */
  by: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("interval"), beforeUs: count, afterUs: count }),
    z.strictObject({ kind: z.literal("window"), sizeUs: count, stepUs: count, offsetUs: z.number().int() }),
    z.strictObject({ kind: z.literal("temporal") }),
    z.strictObject({ kind: z.literal("regular"), ttlUs: count.nullable() }),
  ]),
};

const window = {
  kind: z.literal("window"),
  shape: z.enum(["tumble", "hop", "cumulate", "session", "count", "global"]),
  /** Of the longest window; the gap of a `session`; 1 for `count` and `global`. */
  sizeUs: count,
  /** Of `hop` and `cumulate`. */
  stepUs: count.optional(),
  /** Of `count`. */
  rows: count.optional(),
  offsetUs: z.number().int(),
  latenessUs: count,
  emit: z.enum(["final", "upsert", "retract"]),
  trigger: z.strictObject({ rows: count.optional(), timeUs: count.optional() }).optional(),
  keys,
  aggregates: z
    .array(
      z.strictObject({
        name,
        kind: z.enum(STREAM_AGGREGATES),
        column: name.nullable(),
        option: z.number().optional(),
      }),
    )
    .min(1)
    .max(256),
};

const step = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("union") }),
  z.strictObject(join),
  z.strictObject({ kind: z.literal("filter"), condition: expression }),
  z.strictObject({ kind: z.literal("select"), columns }),
  z.strictObject({ kind: z.literal("withColumns"), columns }),
  z.strictObject({
    kind: z.literal("rename"),
    columns: z
      .array(z.strictObject({ from: name, to: name }))
      .min(1)
      .max(256),
  }),
  z.strictObject({
    kind: z.literal("scan"),
    keys,
    /** Running values of a key, beside the row's own columns. */
    running: z
      .array(z.strictObject({ name, kind: z.enum(["count", "sum", "min", "max", "mean"]), column: name.nullable() }))
      .min(1)
      .max(256),
    /** Keys are forgotten so long after their latest row; absent where they stay. */
    ttlUs: count.optional(),
  }),
  z.strictObject(window),
  z.strictObject({ kind: z.literal("dedup"), keys, withinUs: count.nullable() }),
  z.strictObject({
    kind: z.literal("top"),
    rows: count.min(1),
    by: name,
    order: z.enum(["asc", "desc"]),
    per: keys,
    /** Rows equal to the last of them are kept too; absent where they are not. */
    ties: z.literal(true).optional(),
  }),
]);

/** What a task of stream operators does, in normal form: its steps, one after the other. */
export const streamOperator = z.strictObject({
  kind: z.literal("stream"),
  /** Event time of each input, in the inputs' order; null where nothing needs one. */
  times: z
    .array(z.strictObject({ column: name, outOfOrderUs: count, punctuated: name.optional() }).nullable())
    .min(1)
    .max(16),
  steps: z.array(step).min(1).max(16),
});

/** See {@link streamOperator}. */
export type StreamForm = z.infer<typeof streamOperator>;
/** One step of it. */
export type StreamStep = StreamForm["steps"][number];

/** Bounded without recursion: it may come from a stranger. */
function isExpression(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let seen = 0; open.length > 0; seen++) {
    const node = open.pop();
    if (seen >= EXPRESSION_NODES_MAX || typeof node !== "object" || node === null) return false;
    const { op, args, option, ...rest } = node as Readonly<Record<string, unknown>>;
    if (op === "column" || op === "value") {
      if (args !== undefined || option !== undefined || !isLeaf(op, rest)) return false;
    } else {
      const isKnown = typeof op === "string" && OPERATIONS.has(op) && Object.keys(rest).length === 0;
      const fits = option === undefined || typeof option === "string" || Number.isSafeInteger(option);
      if (!isKnown || !fits || !Array.isArray(args) || args.length === 0 || args.length > EXPRESSION_NODES_MAX)
        return false;
      open.push(...(args as unknown[]));
    }
  }
  return true;
}

function isLeaf(op: string, { name: column, value, type, ...rest }: Readonly<Record<string, unknown>>): boolean {
  if (Object.keys(rest).length > 0) return false;
  if (op === "column") return typeof column === "string" && value === undefined && type === undefined;
  if (column !== undefined || (type !== undefined && type !== "timestamp")) return false;
  return value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
}
