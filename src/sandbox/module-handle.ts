import type { Batch } from "../batch/batch.ts";
import { decodeBatch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { sameSchema } from "../batch/schema.ts";
import { BatchWriter } from "../batch/writer.ts";
import { assert, IpdmError } from "../core/errors.ts";
import { encodeDescriptor, SEED_BYTES } from "./descriptor.ts";
import type { SandboxErrorCode } from "./errors.ts";
import { sandboxError } from "./errors.ts";
import { inOrder } from "./in-order.ts";
import type { CallResult, LaneLink, Submit } from "./lane-call.ts";
import type { ProcessWork } from "./lane-messages.ts";
import { MESSAGE_BYTES_MAX, OUTPUT_BYTES_BASE, OUTPUT_PER_INPUT_BYTE, SCHEMAS_MAX } from "./limits.ts";
import type {
  Call,
  CallContext,
  CallOptions,
  ModuleHandle,
  ModuleIdentity,
  ModuleSession,
  ModuleSpec,
  Processed,
} from "./port.ts";
import type { SpareBuffers } from "./spare-buffers.ts";
import { type MemorySource, MemoryTree } from "./state/memory-tree.ts";
import { StatefulSession } from "./state/stateful-session.ts";

/** A module as its lane's callers see it: batches in, batches out, errors that name module and rows. */
export class LoadedModule implements ModuleHandle {
  readonly spec: ModuleSpec;
  readonly identity: ModuleIdentity;
  readonly asksTime: boolean;
  private readonly lane: LaneLink;
  private schemas: { readonly input: Schema; readonly output: Promise<Schema> }[] = [];

  constructor(spec: ModuleSpec, identity: ModuleIdentity, lane: LaneLink) {
    this.spec = spec;
    this.identity = identity;
    this.asksTime = spec.capabilities.includes("time") && lane.face.importsTime;
    this.lane = lane;
  }

  async abiVersion(signal: AbortSignal | undefined): Promise<number> {
    const result = await this.lane.call(() => ({ type: "abi", fuel: this.spec.fuelPerCall }), signal);
    if (result.type !== "abi") throw this.failure(result, "at its load");
    return result.version;
  }

  outputSchema(input: Schema): Promise<Schema> {
    if (this.spec.columns !== null) return Promise.resolve(this.spec.columns);
    const known = this.schemas.find((entry) => entry.input === input || sameSchema(entry.input, input));
    if (known !== undefined) return known.output;
    // Its rows are none, so they have no time; a module that asks for it before it looks is not to be stopped.
    const timed = this.spec.kind === "rows" ? {} : { timeUs: 0n };
    const context = { firstRow: 0, seed: new Uint8Array(SEED_BYTES), ...timed };
    const output = this.call(this.lane.call, new BatchWriter(input).take(), context, undefined).then(({ batch }) => {
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
    return (await this.run(batch, context, options)).batch;
  }

  async run(batch: Batch, context: CallContext, options: CallOptions = {}): Promise<Processed> {
    const declared = await this.outputSchema(batch.schema);
    return this.runThrough(this.lane.call, { batch, context }, declared, options.signal);
  }

  processAll(calls: Iterable<Call> | AsyncIterable<Call>, options: CallOptions = {}): AsyncIterable<Processed> {
    return inOrder(calls, ({ batch, context }) => this.run(batch, context, options), this.lane.window);
  }

  async openSession(saved: MemorySource | null): Promise<ModuleSession> {
    assert(this.spec.kind === "stateful", "only stateful modules have sessions");
    const { tree, image } =
      saved === null ? { tree: new MemoryTree(), image: null } : await MemoryTree.load(saved, this.lane.face);
    return new StatefulSession(this, this.lane.open(image), tree);
  }

  canContinue(other: ModuleHandle): boolean {
    if (!(other instanceof LoadedModule)) return false;
    const [own, from] = [this.lane.face, other.lane.face];
    const sameGlobals = JSON.stringify(own.globals) === JSON.stringify(from.globals);
    return sameGlobals && own.pagesMin <= from.pagesMin && own.pagesMax >= from.pagesMax;
  }

  /** A call that the given lane or session carries out, whose output is to have the declared columns. Throws as {@link process} does. */
  async runThrough(
    submit: Submit,
    { batch, context }: Call,
    declared: Schema,
    signal: AbortSignal | undefined,
  ): Promise<Processed> {
    const processed = await this.call(submit, batch, context, signal);
    if (!sameSchema(processed.batch.schema, declared))
      throw this.invalid("its columns differ from those of an output without rows", rowsOf(batch, context));
    return processed;
  }

  private async call(
    submit: Submit,
    batch: Batch,
    context: CallContext,
    signal: AbortSignal | undefined,
  ): Promise<Processed> {
    const rows = rowsOf(batch, context);
    const { fuelPerCall, fuelPerRow, columns, stdin } = this.spec;
    const descriptor = encodeDescriptor(context);
    const outputBytesMax = Math.min(
      this.spec.outputBytesMax,
      OUTPUT_PER_INPUT_BYTE * batch.bytes.length + OUTPUT_BYTES_BASE,
    );
    const result = await submit(
      (spare) => ({
        type: "process",
        fuel: fuelPerCall + fuelPerRow * batch.rows,
        columns,
        ...(stdin === undefined ? {} : { stdin }),
        ...blockOf(batch, spare),
        descriptor: descriptor.buffer,
        outputBytesMax,
      }),
      signal,
    );
    this.deliver(result);
    if (result.type !== "output") throw this.failure(result, rows);
    try {
      return { batch: decodeBatch(new Uint8Array(result.bytes)), fuel: result.fuel };
    } catch (cause) {
      if (!(cause instanceof IpdmError)) throw cause;
      throw this.invalid(cause.message, rows, cause);
    }
  }

  /** Hands on what a call wrote to the log, also of one that failed. Whoever takes it cannot fail the call. */
  private deliver(result: CallResult): void {
    const { onLog } = this.spec;
    if (onLog === undefined || !("log" in result)) return;
    try {
      for (const line of result.log ?? []) onLog(line);
    } catch {
      // No result depends on the log.
    }
  }

  /** The error that a call's result is. */
  failure(result: CallResult, rows: string): IpdmError {
    if (result.type === "failed") return this.ownError(result.code, result.message, rows);
    switch (result.type) {
      case "trap":
        return this.error("MODULE_TRAP", `trapped on ${rows}: ${result.message}`, rows, {
          facts: { trap: result.message },
        });
      case "fuel":
        return this.error("MODULE_FUEL_EXHAUSTED", `used up its fuel on ${rows} and was stopped`, rows, {
          hint: "a module that only does much needs more fuel",
        });
      case "stack":
        return this.error(
          "MODULE_STACK_EXCEEDED",
          `used up its ${this.spec.stackValuesMax} values of stack on ${rows} and was stopped`,
          rows,
          { hint: "it recurses without end, or too deep" },
        );
      case "denied":
        return this.error("MODULE_CAPABILITY_DENIED", `was stopped on ${rows}: ${result.message}`, rows, {
          hint: "allow it in the module's policy, or use a module that does without",
        });
      case "timeout":
        return this.error(
          "MODULE_TIMEOUT",
          `ran longer than ${this.spec.timeoutMs} ms on ${rows} and was stopped`,
          rows,
          {
            hint: "its fuel had not run out, so this node is slow: a longer time-out, or less fuel",
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
          },
        );
      case "crash":
        return this.error(
          "LANE_CRASHED",
          `lost its worker on ${rows}, also on the second try: ${result.message}`,
          rows,
          { retry: "now" },
        );
      case "broken":
        return this.error("LANE_STATE_LOST", `has lost its state before ${rows}: ${result.message}`, rows, {
          hint: "roll its session back to what was saved last",
        });
      default:
        return this.invalid(
          result.type === "output-invalid" ? result.message : `an outcome of type ${result.type}`,
          rows,
        );
    }
  }

  /** What a module says itself of its rows. */
  private ownError(code: string, message: string, rows: string): IpdmError {
    const { cid } = this.spec;
    return new IpdmError(code, `module ${cid} found an error in ${rows}: ${message}`, {
      kind: "verification",
      where: `${cid} ${rows}`,
      facts: { module: cid, rows },
    });
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

/** The block in a buffer that another thread may have: as it is where it is shared and worth it, else a copy. */
function blockOf({ bytes }: Batch, spare: SpareBuffers | undefined): Pick<ProcessWork, "batch" | "batchBytes"> {
  const { buffer } = bytes;
  const isLarge = bytes.length > MESSAGE_BYTES_MAX;
  if (buffer instanceof SharedArrayBuffer && buffer.byteLength === bytes.length && isLarge) return { batch: buffer };
  if (spare === undefined || !isLarge) return { batch: new Uint8Array(bytes).buffer };
  const batch = spare.take(bytes.length);
  new Uint8Array(batch).set(bytes);
  return { batch, batchBytes: bytes.length };
}

function rowsOf(batch: Batch, { firstRow }: CallContext): string {
  return batch.rows === 0 ? "a batch without rows" : `rows ${firstRow} to ${firstRow + batch.rows - 1}`;
}
