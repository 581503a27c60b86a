import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { toBatches } from "../adapters.ts";
import type { Untyped } from "../columns.ts";
import type { Flow } from "../flow.ts";
import { type SourceOptions, source } from "../source.ts";
import { ArrowEncoder } from "./arrow-encoder.ts";
import { readArrow } from "./read-arrow.ts";

/**
 * A stream of the rows of Arrow IPC bytes, file or stream, whole or in pieces, which are put together first. Throws, as the stream's error,
 * `ARROW_MALFORMED` and `ARROW_UNSUPPORTED`, and what the pieces throw.
 */
export function fromArrow<C = Untyped>(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: SourceOptions<C> = {},
): Observable<Flow<C, never>> {
  async function* batches(): AsyncGenerator<Batch> {
    yield* readArrow(bytes instanceof Uint8Array ? bytes : await whole(bytes));
  }
  return source<C>({ [Symbol.asyncIterator]: batches }, options);
}

/**
 * What comes out of a pipeline as the bytes of an Arrow IPC file, in pieces, as they are asked for: `docs/reference/outputs.md` says how types are
 * written. A pipeline without a batch gives no bytes, since nothing is known of its columns.
 */
export async function* toArrow(stream: Observable<Flow>): AsyncGenerator<Uint8Array, void, undefined> {
  let encoder: ArrowEncoder | undefined;
  for await (const batch of toBatches(stream)) {
    encoder ??= new ArrowEncoder(batch.schema);
    for (const piece of encoder.encode(batch)) yield piece.slice();
  }
  if (encoder !== undefined) for (const piece of encoder.finish()) yield piece.slice();
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
