import { dirname, join, resolve } from "node:path";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import type { Fault } from "../../../proofs/receipt/verdict.ts";
import { IpdmError } from "../../core/errors.ts";
import { Closers } from "../../run/closers.ts";
import { type DataFolder, openData } from "../data-folder.ts";
import { AuditInput } from "../input-data.ts";
import { verifyReceiptFile } from "../verify-file.ts";
import { type DiffReport, diffReceipts } from "./diff.ts";

/** Where a comparison finds what receipts only link. */
export interface DiffFileOptions {
  /** Data folder of the first run; `.data` beside its receipt by default. */
  readonly data?: string | undefined;
  /** Data folder of the second run; `.data` beside its receipt by default. */
  readonly dataB?: string | undefined;
  /** Files to read inputs from, by name; each is taken for the run, or the runs, whose digest it has. */
  readonly inputs?: readonly (readonly [name: string, path: string])[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a comparison of files came to. A receipt that does not verify is not compared: then `fault` says why, and `which`. */
export type FileDiff =
  | { readonly fault: undefined; readonly a: Receipt; readonly b: Receipt; readonly report: DiffReport }
  | { readonly fault: Fault; readonly which: "a" | "b" };

/**
 * Verifies two receipts' files and finds where their results differ. Throws `NEEDS_DATA` (kind `unreachable`) with the CID of a
 * batch that is nowhere to be had, `INPUT_UNKNOWN` (a file that is the input of neither), `DATA_DIR_IN_USE`, what
 * {@link verifyReceiptFile} throws, and the signal's reason.
 */
export async function diffReceiptFiles(a: string, b: string, options: DiffFileOptions = {}): Promise<FileDiff> {
  const { inputs = [], signal = new AbortController().signal } = options;
  const verified: Receipt[] = [];
  for (const [which, path] of [["a", a] as const, ["b", b] as const]) {
    const { fault, receipt } = await verifyReceiptFile(path);
    if (fault !== undefined || receipt === undefined)
      return { which, fault: fault ?? { code: "RECEIPT_MALFORMED", message: "it cannot be read", where: "receipt" } };
    verified.push(receipt);
  }
  const [first, second] = verified as [Receipt, Receipt];
  await using open = new Closers();
  const [path, pathB] = [folderOf(options.data, a), folderOf(options.dataB, b)];
  const data = await opened(path, open);
  const dataB = pathB === path ? data : await opened(pathB, open);
  const files = await matched(inputs, first, second, signal);
  const sideA = { receipt: first, input: new AuditInput(first, files.a, data) };
  const sideB = { receipt: second, input: new AuditInput(second, files.b, dataB) };
  return { fault: undefined, a: first, b: second, report: await diffReceipts(sideA, sideB, signal) };
}

function folderOf(data: string | undefined, receipt: string): string {
  return data === undefined ? join(dirname(resolve(receipt)), ".data") : resolve(data);
}

async function opened(folder: string, open: Closers): Promise<DataFolder> {
  const data = await openData(folder);
  if (data.store !== undefined) open.use(data.store);
  return data;
}

/** The files of each receipt: those with the digests of its inputs. */
async function matched(
  inputs: readonly (readonly [string, string])[],
  a: Receipt,
  b: Receipt,
  signal: AbortSignal,
): Promise<{ readonly a: Record<string, string>; readonly b: Record<string, string> }> {
  const files = { a: {} as Record<string, string>, b: {} as Record<string, string> };
  for (const [name, path] of inputs) {
    let isKnown = false;
    for (const [side, receipt] of [["a", a] as const, ["b", b] as const]) {
      if (!receipt.anchors.has(name)) continue;
      const changed = await new AuditInput(receipt, { [name]: path }, undefined).changed(signal);
      if (changed.length > 0) continue;
      files[side][name] = path;
      isKnown = true;
    }
    if (!isKnown)
      throw new IpdmError("INPUT_UNKNOWN", `${path} is not what either run read as ${name}`, {
        kind: "usage",
        where: path,
        hint: "give a file with the digest that `ipdm-runtime verify` prints for that input",
      });
  }
  return files;
}
