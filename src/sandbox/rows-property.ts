import { hash } from "node:crypto";
import type { Batch } from "../batch/batch.ts";
import { BatchWriter } from "../batch/writer.ts";
import { equalBytes } from "../core/bytes.ts";
import { SEED_BYTES } from "./descriptor.ts";
import { sandboxError } from "./errors.ts";
import type { CallContext, CallOptions, ModuleHandle } from "./port.ts";

/** The context and signal of a check; without a context the batch begins at row 0 with a seed of zeros. */
export interface RowsCheckOptions extends CallOptions {
  readonly context?: CallContext;
}

/**
 * Checks on one batch that a module is of kind `rows`: cut anywhere, the outputs of the parts, one after the other, are the
 * output of the whole, row by row. Cuts are drawn from the SHA-256 of the batch, so that every node tries the same. It
 * finds mistakes; it proves nothing about other batches. Throws `MODULE_NOT_ROWWISE`, and what the calls themselves throw.
 */
export async function checkRowsProperty(
  handle: ModuleHandle,
  batch: Batch,
  splits: number,
  options: RowsCheckOptions = {},
): Promise<void> {
  if (batch.rows < 2) return;
  const context = options.context ?? { firstRow: 0, seed: new Uint8Array(SEED_BYTES) };
  const whole = canonical([await handle.process(batch, context, options)]);
  for (const cut of cuts(batch, splits)) {
    const second = { ...context, firstRow: context.firstRow + cut };
    const parts = await Promise.all([
      handle.process(part(batch, 0, cut), context, options),
      handle.process(part(batch, cut, batch.rows), second, options),
    ]);
    if (equalBytes(whole, canonical(parts))) continue;
    const { cid } = handle.spec;
    throw sandboxError(
      "MODULE_NOT_ROWWISE",
      `module ${cid} gives other rows when a batch of ${batch.rows} rows is cut before row ${cut}`,
      {
        kind: "config",
        where: cid,
        facts: { module: cid, rows: batch.rows, cut },
        hint: "declare the module as kind batch with a unit of rows, or let each row depend on itself alone",
      },
    );
  }
}

function part(batch: Batch, from: number, to: number): Batch {
  const writer = new BatchWriter(batch.schema);
  writer.append(batch, from, to);
  return writer.take();
}

/** The rows of all parts in the one layout that depends on rows alone. */
function canonical(parts: readonly Batch[]): Uint8Array {
  const writer = new BatchWriter((parts[0] as Batch).schema);
  for (const output of parts) writer.append(output);
  return writer.take().bytes;
}

/** Row numbers in 1 to rows - 1. */
function cuts(batch: Batch, splits: number): number[] {
  const seed = hash("sha256", batch.bytes, "buffer");
  return Array.from({ length: splits }, (_, i) => {
    const draw = hash("sha256", Buffer.concat([seed, Buffer.from(Uint32Array.of(i).buffer)]), "buffer").readUIntBE(
      0,
      6,
    );
    return 1 + (draw % (batch.rows - 1));
  });
}
