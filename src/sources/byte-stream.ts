import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { IpdmError } from "../core/errors.ts";
import { malformed } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { readingError } from "./file.ts";
import { READ_CHUNK_BYTES } from "./limits.ts";
import type { BatchesOptions } from "./port.ts";

/** What ends a reading, and who is told how far it came. */
export type ReadWatch = Pick<BatchesOptions, "signal" | "onRead">;

/** How a file's bytes are compressed. */
export type Compression = "none" | "gzip" | "zstd";

/**
 * A file's bytes from the start, decompressed where asked (`true` is gzip). Throws `SOURCE_MALFORMED` on broken compressed bytes,
 * `SOURCE_CHANGED`, `SOURCE_UNREADABLE`, and `ZSTD_UNSUPPORTED` where this Node.js cannot read Zstandard.
 */
export async function* byteStream(
  file: SourceFile,
  compression: boolean | Compression,
  { signal, onRead }: ReadWatch = {},
): AsyncGenerator<Buffer, void, undefined> {
  signal?.throwIfAborted();
  const handle = await file.open();
  try {
    const raw = chunksOf(handle, signal, onRead);
    if (compression === false || compression === "none") yield* raw;
    else yield* decompressed(raw, decompressor(compression === "zstd" ? "zstd" : "gzip", file.path));
    await file.check(handle);
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? "");
    if (code.startsWith("Z_") || code.startsWith("ZSTD_error"))
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

function decompressor(compression: "gzip" | "zstd", path: string): Transform {
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: READ_CHUNK_BYTES });
  // Node.js 22.12 to 22.14 does not have it.
  const make = (zlib as Partial<Pick<typeof zlib, "createZstdDecompress">>).createZstdDecompress;
  if (make !== undefined) return make({ chunkSize: READ_CHUNK_BYTES });
  throw new IpdmError("ZSTD_UNSUPPORTED", `${path} is compressed with Zstandard, which this Node.js cannot read`, {
    kind: "config",
    where: path,
    hint: "use Node.js 22.15, 23.8 or newer, or decompress the file",
  });
}

async function* decompressed(
  raw: AsyncIterable<Buffer>,
  transform: Transform,
): AsyncGenerator<Buffer, void, undefined> {
  const source = Readable.from(raw);
  const closed = new Promise<void>((resolve) => source.once("close", resolve));
  // The errors that the callback gets are those that the last stream throws to its reader.
  const bytes = pipeline(source, transform, () => undefined);
  try {
    for await (const chunk of bytes) yield chunk as Buffer;
  } finally {
    source.destroy();
    bytes.destroy();
    await closed;
  }
}
