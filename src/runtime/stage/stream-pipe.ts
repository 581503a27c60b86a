import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { StreamForm, StreamStep } from "../../consensus/stream-form.ts";
import type { ColumnSpec, Untyped } from "../../streams/columns.ts";
import { Expression } from "../../streams/expressions/expression.ts";
import type { Flow } from "../../streams/flow.ts";
import { aggregate } from "../../streams/operators/aggregate.ts";
import { described, type EventTime, keyBy } from "../../streams/operators/event-time.ts";
import { filter, project, rename, withColumns } from "../../streams/operators/expressions.ts";
import { intervalJoin, join, temporalJoin, windowJoin } from "../../streams/operators/joins.ts";
import { dedup } from "../../streams/operators/keyed.ts";
import { scan } from "../../streams/operators/scan.ts";
import { windowAs } from "../../streams/operators/shapes.ts";
import { topN } from "../../streams/operators/top-n.ts";
import { union } from "../../streams/operators/union.ts";
import { nodeOf, runningOf, streamWindow } from "./stream-schema.ts";

type Made = Expression<Untyped, ColumnSpec, string>;

/** The inputs by name, in their order. */
export type StreamInputs = Readonly<Record<string, Observable<Flow>>>;

/** Late rows: `side` is 1 for those of the right input of a join. */
export type OnLate = (batch: Batch, side: 0 | 1) => void;

/** The operators of a stream task behind its inputs, as one stream. Its form has passed `streamPorts`. */
export function streamPipe(form: StreamForm, inputs: StreamInputs, onLate: OnLate): Observable<Flow> {
  const names = Object.keys(inputs);
  const inOrder = Object.fromEntries(
    names.map((name, i) => {
      const time = form.times[i] ?? null;
      const input = inputs[name] as Observable<Flow>;
      return [name, time === null ? input : input.pipe(timed(time))];
    }),
  );
  const [first] = Object.values(inOrder) as [Observable<Flow>];
  return form.steps.reduce((stream, step) => stepped(form, step, stream, inOrder, onLate), first);
}

function madeOf(columns: Extract<StreamStep, { kind: "select" }>["columns"]): Readonly<Record<string, Made>> {
  return Object.fromEntries(columns.map(({ name, expression }) => [name, new Expression(nodeOf(expression))]));
}

/** Says the event time, in the words of a plan. */
function timed(time: EventTime): (input: Observable<Flow>) => Observable<Flow> {
  return described("eventTime", time.column, (header) => ({ ...header, time }));
}

function stepped(
  form: StreamForm,
  step: StreamStep,
  stream: Observable<Flow>,
  inputs: StreamInputs,
  onLate: OnLate,
): Observable<Flow> {
  switch (step.kind) {
    case "union":
      return union(inputs);
    case "join":
      return joined(step, inputs, onLate);
    case "filter":
      return stream.pipe(filter(new Expression(nodeOf(step.condition))));
    case "rename":
      return stream.pipe(rename(Object.fromEntries(step.columns.map(({ from, to }) => [from, to]))));
    case "withColumns":
      return stream.pipe(withColumns(madeOf(step.columns)));
    case "select":
      return stream.pipe(project(madeOf(step.columns)));
    case "window": {
      const { aggregates, keys, time: column, outOfOrderUs, punctuated, ...shape } = streamWindow(form, step);
      const marks = punctuated === undefined ? {} : { punctuated };
      return stream.pipe(
        timed({ column, outOfOrderUs: Number(outOfOrderUs), ...marks }),
        keyBy(...keys),
        windowAs({ ...shape, late: { next: (batch) => onLate(batch, 0) } }),
        aggregate(Object.fromEntries(aggregates.map(({ name, ...spec }) => [name, spec]))),
      ) as unknown as Observable<Flow>; // its columns are known by name only
    }
    case "scan":
      return stream.pipe(
        keyBy(...step.keys),
        scan(runningOf(step), step.ttlUs === undefined ? {} : { ttl: `${step.ttlUs}us` }),
      );
    case "dedup":
      return stream.pipe(keyBy(...step.keys), dedup(step.withinUs === null ? {} : { within: `${step.withinUs}us` }));
    case "top":
      return stream.pipe(topN(step.rows, { by: step.by, order: step.order, per: step.per, ties: step.ties === true }));
  }
}

function joined(step: Extract<StreamStep, { kind: "join" }>, inputs: StreamInputs, onLate: OnLate): Observable<Flow> {
  const [leftName, rightName] = Object.keys(inputs) as [string, string];
  const left = (inputs[leftName] as Observable<Flow>).pipe(keyBy(...step.keys.left));
  const right = (inputs[rightName] as Observable<Flow>).pipe(keyBy(...step.keys.right));
  const { by, keep } = step;
  const late = { next: (batch: Batch) => onLate(batch, 0) };
  const lateRight = { next: (batch: Batch) => onLate(batch, 1) };
  const options = { kind: keep, late, lateRight };
  switch (by.kind) {
    case "interval":
      return intervalJoin(
        { [leftName]: left, [rightName]: right },
        { ...options, before: `${by.beforeUs}us`, after: `${by.afterUs}us` },
      );
    case "temporal":
      return temporalJoin(
        { [leftName]: left, [rightName]: right },
        { ...options, kind: keep === "left" ? "left" : "inner" },
      );
    case "regular":
      return join(
        { [leftName]: left, [rightName]: right },
        { ...options, ...(by.ttlUs === null ? {} : { ttl: `${by.ttlUs}us` }) },
      );
    case "window": {
      const shape = {
        shape: by.stepUs === by.sizeUs ? ("tumble" as const) : ("hop" as const),
        sizeUs: by.sizeUs,
        stepUs: by.stepUs,
        offsetUs: by.offsetUs,
        latenessUs: 0,
      };
      const windows = windowAs(shape);
      return windowJoin({ [leftName]: left.pipe(windows), [rightName]: right }, options);
    }
  }
}
