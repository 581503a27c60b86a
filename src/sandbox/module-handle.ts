import type { Batch } from "../batch/batch.ts";
import { decodeBatch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { sameSchema } from "../batch/schema.ts";
import { BatchWriter } from "../batch/writer.ts";
import { IpdmError } from "../core/errors.ts";
import { encodeDescriptor, SEED_BYTES } from "./descriptor.ts";
import type { SandboxErrorCode } from "./errors.ts";
import { sandboxError } from "./errors.ts";
import type { CallResult } from "./lane.ts";
import type { Work } from "./lane-messages.ts";
import { IN_FLIGHT_MAX, OUTPUT_BYTES_BASE, OUTPUT_PER_INPUT_BYTE, SCHEMAS_MAX } from "./limits.ts";
import type { Call, CallContext, CallOptions, ModuleHandle, ModuleSpec } from "./port.ts";

type Submit = (work: () => Work, signal: AbortSignal | undefined) => Promise<CallResult>;

/** A module as its lane's callers see it: batches in, batches out, errors that name module and rows. */
export class LoadedModule implements ModuleHandle {
  readonly spec: ModuleSpec;
  private readonly submit: Submit;
  private schemas: { readonly input: Schema; readonly output: Promise<Schema> }[] = [];

  constructor(spec: ModuleSpec, submit: Submit) {
    this.spec = spec;
    this.submit = submit;
  }

  async abiVersion(signal: AbortSignal | undefined): Promise<number> {
    const result = await this.submit(() => ({ type: "abi" }), signal);
    if (result.type !== "abi") throw this.failure(result, "at its load");
    return result.version;
  }

  outputSchema(input: Schema): Promise<Schema> {
    const known = this.schemas.find((entry) => entry.input === input || sameSchema(entry.input, input));
    if (known !== undefined) return known.output;
    const context = { firstRow: 0, seed: new Uint8Array(SEED_BYTES) };
    const output = this.run(new BatchWriter(input).take(), context, undefined).then((batch) => {
      if (batch.rows !== 0 && this.spec.kind === "rows")
        throw this.invalid(`${batch.rows} rows came from none`, "rows none");
      return batch.schema;
    });
    if (this.schemas.length === SCHEMAS_MAX) this.schemas.shift();
    const entry = { input, output };
    this.schemas.push(entry);
    // What failed because of this node may succeed later; the caller gets the failure from `output`.
    output.catch(() => {
      this.schemas = this.schemas.filter((other) => other !== entry);
    });
    return output;
  }

  async process(batch: Batch, context: CallContext, options: CallOptions = {}): Promise<Batch> {
    const declared = await this.outputSchema(batch.schema);
    const output = await this.run(batch, context, options.signal);
    if (!sameSchema(output.schema, declared))
      throw this.invalid("its columns differ from those of an output without rows", rowsOf(batch, context));
    return output;
  }

  async *processAll(calls: Iterable<Call> | AsyncIterable<Call>, options: CallOptions = {}): AsyncIterable<Batch> {
    const pending: Promise<Batch>[] = [];
    for await (const { batch, context } of calls) {
      const output = this.process(batch, context, options);
      // It is awaited in its turn; until then a failure is no unhandled rejection.
      output.catch(() => undefined);
      pending.push(output);
      if (pending.length > IN_FLIGHT_MAX) yield (await pending.shift()) as Batch;
    }
    for (const output of pending) yield await output;
  }

  private async run(batch: Batch, context: CallContext, signal: AbortSignal | undefined): Promise<Batch> {
    const rows = rowsOf(batch, context);
    const descriptor = encodeDescriptor(context);
    const outputBytesMax = Math.min(
      this.spec.outputBytesMax,
      OUTPUT_PER_INPUT_BYTE * batch.bytes.length + OUTPUT_BYTES_BASE,
    );
    const result = await this.submit(
      () => ({
        type: "process",
        batch: new Uint8Array(batch.bytes).buffer,
        descriptor: descriptor.slice().buffer,
        outputBytesMax,
      }),
      signal,
    );
    if (result.type !== "output") throw this.failure(result, rows);
    try {
      return decodeBatch(new Uint8Array(result.bytes));
    } catch (cause) {
      if (!(cause instanceof IpdmError)) throw cause;
      throw this.invalid(cause.message, rows, cause);
    }
  }

  private failure(result: CallResult, rows: string): IpdmError {
    switch (result.type) {
      case "trap":
        return this.error("MODULE_TRAP", `trapped on ${rows}: ${result.message}`, rows, {
          facts: { trap: result.message },
        });
      case "timeout":
        return this.error(
          "MODULE_TIMEOUT",
          `ran longer than ${this.spec.timeoutMs} ms on ${rows} and was stopped`,
          rows,
          {
            hint: "a module that is only slow needs a longer time-out",
          },
        );
      case "memory":
        return this.error(
          "MODULE_MEMORY_EXCEEDED",
          `used up its ${this.spec.memoryBytesMax} bytes of memory on ${rows}: ${result.message}`,
          rows,
          {
            hint: "raise the module's memory limit, or give it smaller batches",
          },
        );
      case "fault":
        return this.error(
          "LANE_FAULT",
          `could not be run on ${rows} by this node, also in a fresh worker: ${result.message}`,
          rows,
          {
            retry: "later",
            hint: "a module that recurses without end shows itself this way too",
          },
        );
      case "crash":
        return this.error(
          "LANE_CRASHED",
          `lost its worker on ${rows}, also on the second try: ${result.message}`,
          rows,
          { retry: "now" },
        );
      default:
        return this.invalid(
          result.type === "output-invalid" ? result.message : `an outcome of type ${result.type}`,
          rows,
        );
    }
  }

  private invalid(what: string, rows: string, cause?: unknown): IpdmError {
    return this.error("MODULE_OUTPUT_INVALID", `returned something else than a batch on ${rows}: ${what}`, rows, {
      cause,
    });
  }

  private error(
    code: SandboxErrorCode,
    what: string,
    rows: string,
    details: { hint?: string; retry?: "later" | "now"; facts?: Record<string, unknown>; cause?: unknown },
  ): IpdmError {
    const { cid } = this.spec;
    return sandboxError(code, `module ${cid} ${what}`, {
      kind: "failed",
      where: `${cid} ${rows}`,
      ...details,
      facts: { module: cid, rows, ...details.facts },
    });
  }
}

function rowsOf(batch: Batch, { firstRow }: CallContext): string {
  return batch.rows === 0 ? "a batch without rows" : `rows ${firstRow} to ${firstRow + batch.rows - 1}`;
}
