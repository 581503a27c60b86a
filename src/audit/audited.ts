import { dirname, join, resolve } from "node:path";
import type { Receipt } from "../../proofs/receipt/contents.ts";
import { openData } from "./data-folder.ts";
import { AuditInput } from "./input-data.ts";

/** Where what a receipt only links is looked for. */
export interface AuditPlaces {
  /** Data folder of the run; `.data` beside the receipt by default. */
  readonly data?: string | undefined;
  /** Files of inputs, by name, for what the data folder does not have. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
}

/** Does some work with what a receipt links at hand, and closes it afterwards. Throws `DATA_DIR_IN_USE`, and what the work throws. */
export async function withData<T>(
  path: string,
  receipt: Receipt,
  { data, inputs = {} }: AuditPlaces,
  work: (input: AuditInput) => Promise<T>,
): Promise<T> {
  const folder = await openData(data === undefined ? join(dirname(resolve(path)), ".data") : resolve(data));
  const input = new AuditInput(receipt, inputs, folder);
  try {
    return await work(input);
  } finally {
    await input.close();
    await folder.store?.close();
  }
}
