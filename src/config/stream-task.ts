import { z } from "zod";
import type { StreamStep } from "../consensus/stream-form.ts";
import { parseExpression } from "../streams/expressions/parse.ts";
import { EXPRESSION_CHARS_MAX } from "../streams/expressions/tokens.ts";
import { readAggregate, readRunning } from "./aggregate.ts";
import { KEY_COLUMNS_MAX, WINDOW_ROWS_MAX } from "./limits.ts";
import { column, duration, longer, readBy } from "./schema-values.ts";
import { isPlain, microseconds, shapeOf, type WrittenWindow } from "./window-schema.ts";

const expression = readBy((text) => parseExpression(text)).max(EXPRESSION_CHARS_MAX);
const keyColumns = z.array(column).min(1).max(KEY_COLUMNS_MAX);

const isNamed = (columns: object): boolean => Object.keys(columns).length > 0;
const made = z.record(column, expression).refine(isNamed, "must name at least one column");
const top = z.strictObject({
  rows: z.int().min(1).max(WINDOW_ROWS_MAX).describe("How many rows of a group are kept."),
  by: column.describe("Column of numbers or timestamps that decides."),
  order: z.enum(["desc", "asc"]).default("desc").describe("The greatest (desc) or the least (asc) first."),
  per: z
    .array(column)
    .max(KEY_COLUMNS_MAX)
    .default([])
    .describe(
      "Columns of a group, whose rows must follow each other: [start, end] for the best of each window. One group when left out.",
    ),
  ties: z
    .boolean()
    .default(false)
    .describe("Keeps the rows that are equal to the last of them as well, so that a group may have more."),
});

/** Keys of a task of stream operators. */
export const streamTaskKeys = {
  filter: expression
    .optional()
    .describe("Keeps the rows for which an expression over their columns is true: delay > 15 and origin = 'ATL'."),
  rename: z
    .record(column, column)
    .refine(isNamed, "must name at least one column")
    .optional()
    .describe("Gives columns other names, as name: new name; every other key knows them by the new ones."),
  withColumns: made
    .optional()
    .describe("Adds computed columns to those that are there, as name: expression, in the place of one of that name."),
  select: made.optional().describe("The columns of the rows that come out, as name: expression, in this order."),
  project: made.optional().describe("Another name of select."),
  scan: z
    .strictObject({
      key: keyColumns
        .optional()
        .describe("Columns of which equal values have one running value; the whole stream has one when left out."),
      running: z
        .record(column, readBy(readRunning))
        .refine(isNamed, "must name at least one column")
        .describe(
          "Columns to add, as name: count(), count(column), sum(column), min(column), max(column) or mean(column), over numbers.",
        ),
      ttl: longer
        .optional()
        .describe("Time-to-live in event time: a key begins anew so long after its latest row; never when left out."),
    })
    .optional()
    .describe("Adds to each row what the rows of its key so far come to, its own included."),
  dedup: z
    .strictObject({
      key: keyColumns
        .optional()
        .describe("Columns of which equal values are the same; the whole stream is one when left out."),
      within: longer
        .optional()
        .describe(
          "Keeps another row when its event time is so much later than that of the row kept last; only the first when left out.",
        ),
    })
    .optional()
    .describe("Keeps the first row of each key."),
  top: top.optional().describe("Keeps the best rows of each group, of equal ones those that came first."),
  topN: top.optional().describe("Another name of top."),
  join: z
    .strictObject({
      on: z
        .union([keyColumns, z.record(column, column)])
        .describe(
          "Key columns: their names on both sides, or a mapping of those of the left input to those of the right.",
        ),
      keep: z
        .enum(["inner", "left", "right", "full"])
        .default("inner")
        .describe("Which rows without a partner come out besides the pairs."),
      before: duration
        .optional()
        .describe("Pairs rows close in time: how much earlier than the left row the right may be."),
      after: duration
        .optional()
        .describe("Pairs rows close in time: how much later than the left row the right may be."),
      window: z
        .strictObject({
          tumble: longer.optional().describe("Length of windows that follow each other."),
          hop: longer.optional().describe("Length of windows that overlap."),
          every: longer.optional().describe("With hop: how far the windows are apart."),
          offset: duration.optional().describe("Shift of the windows against 1970-01-01T00:00:00Z."),
        })
        .optional()
        .describe("Pairs the rows of the same window, when it closes."),
      temporal: z
        .literal(true)
        .optional()
        .describe("Pairs each left row with the newest right row of its key that is not later."),
      ttl: longer
        .optional()
        .describe("Without before, after, window and temporal: how far apart in event time rows of a key may be."),
    })
    .optional()
    .describe("Pairs the rows of two inputs; the first of input is the left."),
};

/** What {@link streamTaskKeys} and the keys beside them yield. */
export interface WrittenStream extends z.output<z.ZodObject<typeof streamTaskKeys>> {
  readonly input: string | readonly string[];
  readonly window?: WrittenWindow | undefined;
  readonly time?: object | undefined;
  readonly key?: readonly string[] | undefined;
  readonly aggregate?: Readonly<Record<string, string>> | undefined;
}

