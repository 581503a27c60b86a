import type { Batch } from "../batch/batch.ts";
import type { AtomicFile } from "./atomic-file.ts";
import type { TableEncoder } from "./encoder.ts";

/** Writes a table into an {@link AtomicFile} that its sink completes or discards. Calls do not overlap. */
export interface TableWriter {
  write(batch: Batch): Promise<void>;
  /** Writes what is left: the file has all its bytes then. */
  finish(): Promise<void>;
  /** Lets go of what it holds open; harmless when there is nothing. */
  release(): void;
}

/** Appends what an encoder makes of the rows. */
export class EncodedTable implements TableWriter {
  private readonly encoder: TableEncoder;
  private readonly file: AtomicFile;

  constructor(encoder: TableEncoder, file: AtomicFile) {
    this.encoder = encoder;
    this.file = file;
  }

  async write(batch: Batch): Promise<void> {
    for (const bytes of this.encoder.encode(batch)) await this.file.append(bytes);
  }

  async finish(): Promise<void> {
    for (const bytes of this.encoder.finish()) await this.file.append(bytes);
  }

  release(): void {}
}
