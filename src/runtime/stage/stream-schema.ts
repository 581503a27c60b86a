import { fieldOf } from "../../batch/batch.ts";
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
import { areMarked } from "../../streams/operators/marked.ts";
import type { Counted } from "../../streams/operators/result-types.ts";
import type { AggregateSpec } from "../../streams/operators/specs.ts";
import { rankField } from "../../streams/operators/top-n.ts";
import { keyField, outputSchema, timeField, type WindowPlan, windowTimes } from "../../streams/window/plan.ts";
import { LATE, LATE_RIGHT, MAIN, type TaskPlan } from "../plan.ts";
import { misfit, mismatch, untimed } from "./stream-errors.ts";

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
export type StepPlace = (step: number, ...part: readonly (string | number)[]) => void;

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
    if (time === null) return;
    timeField((inputs[i] as StreamInput).schema, time.column);
    if (time.punctuated !== undefined) timeField((inputs[i] as StreamInput).schema, time.punctuated);
  });
  if (isJoined)
    areMarked(
      form.times.filter((time) => time !== null),
      form.steps[0]?.kind ?? "",
    );
  let schema = first.schema;
  let late: Readonly<Record<string, Schema>> = {};
  for (const [i, step] of form.steps.entries()) {
    visit(i);
    if (i > 0 && (step.kind === "join" || step.kind === "union")) throw misfit(`${step.kind} as step ${i}`);
    if (step.kind === "join")
      late = { [LATE]: schema, [LATE_RIGHT]: (inputs[1] as StreamInput | undefined)?.schema ?? schema };
    if (step.kind === "window") late = { ...late, [LATE]: schema };
    schema = stepSchema(form, step, schema, inputs, (...part) => visit(i, ...part));
  }
  return { [MAIN]: schema, ...late };
}

function stepSchema(
  form: StreamForm,
  step: StreamStep,
  schema: Schema,
  inputs: readonly StreamInput[],
  visit: (...part: readonly (string | number)[]) => void,
): Schema {
  switch (step.kind) {
    case "union":
      return unionSchema(form, inputs);
    case "join":
      return joinSchema(form, step, inputs);
    case "filter":
      compileCondition(nodeOf(step.condition), schema);
      return schema;
    case "rename": {
      const to = new Map(step.columns.map((each) => [each.from, each.to]));
      for (const { from } of step.columns) {
        visit(from);
        fieldOf(schema, from);
      }
      visit();
      return schemaOf(schema.fields.map((field) => ({ ...field, name: to.get(field.name) ?? field.name })));
    }
    case "withColumns": {
      const made = new Map(schema.fields.map((field) => [field.name, field]));
      for (const field of madeFields(step.columns, schema, visit)) made.set(field.name, field);
      return schemaOf([...made.values()]);
    }
    case "select":
      return schemaOf(madeFields(step.columns, schema, visit));
    case "window": {
      const plan = streamWindow(form, step);
      const bare = { ...plan, keys: [], aggregates: [] };
      outputSchema(bare, schema);
      for (const [i, name] of plan.keys.entries()) {
        visit("key", i);
        outputSchema({ ...bare, keys: [name] }, schema);
      }
      for (const each of plan.aggregates) {
        visit("aggregate", each.name);
        outputSchema({ ...bare, aggregates: [each] }, schema);
      }
      visit();
      return outputSchema(plan, schema);
    }
    case "scan":
      checkKeys(step.keys, schema, visit);
      if (step.ttlUs !== undefined) timeField(schema, timeColumn(form, "scan with a ttl"));
      for (const [name, spec] of Object.entries(runningOf(step))) {
        visit("running", name);
        scanSchema(schema, step.keys, { [name]: spec });
      }
      visit();
      return scanSchema(schema, step.keys, runningOf(step));
    case "dedup":
      checkKeys(step.keys, schema, visit);
      if (step.withinUs !== null) timeField(schema, timeColumn(form, "dedup with a time"));
      return schema;
    case "top":
      visit("by");
      rankField(schema, step.by);
      for (const [i, name] of step.per.entries()) {
        visit("per", i);
        compile({ op: "column", name }, schema);
      }
      return schema;
  }
}

function madeFields(
  columns: Extract<StreamStep, { kind: "select" }>["columns"],
  schema: Schema,
  visit: (...part: readonly (string | number)[]) => void,
): Field[] {
  return columns.map(({ name, expression }): Field => {
    visit(name);
    return computedField(name, checked(name, compile(nodeOf(expression), schema)));
  });
}

function checkKeys(
  keys: readonly string[],
  schema: Schema,
  visit: (...part: readonly (string | number)[]) => void,
): void {
  for (const [i, name] of keys.entries()) {
    visit("key", i);
    keyField(fieldOf(schema, name));
  }
  visit();
}

/** What a scan adds, as the stream operators take it. */
export function runningOf({
  running,
}: Extract<StreamStep, { kind: "scan" }>): Readonly<Record<string, AggregateSpec<string, Counted>>> {
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
    ...(time?.punctuated === undefined ? {} : { punctuated: form.steps[0]?.kind === "union" ? true : time.punctuated }),
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
