import type { Batch } from "../../batch/batch.ts";
import { checkBatches } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import type { BatchesOptions, OpenSourceOptions, TableSource } from "../port.ts";
import { readInThread } from "../thread.ts";
import { GeneratedReader } from "./generated-reader.ts";
import type { GeneratedContent, GeneratedSpec } from "./kind.ts";

/** Opens generated rows as a table. Throws `GENERATOR_UNKNOWN` (kind `verification`). */
export function openGenerated(
  spec: GeneratedSpec,
  { signal, worker = true }: OpenSourceOptions = {},
): TableSource<GeneratedContent> {
  signal?.throwIfAborted();
  return new GeneratedSource(spec, worker);
}

class GeneratedSource implements TableSource<GeneratedContent> {
  readonly schema: Schema;
  readonly rows: number;
  private readonly spec: GeneratedSpec;
  private readonly reader: GeneratedReader;
  private readonly inThread: boolean;
  private readonly closing = new AbortController();

  constructor(spec: GeneratedSpec, inThread: boolean) {
    const { generator, table, events, rate } = spec;
    this.spec = { generator, table, events, rate };
    this.reader = new GeneratedReader(spec);
    this.inThread = inThread;
    this.schema = this.reader.schema;
    this.rows = this.reader.rows;
  }

  batches(options: BatchesOptions): AsyncIterableIterator<Batch> {
    checkBatches(options.batchRows, options.fromRow ?? 0);
    const { signal } = options;
    const bound = {
      ...options,
      signal: signal === undefined ? this.closing.signal : AbortSignal.any([signal, this.closing.signal]),
    };
    return this.inThread ? readInThread({ generated: this.spec }, this.schema, bound) : this.reader.read(bound);
  }

  content(): Promise<GeneratedContent> {
    return Promise.resolve({ kind: "generated", ...this.spec });
  }

  close(): Promise<void> {
    this.closing.abort(new DOMException("the source was closed", "AbortError"));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
