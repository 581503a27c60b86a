import type { Batch } from "../batch/batch.ts";
import { checkBatches } from "../batch/cut.ts";
import { declaredField } from "../batch/declared-field.ts";
import type { Field, Schema } from "../batch/schema.ts";
import { schemaOf } from "../batch/schema.ts";
import type { BlockPlan } from "./chain/block-reader.ts";
import type { FileVersion } from "./file.ts";
import { formatOf, SourceFile } from "./file.ts";
import type { GeneratedSpec } from "./generated/kind.ts";
import type { BatchesOptions, Content, OpenSourceOptions, Source, SourceFormat, SourceSpec } from "./port.ts";
import type { FileReader } from "./reader.ts";
import { readInThread } from "./thread.ts";

/** Everything that another thread needs to read a file as this one would, as plain data. */
export interface ReadPlan {
  readonly version: FileVersion;
  readonly format: SourceFormat;
  readonly gzip: boolean;
  readonly columns: SourceSpec["columns"];
  /** The settled columns of a text file, and whether they were inferred. */
  readonly fields: readonly Field[];
  readonly inferred: boolean;
}

/**
 * Opens a file as a table; formats are told by the name's ending (`.parquet`; `.ndjson`, `.jsonl`, `.json`, `.csv`, each
 * also with `.gz`). Throws `SOURCE_MISSING`, `SOURCE_UNREADABLE`, `SOURCE_FORMAT_UNKNOWN`, `SOURCE_MALFORMED`,
 * `SOURCE_COLUMN_UNSUPPORTED`, `SOURCE_COLUMN_MISMATCH`, `SOURCE_SCHEMA_UNKNOWN`, `COLUMN_MISSING`, `COLUMN_TYPE_UNKNOWN`.
 */
export async function openSource(spec: SourceSpec, { signal, worker = true }: OpenSourceOptions = {}): Promise<Source> {
  signal?.throwIfAborted();
  const { format, gzip } = formatOf(spec.file, spec.format);
  const file = await SourceFile.look(spec.file);
  const inferred = spec.columns === undefined;
  let fields: readonly Field[] = [];
  if (format !== "parquet") {
    fields =
      spec.columns === undefined
        ? (await inferSchema(file, format, gzip, signal)).fields
        : schemaOf(Object.entries(spec.columns).map(([name, type]) => declaredField(name, type))).fields;
  }
  const plan: ReadPlan = { version: file.version, format, gzip, columns: spec.columns, fields, inferred };
  return new FileSource(file, plan, await openReader(plan), worker);
}

/** Reads of a thread: a file, blocks of a chain, or rows to generate. */
export type ThreadPlan = ReadPlan | { readonly chain: BlockPlan } | { readonly generated: GeneratedSpec };

/** The reader of a plan, in this thread. Each comes with what its format alone needs, so a thread loads one of them. */
export async function openReader(plan: ThreadPlan): Promise<FileReader> {
  if ("generated" in plan) {
    const { GeneratedReader } = await import("./generated/generated-reader.ts");
    return new GeneratedReader(plan.generated);
  }
  if ("chain" in plan) {
    const { BlockReader } = await import("./chain/block-reader.ts");
    return new BlockReader(plan.chain);
  }
  const file = new SourceFile(plan.version);
  if (plan.format === "parquet") {
    const { openParquet } = await import("./parquet/reader.ts");
    return openParquet(file, { file: file.path, columns: plan.columns });
  }
  const text = { file, gzip: plan.gzip, schema: schemaOf(plan.fields), strict: plan.inferred };
  if (plan.format === "csv") {
    const { CsvReader } = await import("./csv.ts");
    return new CsvReader(text);
  }
  const { NdjsonReader } = await import("./ndjson.ts");
  return new NdjsonReader(text);
}

async function inferSchema(
  file: SourceFile,
  format: "csv" | "ndjson",
  gzip: boolean,
  signal: AbortSignal | undefined,
): Promise<Schema> {
  if (format === "csv") return (await import("./csv.ts")).inferCsv(file, gzip, signal);
  return (await import("./ndjson.ts")).inferNdjson(file, gzip, signal);
}

class FileSource implements Source {
  readonly schema: Schema;
  readonly rows: number | undefined;
  private readonly file: SourceFile;
  private readonly plan: ReadPlan;
  private readonly reader: FileReader;
  private readonly inThread: boolean;
  private readonly closing = new AbortController();

  constructor(file: SourceFile, plan: ReadPlan, reader: FileReader, inThread: boolean) {
    this.file = file;
    this.plan = plan;
    this.reader = reader;
    this.inThread = inThread;
    this.schema = reader.schema;
    this.rows = reader.rows;
  }

  batches(options: BatchesOptions): AsyncIterableIterator<Batch> {
    checkBatches(options.batchRows, options.fromRow ?? 0);
    const bound = { ...options, signal: this.until(options.signal) };
    return this.inThread ? readInThread(this.plan, this.schema, bound) : this.reader.read(bound);
  }

  content(signal?: AbortSignal): Promise<Content> {
    return this.file.content(this.until(signal));
  }

  close(): Promise<void> {
    this.closing.abort(new DOMException("the source was closed", "AbortError"));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private until(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.closing.signal : AbortSignal.any([signal, this.closing.signal]);
  }
}
