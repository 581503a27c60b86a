import zlib from "node:zlib";
import { snappyUncompress } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** Decompresses a page to exactly `length` bytes. Throws on unknown codecs, broken bytes, and any other length. */
export function decompressPage(codec: string, bytes: Uint8Array, length: number): Uint8Array {
  const page = decompress(codec, bytes, length);
  if (page.length !== length) throw new RangeError(`a page of ${length} bytes decompressed to ${page.length}`);
  return page;
}

function decompress(codec: string, bytes: Uint8Array, length: number): Uint8Array {
  if (codec === "UNCOMPRESSED") return bytes;
  if (length === 0) return new Uint8Array(0);
  const bound = { maxOutputLength: length };
  switch (codec) {
    case "ZSTD":
      // Node's own is several times faster; versions before 22.15 do not have it.
      return typeof zlib.zstdDecompressSync === "function"
        ? zlib.zstdDecompressSync(bytes, bound)
        : portable(codec, bytes, length);
    case "GZIP":
      return zlib.gunzipSync(bytes, bound);
    case "BROTLI":
      return zlib.brotliDecompressSync(bytes, bound);
    case "SNAPPY": {
      const page = new Uint8Array(length);
      snappyUncompress(bytes, page);
      return page;
    }
    default:
      return portable(codec, bytes, length);
  }
}

function portable(codec: string, bytes: Uint8Array, length: number): Uint8Array {
  const decoder = compressors[codec as keyof typeof compressors];
  if (decoder === undefined) throw new RangeError(`unknown compression ${codec}`);
  return decoder(bytes, length);
}
