import { readFile, stat } from "node:fs/promises";
import { IpdmError } from "../core/errors.ts";

/** Largest receipt that is read, in bytes. */
export const RECEIPT_BYTES_MAX = 1024 * 1024 * 1024;

/** Reads a receipt's file. Throws `RECEIPT_MISSING`, `RECEIPT_UNREADABLE` (kind `usage`). */
export async function readReceiptFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > RECEIPT_BYTES_MAX) throw new RangeError(`${size} bytes are more than a receipt may have`);
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new IpdmError(
      missing ? "RECEIPT_MISSING" : "RECEIPT_UNREADABLE",
      missing ? `there is no receipt at ${path}` : `the receipt cannot be read: ${(cause as Error).message}`,
      {
        kind: "usage",
        where: path,
        hint: "give the path of a receipt.car that `ipdm-runtime run` wrote",
        cause,
      },
    );
  }
}
