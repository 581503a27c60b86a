import { dirname, join, resolve } from "node:path";
import type { ShownReceipt } from "../../../proofs/ethereum/row-proof.ts";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { buildRowFile } from "../../../proofs/row/row-file.ts";
import { batchOfRow, schemaOfOutput } from "../../../proofs/row/row-values.ts";
import { type ShownRow, verifyRow } from "../../../proofs/row/verify-row.ts";
import { IpdmError } from "../../core/errors.ts";
import { sha256, verifyEd25519 } from "../../node.ts";
import { AuditInput, openData } from "../input-data.ts";
import { ethereumRowProof } from "./chain-proof.ts";
import { findRow } from "./find-row.ts";
import type { Wanted } from "./row-filter.ts";

/** Which row of a receipt is wanted, and where its table is. */
export interface RowOptions {
  readonly wanted: readonly Wanted[];
  /** Output whose table it is in; the only one with the columns by default. */
  readonly output?: string | undefined;
  /** Data folder of the run; `.data` beside the receipt by default. */
  readonly data?: string | undefined;
  /** Files of inputs, by name, for what the data folder does not have. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A row found in a receipt's table, and the bytes of its file, which were checked as any reader would. */
export interface FoundRow {
  readonly shown: ShownRow;
  readonly chain: ShownReceipt | undefined;
  readonly file: Uint8Array;
}

/** Finds a row of a verified receipt and makes the file that shows it. Throws what {@link findRow} throws, and `DATA_DIR_IN_USE`. */
export async function rowOfReceipt(path: string, receipt: Receipt, options: RowOptions): Promise<FoundRow> {
  const { wanted, output, data, signal = new AbortController().signal } = options;
  const store = await openData(data === undefined ? join(dirname(resolve(path)), ".data") : resolve(data));
  try {
    const input = new AuditInput(receipt, options.inputs ?? {}, store);
    const leaf = await findRow(receipt, input, wanted, output, signal);
    const table = receipt.result.outputs[leaf.output] as Receipt["result"]["outputs"][string];
    const row = batchOfRow(schemaOfOutput(table), leaf.values);
    const proof = await ethereumRowProof(receipt, input, table.task, row, signal);
    const file = buildRowFile(sha256, receipt, leaf, proof);
    const { shown, chain, fault } = verifyRow({ hash: sha256, verify: verifyEd25519 }, file);
    if (shown === undefined || fault !== undefined)
      throw new IpdmError("INVARIANT", `the row's file does not verify: ${fault?.code ?? ""} ${fault?.message ?? ""}`);
    return { shown, chain, file };
  } finally {
    await store?.close();
  }
}
