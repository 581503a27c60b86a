import { snappyUncompress } from "hyparquet/src/snappy.js";
import { decodeVarint } from "../dag/varint.ts";

/** Largest output that is unpacked, in bytes. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Unpacks a block of Snappy's raw format (google/snappy, format_description.txt). `undefined` where the bytes are none. */
export function unpackSnappy(packed: Uint8Array): Uint8Array | undefined {
  const head = decodeVarint(packed, 0);
  if (head === undefined || head.value > OUTPUT_BYTES_MAX) return undefined;
  const output = new Uint8Array(head.value);
  try {
    snappyUncompress(packed, output);
  } catch {
    return undefined;
  }
  return output;
}
