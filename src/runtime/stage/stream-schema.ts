import type { Field, Schema } from "../../batch/schema.ts";
import { sameSchema, schemaOf } from "../../batch/schema.ts";
import type { StreamForm, StreamStep } from "../../consensus/stream-form.ts";
import { IpdmError } from "../../core/errors.ts";
import { compile, compileCondition } from "../../streams/expressions/compile.ts";
import type { Compiled } from "../../streams/expressions/compiled.ts";
import { computedField } from "../../streams/expressions/computed.ts";
import type { Node } from "../../streams/expressions/node.ts";
import { joinPlan } from "../../streams/join/join-plan.ts";
import { scanSchema } from "../../streams/keyed/running-totals.ts";
import type { AggregateSpec } from "../../streams/operators/specs.ts";
import { outputSchema, timeField, type WindowPlan, windowTimes } from "../../streams/window/plan.ts";
import { LATE, LATE_RIGHT, MAIN, type TaskPlan } from "../plan.ts";

/** One input of a stream task: how it is called, and its columns. */
export interface StreamInput {
  readonly name: string;
  readonly schema: Schema;
}

/** The inputs of a task, the first first. */
export function streamInputs({
  input,
  inputSchema,
  beside = [],
}: Pick<TaskPlan, "input" | "inputSchema" | "beside">): readonly StreamInput[] {
  return [
    { name: input.name, schema: inputSchema },
    ...beside.map((each) => ({ name: each.input.name, schema: each.schema })),
  ].map(({ name, schema }) => ({ name: name.replace(/^copy:/, ""), schema }));
}

/** A step as the configuration knows it, for errors: its key, and the name below it. */
export type StepPlace = (step: number, part?: string | number) => void;

/**
 * Columns of every output port of a stream task, from those of its inputs; `visit` is told which step is looked at. Throws, all of kind
 * `config`: `COLUMN_MISSING`, `EXPRESSION_TYPE`, `TIME_COLUMN_TYPE`, `TIME_MISSING`, `KEY_TYPE`, `AGGREGATE_TYPE`, `WINDOW_INVALID`, `JOIN_KEYS`,
 * `SCHEMA_MISMATCH`, `SCHEMA_INVALID`, `STREAM_STEP`.
 */
export function streamPorts(
  form: StreamForm,
  inputs: readonly StreamInput[],
  visit: StepPlace = () => {},
): Readonly<Record<string, Schema>> {
  const [first] = inputs;
  if (first === undefined || form.times.length !== inputs.length)
    throw misfit(`${form.times.length} event times for ${inputs.length} inputs`);
  const isJoined = form.steps[0]?.kind === "join" || form.steps[0]?.kind === "union";
  if (inputs.length > 1 && !isJoined) throw misfit("several inputs that no step brings together");
  form.times.forEach((time, i) => {
    if (time !== null) timeField((inputs[i] as StreamInput).schema, time.column);
  });
  let schema = first.schema;
  let late: Readonly<Record<string, Schema>> = {};
  for (const [i, step] of form.steps.entries()) {
    visit(i);
    if (i > 0 && (step.kind === "join" || step.kind === "union")) throw misfit(`${step.kind} as step ${i}`);
    if (step.kind === "join")
      late = { [LATE]: schema, [LATE_RIGHT]: (inputs[1] as StreamInput | undefined)?.schema ?? schema };
    if (step.kind === "window") late = { ...late, [LATE]: schema };
    schema = stepSchema(form, step, schema, inputs, (part) => visit(i, part));
  }
  return { [MAIN]: schema, ...late };
}

function stepSchema(
  form: StreamForm,
  step: StreamStep,
  schema: Schema,
  inputs: readonly StreamInput[],
  visit: (part: string | number) => void,
): Schema {
  switch (step.kind) {
    case "union":
      return unionSchema(form, inputs);
    case "join":
      return joinSchema(form, step, inputs);
    case "filter":
      compileCondition(nodeOf(step.condition), schema);
      return schema;
    case "select":
      return schemaOf(
        step.columns.map(({ name, expression }): Field => {
          visit(name);
          return computedField(name, checked(name, compile(nodeOf(expression), schema)));
        }),
      );
    case "window":
      return outputSchema(streamWindow(form, step), schema);
    case "scan":
      for (const key of step.keys) compile({ op: "column", name: key }, schema);
      if (step.ttlUs !== undefined) timeField(schema, timeColumn(form, "scan with a ttl"));
      return scanSchema(schema, step.keys, runningOf(step));
    case "dedup":
      for (const key of step.keys) compile({ op: "column", name: key }, schema);
      if (step.withinUs !== null) timeField(schema, timeColumn(form, "dedup with a time"));
      return schema;
    case "top":
      for (const name of [step.by, ...step.per]) compile({ op: "column", name }, schema);
      return schema;
  }
}

/** What a scan adds, as the stream operators take it. */
export function runningOf({ running }: Extract<StreamStep, { kind: "scan" }>): Readonly<Record<string, AggregateSpec>> {
  return Object.fromEntries(
    running.map(({ name, kind, column }) => [name, { kind, ...(column === null ? {} : { column }) }]),
  );
}