/** Aggregates that windows always had. */
const PLAIN_AGGREGATES: readonly string[] = ["count", "sum", "min", "max", "mean"];

/** Keys of stream operators beside window, in the order in which they are done. */
export const STREAM_KEYS = [
  "join",
  "rename",
  "withColumns",
  "filter",
  "select",
  "project",
  "scan",
  "dedup",
  "top",
  "topN",
] as const;

/** True for a task that is a plain tumbling window, or none of stream operators at all. */
export function isStreamTask({ input, window, time, aggregate = {}, ...task }: WrittenStream): boolean {
  const own =
    STREAM_KEYS.map((key) => task[key]).find((value) => value !== undefined) ??
    (typeof input === "string" ? undefined : input);
  if (own !== undefined || window === undefined) return own !== undefined;
  if (time !== undefined) return true;
  return (
    !isPlain(window) || Object.values(aggregate).some((text) => !PLAIN_AGGREGATES.includes(readAggregate(text).kind))
  );
}

/** The steps of a task in the order in which they are done, in normal form. */
export function streamSteps(task: WrittenStream): StreamStep[] {
  const { rename, withColumns, filter, scan, dedup, join, window } = task;
  const { select = task.project, top = task.topN } = task;
  const steps: StreamStep[] = [];
  if (join !== undefined) steps.push(joinStep(join));
  else if (typeof task.input !== "string") steps.push({ kind: "union" });
  if (rename !== undefined)
    steps.push({ kind: "rename", columns: Object.entries(rename).map(([from, to]) => ({ from, to })) });
  if (withColumns !== undefined) steps.push({ kind: "withColumns", columns: madeColumns(withColumns) });
  if (filter !== undefined) steps.push({ kind: "filter", condition: parseExpression(filter) as never });
  if (select !== undefined) steps.push({ kind: "select", columns: madeColumns(select) });
  if (scan !== undefined) {
    const running = Object.entries(scan.running).map(([name, text]) => {
      const { kind, column: of = null } = readRunning(text);
      return { name, kind, column: of };
    });
    const ttlUs = microseconds(scan.ttl, null);
    steps.push({ kind: "scan", keys: [...(scan.key ?? [])], running, ...(ttlUs !== null && { ttlUs }) });
  }
  if (window !== undefined) steps.push(windowStep(task, window));
  if (dedup !== undefined)
    steps.push({ kind: "dedup", keys: [...(dedup.key ?? [])], withinUs: microseconds(dedup.within, null) });
  if (top !== undefined) {
    const { ties, ...rest } = top;
    steps.push({ kind: "top", ...rest, ...(ties && { ties }) });
  }
  return steps;
}

function madeColumns(columns: Readonly<Record<string, string>>): { name: string; expression: never }[] {
  return Object.entries(columns).map(([name, text]) => ({ name, expression: parseExpression(text) as never }));
}

function windowStep({ key = [], aggregate = {} }: WrittenStream, window: WrittenWindow): StreamStep {
  const { tumble, hop, cumulate, session, every, step, count, offset, lateness, emit = "final", trigger } = window;
  const apart = every ?? step;
  return {
    kind: "window",
    shape: shapeOf(window),
    sizeUs: microseconds(tumble ?? hop ?? cumulate ?? session, 1),
    ...(apart === undefined ? {} : { stepUs: microseconds(apart, 0) }),
    ...(count === undefined ? {} : { rows: count }),
    offsetUs: microseconds(offset, 0),
    latenessUs: microseconds(lateness, 0),
    emit,
    ...(trigger === undefined
      ? {}
      : {
          trigger: {
            ...(trigger.rows === undefined ? {} : { rows: trigger.rows }),
            ...(trigger.time === undefined ? {} : { timeUs: microseconds(trigger.time, 0) }),
          },
        }),
    keys: [...key],
    aggregates: Object.entries(aggregate).map(([name, text]) => {
      const { kind, column: of = null, option } = readAggregate(text);
      return { name, kind, column: of, ...(option === undefined ? {} : { option }) };
    }),
  };
}

function joinStep(join: NonNullable<WrittenStream["join"]>): StreamStep {
  const { on, keep, before, after, window, temporal, ttl } = join;
  const pairs = Array.isArray(on) ? on.map((name) => [name, name] as const) : Object.entries(on);
  const keys = { left: pairs.map(([left]) => left), right: pairs.map(([, right]) => right) };
  const of = (by: Extract<StreamStep, { kind: "join" }>["by"]): StreamStep => ({ kind: "join", keep, keys, by });
  if (window !== undefined) {
    const { tumble, hop, every, offset } = window;
    const sizeUs = microseconds(tumble ?? hop, 1);
    return of({ kind: "window", sizeUs, stepUs: microseconds(every, sizeUs), offsetUs: microseconds(offset, 0) });
  }
  if (temporal === true) return of({ kind: "temporal" });
  if (before !== undefined || after !== undefined)
    return of({ kind: "interval", beforeUs: microseconds(before, 0), afterUs: microseconds(after, 0) });
  return of({ kind: "regular", ttlUs: microseconds(ttl, null) });
}
