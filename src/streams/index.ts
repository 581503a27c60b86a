export type { ObservableOptions, RowSourceOptions } from "./adapters.ts";
export { fromObservable, rowSource, toBatches, toWebStream } from "./adapters.ts";
export { fromArrow, toArrow } from "./arrow/arrow-stream.ts";
export type { Barrier } from "./barrier.ts";
export type { CheckpointerOptions, SavepointStore } from "./checkpointer.ts";
export { Checkpointer } from "./checkpointer.ts";
export type {
  BoolSpec,
  ColumnSpec,
  Columns,
  KeySpec,
  NumberSpec,
  Row,
  TextSpec,
  TimeSpec,
  TypedSchema,
  ValueOf,
} from "./columns.ts";
export { columns } from "./columns.ts";
export type { Credits } from "./credits.ts";
export { CreditPool } from "./credits.ts";
export type { Diagnostic } from "./diagnostics.ts";
export { diagnostics } from "./diagnostics.ts";
export type { DrainOptions } from "./drain.ts";
export { drain } from "./drain.ts";
export type { Explanation } from "./explain.ts";
export { allSteps, countersOf, explain, explained } from "./explain.ts";
export { col, Expression, instant, lit, when } from "./expressions/expression.ts";
export type { Node as ExpressionNode } from "./expressions/node.ts";
export type { Control, End, Flow, Header, Idle, Watermark } from "./flow.ts";
export { isBatch } from "./flow.ts";
export type { JoinOptions } from "./join/join-stage.ts";
export type { AggregateOptions, Windowed } from "./operators/aggregate.ts";
export { aggregate } from "./operators/aggregate.ts";
export type { EventTime, EventTimeOptions } from "./operators/event-time.ts";
export { eventTime, keyBy } from "./operators/event-time.ts";
export { filter, project, rename, select, withColumns } from "./operators/expressions.ts";
export type { Joined } from "./operators/joins.ts";
export { intervalJoin, join, temporalJoin, windowJoin } from "./operators/joins.ts";
export type { DedupOptions } from "./operators/keyed.ts";
export { dedup } from "./operators/keyed.ts";
export type { MapBatchOptions, MappedBatch } from "./operators/map-batch.ts";
export { mapBatch } from "./operators/map-batch.ts";
export type { RowOut } from "./operators/rows.ts";
export { filterRows, flatMap, map, toRows } from "./operators/rows.ts";
export type { ScanOptions } from "./operators/scan.ts";
export { scan } from "./operators/scan.ts";
export type { TriggerOptions, TumbleOptions, WindowShape } from "./operators/shapes.ts";
export { countWindow, cumulate, globalWindow, hop, session, tumble } from "./operators/shapes.ts";
export type { AggregateSpec, Custom } from "./operators/specs.ts";
export {
  approxDistinct,
  collect,
  count,
  custom,
  distinct,
  first,
  last,
  max,
  mean,
  min,
  quantile,
  sum,
  topK,
  variance,
} from "./operators/specs.ts";
export type { TopOptions } from "./operators/top-n.ts";
export { topN } from "./operators/top-n.ts";
export { union } from "./operators/union.ts";
export type { SavedPlaces, Savepoint } from "./savepoint.ts";
export { openSavepoint } from "./savepoint.ts";
export type { SourceItem, SourceOptions } from "./source.ts";
export { source } from "./source.ts";
export type { Counters, Step } from "./step.ts";
export type { Aggregate, AggregateKind, Emission, Trigger, WindowKind, WindowPlan } from "./window/plan.ts";
export { outputSchema } from "./window/plan.ts";
export type { SavedState, StateSource } from "./window/state-tree.ts";
export type { WindowOptions, WindowOutput, WindowPieces } from "./window/window-aggregate.ts";
export { WindowAggregate, WindowAggregate as TumblingAggregate } from "./window/window-aggregate.ts";
export type { WatchedRows, WatchedWindow, WindowRowsOptions } from "./window/window-rows.ts";
export { WindowRows } from "./window/window-rows.ts";
