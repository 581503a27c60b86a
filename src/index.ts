/**
 * The programmatic face of the runtime. What the command line does, a program does with three functions: {@link runConfig},
 * {@link verifyReceiptFile}, {@link replayReceiptFile}; and it reads files as streams of batches with {@link openStream} and the
 * operators, without any receipt. Every failure is an {@link IpdmError} with a stable `code` (docs/reference/errors.md).
 * Durable actors are opened with {@link createRuntime}.
 * Narrower faces: `ipdm-runtime/actors`, `/streams`, `/replay`, `/proofs`, `/machines`, `/sandbox`, `/testing`.
 */
export type { Check, CheckName, Fault } from "../proofs/receipt/verdict.ts";
export type { Expectations, Verdict } from "../proofs/receipt/verify.ts";
export type { Mismatch, ReplayReport } from "./audit/replay.ts";
export type { FileReplay, ReplayFileOptions } from "./audit/replay-file.ts";
export { replayReceiptFile } from "./audit/replay-file.ts";
export type { FileVerdict, VerifyFileOptions } from "./audit/verify-file.ts";
export { verifyReceiptFile } from "./audit/verify-file.ts";
export { Batch, decodeBatch } from "./batch/batch.ts";
export type { Column, Value } from "./batch/column.ts";
export { valueAt } from "./batch/column.ts";
export { rowValues } from "./batch/rows.ts";
export type { ColumnType, Field, Schema } from "./batch/schema.ts";
export { schemaOf } from "./batch/schema.ts";
export { BatchWriter } from "./batch/writer.ts";
export type { ErrorDetails, ErrorKind, Retry } from "./core/errors.ts";
export { EXIT_CODES, hasCode, IpdmError } from "./core/errors.ts";
export type { OpenStreamOptions } from "./run/open-stream.ts";
export { openStream } from "./run/open-stream.ts";
export type { RunNotice, RunOptions, RunProgress, RunSummary } from "./run/options.ts";
export { runConfig } from "./run/run.ts";
export type { DurableActor, DurableMachine, DurableOptions, Runtime, RuntimeOptions } from "./runtime/index.ts";
export { createRuntime, durable } from "./runtime/index.ts";
export type { Sink, SinkSpec } from "./sinks/port.ts";
export { openSink } from "./sinks/port.ts";
export type { Source, SourceFormat, SourceSpec } from "./sources/port.ts";
export { openSource } from "./sources/port.ts";
export { fromArrow, toArrow } from "./streams/arrow/arrow-stream.ts";
export type {
  AggregateOptions,
  AggregateSpec,
  Control,
  DrainOptions,
  End,
  Flow,
  Header,
  MapBatchOptions,
  MappedBatch,
  Row,
  SourceOptions,
  TumbleOptions,
  Watermark,
} from "./streams/index.ts";
export {
  aggregate,
  count,
  drain,
  eventTime,
  filterRows,
  isBatch,
  keyBy,
  mapBatch,
  max,
  mean,
  min,
  select,
  source,
  sum,
  toRows,
  tumble,
} from "./streams/index.ts";
