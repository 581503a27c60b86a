import { z } from "zod";
import { TEXT_FORMATS } from "../batch/text/spelling.ts";
import { type ChainAnchor, chainAnchorSchema } from "./chain-anchor.ts";
import { bytes32, count, link, name, parseNode } from "./ipld-schema.ts";
import { streamOperator } from "./stream-form.ts";

/** Columns with their types in their order (a map would lose it), or null where nobody declares them. */
const declaredColumns = z
  .array(z.strictObject({ name, type: name }))
  .max(256)
  .nullable();

const fileAnchor = z.strictObject({
  v: z.literal(1),
  kind: z.literal("file"),
  format: z.enum(["parquet", "ndjson", "csv"]),
  /** SHA-256 of the file's bytes as given. */
  sha256: bytes32,
  bytes: count,
  columns: declaredColumns,
});

const generatedAnchor = z.strictObject({
  v: z.literal(1),
  kind: z.literal("generated"),
  /** Name and number of the generator: `nexmark/1`. */
  generator: name,
  table: name,
  /** Events whose rows of the table there are, and how many there are in a second of event time. */
  events: count,
  rate: count,
});

/** The content of an input: what a stranger needs to be sure that he holds the same one. Names and paths are no part of it. */
const anchorSchema = z.discriminatedUnion("kind", [fileAnchor, generatedAnchor, chainAnchorSchema]);

/** The content of a file. */
export type FileAnchor = z.infer<typeof fileAnchor>;

/** All that the rows of a generated input follow from: whoever has the generator can make them again. */
export type GeneratedAnchor = z.infer<typeof generatedAnchor>;

/** See {@link anchorSchema}. */
export type Anchor = z.infer<typeof anchorSchema>;

/** Reads an input anchor. Throws `NODE_MALFORMED`. */
export function parseAnchor(value: unknown): Anchor {
  return parseNode(anchorSchema, "input anchor", value);
}

/** True for the anchor of blocks of a chain. */
export function isChainAnchor(anchor: Anchor): anchor is ChainAnchor {
  return anchor.kind !== "file" && anchor.kind !== "generated";
}

const inputRef = z.strictObject({ from: z.enum(["source", "task"]), name, port: name });
/** Which output of which task, or which source, a task reads. */
export type InputRef = z.infer<typeof inputRef>;

/** What a module task does, in normal form. A module's entry in a catalogue declares the same keys but `time`. */
export const moduleOperator = z.strictObject({
  kind: z.literal("module"),
  /** CID of the module's original bytes. */
  module: link,
  abi: name,
  /**
   * Rows of the units that a `batch` or `stateful` module is called on, counted from the first row of its input; null for one of
   * kind `rows`.
   */
  unit: count.nullable(),
  /** It keeps memory and globals from one unit to the next. */
  stateful: z.boolean(),
  /**
   * Column of the input that gives each call on a unit its event time: the latest of its rows. Only for a module that may ask for the
   * time and is called on units, where the task's input declares one. It is the task's, so no catalogue's entry has it.
   */
  time: name.optional(),
  /** Columns of the output, where the module's ABI cannot say them. */
  columns: declaredColumns,
  /** The exported function that is called, where the configuration names one. */
  entry: name.optional(),
  /** Texts that the module can ask for by key, in the order of the keys; absent where there are none. */
  settings: z
    .array(z.strictObject({ name, value: z.string().max(4096) }))
    .min(1)
    .max(64)
    .optional(),
  /** Form of the text on standard input, for a program of `wasi/1` and for no other. */
  stdin: z.enum(TEXT_FORMATS).optional(),
  /** What it may use up: beyond it there is no result. */
  limits: z.strictObject({
    fuelPerCall: count,
    fuelPerRow: count,
    memoryBytesMax: count,
    stackValuesMax: count,
    outputBytesMax: count,
  }),
  capabilities: z.array(name).max(16),
  /** What of WebAssembly it may use beyond what every module may; absent where there is nothing. */
  features: z.array(name).min(1).max(16).optional(),
});

const windowOperator = z.strictObject({
  kind: z.literal("window"),
  time: name,
  outOfOrderUs: count,
  /** Column whose values are the watermark; absent where event times move it. */
  punctuated: name.optional(),
  sizeUs: count,
  offsetUs: z.number().int(),
  latenessUs: count,
  keys: z.array(name).max(64),
  aggregates: z
    .array(z.strictObject({ name, kind: z.enum(["count", "sum", "min", "max", "mean"]), column: name.nullable() }))
    .max(256),
});

const operatorSchema = z.discriminatedUnion("kind", [
  moduleOperator,
  windowOperator,
  streamOperator,
  z.strictObject({ kind: z.literal("copy") }),
]);
/** What a task does to its input, in normal form. */
export type Operator = z.infer<typeof operatorSchema>;

const stageSchema = z.strictObject({
  v: z.literal(1),
  task: name,
  input: inputRef,
  operator: operatorSchema,
  /** The stage of the task it reads, or the anchor of the source: the whole way back to the inputs' content. */
  upstream: link,
  /** The inputs beside the first, of a task that reads several; absent otherwise. */
  beside: z
    .array(z.strictObject({ input: inputRef, upstream: link }))
    .min(1)
    .max(15)
    .optional(),
  leaves: z.record(name, z.enum(["row", "batch"])),
});

/** A task in normal form, tied to everything before it. Its CID stands in slots and statements. */
export type Stage = z.infer<typeof stageSchema>;

/** Reads a stage. Throws `NODE_MALFORMED`. */
export function parseStage(value: unknown): Stage {
  return parseNode(stageSchema, "stage", value);
}

const fieldSchema = z.strictObject({ name, type: name, nullable: z.boolean(), width: count.optional() });

const resultSchema = z.strictObject({
  v: z.literal(1),
  inputs: z.record(name, link),
  tasks: z.record(
    name,
    z.strictObject({
      input: inputRef,
      /** The inputs beside the first, in their order. */
      beside: z.array(inputRef).min(1).max(15).optional(),
      operator: operatorSchema,
      /** Newer versions of the module that took over, with the first row of the input that each was called on. */
      later: z
        .array(z.strictObject({ from: count, operator: moduleOperator }))
        .min(1)
        .max(1024)
        .optional(),
    }),
  ),
  outputs: z.record(
    name,
    z.strictObject({ task: name, port: name, schema: z.array(fieldSchema).max(256), rows: count, root: bytes32 }),
  ),
});

/**
 * The normal form of what was computed, without how it was cut, when, or by whom: the inputs' content, every task's operator,
 * and schema, row count and row root of each output table. Two people who compute the same get the same CID.
 */
export type Result = z.infer<typeof resultSchema>;

/** Reads a result. Throws `NODE_MALFORMED`. */
export function parseResult(value: unknown): Result {
  return parseNode(resultSchema, "result", value);
}