/** A window step as the stream operators take it. Throws `TIME_MISSING`. */
export function streamWindow(form: StreamForm, step: Extract<StreamStep, { kind: "window" }>): WindowPlan {
  const { kind: _kind, trigger, aggregates, stepUs, rows, ...plan } = step;
  const column = timeColumn(form, "a window");
  const [time] = form.times;
  return {
    ...plan,
    ...(stepUs === undefined ? {} : { stepUs }),
    ...(rows === undefined ? {} : { rows }),
    time: column,
    outOfOrderUs: form.times.reduce((most, each) => Math.max(most, each?.outOfOrderUs ?? 0), time?.outOfOrderUs ?? 0),
    ...(trigger === undefined
      ? {}
      : {
          trigger: {
            ...(trigger.rows === undefined ? {} : { rows: trigger.rows }),
            ...(trigger.timeUs === undefined ? {} : { timeUs: trigger.timeUs }),
          },
        }),
    aggregates: aggregates.map(({ name, kind: what, column: of, option }) => ({
      name,
      kind: what,
      ...(of === null ? {} : { column: of }),
      ...(option === undefined ? {} : { option }),
    })),
  };
}

/** An expression's node: its operations are of the known ones, what they do with their operands is checked when it is tied to columns. */
export function nodeOf(form: Extract<StreamStep, { kind: "filter" }>["condition"]): Node {
  return form as Node;
}

/** A column has to have a type: null alone has none. */
function checked(name: string, compiled: Compiled): Compiled {
  if (compiled.kind !== "null") return compiled;
  throw new IpdmError("EXPRESSION_TYPE", `${name} is null in every row: it has no type`, {
    kind: "config",
    hint: "leave the column out",
  });
}

function timeColumn({ times, steps }: StreamForm, who: string): string {
  const [time] = times;
  const join = steps[0]?.kind === "join";
  if (time !== null && time !== undefined && !join) return time.column;
  throw new IpdmError("TIME_MISSING", join ? `${who} in the task of a join` : `${who} needs an event time`, {
    kind: "config",
    hint: join
      ? "put it into a task that reads the join, which declares time: { column: …, outOfOrder: … }"
      : "declare time: { column: …, outOfOrder: 0s } at the source, or at a task before this one",
  });
}

function unionSchema(form: StreamForm, inputs: readonly StreamInput[]): Schema {
  const [first, ...others] = inputs as readonly [StreamInput, ...StreamInput[]];
  if (form.times.includes(null))
    throw untimed("every input of a union needs an event time: their rows are brought into its order");
  for (const [i, other] of others.entries()) {
    if (!sameSchema(first.schema, other.schema))
      throw mismatch(
        `${other.name} has other columns than ${first.name}`,
        "select the same columns from both, in the same order and of the same types",
      );
    if (form.times[0]?.column !== form.times[i + 1]?.column)
      throw mismatch(
        `the event times of ${first.name} and ${other.name} are in columns of different names`,
        "select the column under one name",
      );
  }
  return first.schema;
}

function joinSchema(
  form: StreamForm,
  step: Extract<StreamStep, { kind: "join" }>,
  inputs: readonly StreamInput[],
): Schema {
  const [left, right] = inputs;
  if (left === undefined || right === undefined || inputs.length > 2) throw misfit(`a join of ${inputs.length} inputs`);
  const [leftTime, rightTime] = form.times;
  if (leftTime === null || leftTime === undefined || rightTime === null || rightTime === undefined)
    throw untimed("both inputs of a join need an event time");
  if (step.by.kind === "temporal" && step.keep !== "inner" && step.keep !== "left")
    throw misfit(`a temporal join that keeps ${step.keep}`);
  if (step.by.kind === "window") {
    const { sizeUs, stepUs, offsetUs } = step.by;
    const shape = stepUs === sizeUs ? "tumble" : "hop";
    windowTimes({
      shape,
      sizeUs,
      stepUs,
      offsetUs,
      time: "",
      outOfOrderUs: 0,
      latenessUs: 0,
      keys: [],
      aggregates: [],
    });
  }
  return joinPlan(
    step.keep,
    { name: left.name, schema: left.schema, time: leftTime.column, keys: step.keys.left },
    { name: right.name.replace(/^copy:/, ""), schema: right.schema, time: rightTime.column, keys: step.keys.right },
  ).schema;
}

function untimed(what: string): IpdmError {
  return new IpdmError("TIME_MISSING", what, {
    kind: "config",
    hint: "declare time: { column: …, outOfOrder: 0s } at the sources, or at tasks before this one",
  });
}

function mismatch(what: string, hint: string): IpdmError {
  return new IpdmError("SCHEMA_MISMATCH", what, { kind: "config", hint });
}

function misfit(what: string): IpdmError {
  return new IpdmError("STREAM_STEP", `a task cannot have ${what}`, {
    kind: "config",
    hint: "use the version that made it, or a newer one",
  });
}
