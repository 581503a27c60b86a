import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { sameSchema } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";
import { AtomicFile } from "./atomic-file.ts";
import { SINK_ENDINGS, type SinkFormat, sinkFormatOf } from "./formats.ts";
import type { Sink, SinkSpec, Written } from "./port.ts";
import { EncodedTable, type TableWriter } from "./table-writer.ts";
import { TextRowsEncoder } from "./text.ts";

/**
 * Opens a file for a table by its ending. Throws `SINK_UNSUPPORTED`, `SINK_UNWRITABLE`, `SINK_COLUMN_CLASH` (SQLite),
 * `DISK_FULL`.
 */
export async function openSink({ file, schema }: SinkSpec): Promise<Sink> {
  const format = sinkFormatOf(file);
  if (format === undefined) {
    throw new IpdmError("SINK_UNSUPPORTED", `${file} has no ending that tells its format`, {
      kind: "config",
      where: file,
      hint: `name it ${SINK_ENDINGS}`,
    });
  }
  const atomic = await AtomicFile.create(file);
  try {
    return new FileSink(atomic, schema, await writerOf(format, atomic, schema));
  } catch (error) {
    await atomic.discard();
    throw error;
  }
}

/** The writer of a format, which comes with what it alone needs. */
async function writerOf(format: SinkFormat, file: AtomicFile, schema: Schema): Promise<TableWriter> {
  switch (format) {
    case "parquet": {
      const { ParquetEncoder } = await import("./parquet.ts");
      return new EncodedTable(new ParquetEncoder(schema), file);
    }
    case "arrow": {
      const { ArrowEncoder } = await import("../streams/arrow/arrow-encoder.ts");
      return new EncodedTable(new ArrowEncoder(schema), file);
    }
    case "sqlite":
      return (await import("./sqlite.ts")).SqliteTable.open(file, schema);
    default:
      return new EncodedTable(new TextRowsEncoder(format, schema), file);
  }
}

class FileSink implements Sink {
  private readonly file: AtomicFile;
  private readonly schema: Schema;
  private readonly writer: TableWriter;
  private rows = 0;
  private state: "open" | "closed" | "aborted" = "open";

  constructor(file: AtomicFile, schema: Schema, writer: TableWriter) {
    this.file = file;
    this.schema = schema;
    this.writer = writer;
  }

  write(batch: Batch): Promise<void> {
    return this.guarded(async () => {
      if (batch.schema !== this.schema && !sameSchema(batch.schema, this.schema)) {
        throw new IpdmError("SINK_SCHEMA_MISMATCH", `a batch for ${this.file.path} has other columns than the file`, {
          where: this.file.path,
        });
      }
      await this.writer.write(batch);
      this.rows += batch.rows;
    });
  }

  async close(): Promise<Written> {
    await this.guarded(async () => {
      await this.writer.finish();
      await this.file.commit();
      this.state = "closed";
    });
    return { file: this.file.path, rows: this.rows, bytes: this.file.sizeBytes };
  }

  async abort(): Promise<void> {
    if (this.state !== "open") return;
    this.state = "aborted";
    this.writer.release();
    await this.file.discard();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.state !== "open")
      throw new IpdmError("SINK_CLOSED", `${this.file.path} was ${this.state} before`, { where: this.file.path });
    try {
      await work();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }
}
