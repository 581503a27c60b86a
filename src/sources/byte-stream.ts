import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { malformed } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { readingError } from "./file.ts";
import { READ_CHUNK_BYTES } from "./limits.ts";
import type { BatchesOptions } from "./port.ts";

/** What ends a reading, and who is told how far it came. */
export type ReadWatch = Pick<BatchesOptions, "signal" | "onRead">;

/** A file's bytes from the start, decompressed where asked. Throws `SOURCE_MALFORMED` on broken gzip, `SOURCE_CHANGED`, `SOURCE_UNREADABLE`. */
export async function* byteStream(
  file: SourceFile,
  gzip: boolean,
  { signal, onRead }: ReadWatch = {},
): AsyncGenerator<Buffer, void, undefined> {
  signal?.throwIfAborted();
  const handle = await file.open();
  try {
    const raw = chunksOf(handle, signal, onRead);
    yield* gzip ? gunzipped(raw) : raw;
    await file.check(handle);
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? "");
    if (code.startsWith("Z_"))
      throw malformed(file.path, "its compressed bytes", error instanceof Error ? error.message : code, error);
    throw readingError(file.path, error);
  } finally {
    await handle.close();
  }
}

async function* chunksOf(
  handle: FileHandle,
  signal: AbortSignal | undefined,
  onRead: ReadWatch["onRead"],
): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; ; ) {
    const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    signal?.throwIfAborted();
    if (bytesRead === 0) return;
    at += bytesRead;
    onRead?.(at);
    yield chunk.subarray(0, bytesRead);
  }
}

async function* gunzipped(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const source = Readable.from(raw);
  const closed = new Promise<void>((resolve) => source.once("close", resolve));
  // The errors that the callback gets are those that the last stream throws to its reader.
  const bytes = pipeline(source, createGunzip({ chunkSize: READ_CHUNK_BYTES }), () => undefined);
  try {
    for await (const chunk of bytes) yield chunk as Buffer;
  } finally {
    source.destroy();
    bytes.destroy();
    await closed;
  }
}
