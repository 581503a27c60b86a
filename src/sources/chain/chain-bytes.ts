import type { Buffer } from "node:buffer";
import { hasCode } from "../../core/errors.ts";
import { byteStream, type Compression, type ReadWatch } from "../byte-stream.ts";
import type { SourceFile } from "../file.ts";
import { malformedBlock } from "./failure.ts";

/**
 * The bytes of a file with blocks from the start, decompressed. Throws what {@link byteStream} does, but `CHAIN_BLOCK_MALFORMED` where
 * the compressed bytes are broken: a block that is cut short is refused as such, however it is packed.
 */
export async function* chainBytes(
  file: SourceFile,
  compression: Compression,
  watch: ReadWatch = {},
): AsyncGenerator<Buffer, void, undefined> {
  let at = 0;
  try {
    for await (const chunk of byteStream(file, compression, watch)) {
      at += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (!hasCode(error, "SOURCE_MALFORMED")) throw error;
    throw malformedBlock(file.path, at, "its compressed bytes are cut short or broken");
  }
}
