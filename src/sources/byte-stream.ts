import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { malformed } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { readingError } from "./file.ts";
import { READ_CHUNK_BYTES } from "./limits.ts";

/** A file's bytes from the start, decompressed where asked. Throws `SOURCE_MALFORMED` on broken gzip, `SOURCE_CHANGED`, `SOURCE_UNREADABLE`. */
export async function* byteStream(file: SourceFile, gzip: boolean, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  signal?.throwIfAborted();
  const handle: FileHandle = await file.open();
  try {
    const raw = handle.createReadStream({ highWaterMark: READ_CHUNK_BYTES, autoClose: false });
    // The callback's errors are those that the last stream throws to its reader.
    const bytes = gzip ? pipeline(raw, createGunzip({ chunkSize: READ_CHUNK_BYTES }), () => undefined) : raw;
    try {
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        yield chunk as Buffer;
      }
    } finally {
      raw.destroy();
      bytes.destroy();
    }
    await file.check(handle);
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? "");
    if (code.startsWith("Z_")) throw malformed(file.path, "its compressed bytes", error instanceof Error ? error.message : code, error);
    throw readingError(file.path, error);
  } finally {
    await handle.close();
  }
}
