import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { sameSchema } from "../batch/schema.ts";
import { IpdmError } from "../core/errors.ts";
import { AtomicFile } from "./atomic-file.ts";
import type { TableEncoder } from "./encoder.ts";
import { ParquetEncoder } from "./parquet.ts";
import type { Sink, SinkSpec, Written } from "./port.ts";
import { TextRowsEncoder } from "./text.ts";

const ENCODERS: Readonly<Record<string, (schema: Schema) => TableEncoder>> = {
  parquet: (schema) => new ParquetEncoder(schema),
  csv: (schema) => new TextRowsEncoder("csv", schema),
  ndjson: (schema) => new TextRowsEncoder("ndjson", schema),
  jsonl: (schema) => new TextRowsEncoder("ndjson", schema),
};

/** Opens a file for a table by its ending. Throws `SINK_UNSUPPORTED`, `SINK_UNWRITABLE`, `DISK_FULL`. */
export async function openSink({ file, schema }: SinkSpec): Promise<Sink> {
  const ending = /\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase() ?? "";
  const encoderOf = Object.hasOwn(ENCODERS, ending) ? ENCODERS[ending] : undefined;
  if (encoderOf === undefined) {
    throw new IpdmError("SINK_UNSUPPORTED", `${file} has no ending that tells its format`, {
      kind: "config",
      where: file,
      hint: `name it ${Object.keys(ENCODERS)
        .map((known) => `.${known}`)
        .join(", ")}`,
    });
  }
  return new FileSink(await AtomicFile.create(file), schema, encoderOf(schema));
}

class FileSink implements Sink {
  private readonly file: AtomicFile;
  private readonly schema: Schema;
  private readonly encoder: TableEncoder;
  private rows = 0;
  private state: "open" | "closed" | "aborted" = "open";

  constructor(file: AtomicFile, schema: Schema, encoder: TableEncoder) {
    this.file = file;
    this.schema = schema;
    this.encoder = encoder;
  }

  write(batch: Batch): Promise<void> {
    return this.guarded(async () => {
      if (batch.schema !== this.schema && !sameSchema(batch.schema, this.schema)) {
        throw new IpdmError("SINK_SCHEMA_MISMATCH", `a batch for ${this.file.path} has other columns than the file`, {
          where: this.file.path,
        });
      }
      for (const bytes of this.encoder.encode(batch)) await this.file.append(bytes);
      this.rows += batch.rows;
    });
  }

  async close(): Promise<Written> {
    await this.guarded(async () => {
      for (const bytes of this.encoder.finish()) await this.file.append(bytes);
      await this.file.commit();
      this.state = "closed";
    });
    return { file: this.file.path, rows: this.rows, bytes: this.file.sizeBytes };
  }

  async abort(): Promise<void> {
    if (this.state !== "open") return;
    this.state = "aborted";
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
