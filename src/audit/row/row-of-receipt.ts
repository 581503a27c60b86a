import type { ShownReceipt } from "../../../proofs/ethereum/row-proof.ts";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { buildRowFile } from "../../../proofs/row/row-file.ts";
import { batchOfRow, schemaOfOutput } from "../../../proofs/row/row-values.ts";
import { type ShownRow, verifyRow } from "../../../proofs/row/verify-row.ts";
import { IpdmError } from "../../core/errors.ts";
import { sha256, verifyEd25519 } from "../../node.ts";
import type { AuditInput } from "../input-data.ts";
import { ethereumRowProof } from "./chain-proof.ts";
import { findRow } from "./find-row.ts";
import type { Wanted } from "./row-filter.ts";

/** Which row of a receipt is wanted. */
export interface RowOptions {
  readonly wanted: readonly Wanted[];
  /** Output whose table it is in; the only one with such a row by default. */
  readonly output?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A row found in a receipt's table, and the bytes of its file, which were checked as any reader would. */
export interface FoundRow {
  readonly shown: ShownRow;
  readonly chain: ShownReceipt | undefined;
  readonly file: Uint8Array;
}

/** Finds a row of a verified receipt and makes the file that shows it. Throws what {@link findRow} and {@link ethereumRowProof} throw. */
export async function rowOfReceipt(receipt: Receipt, input: AuditInput, options: RowOptions): Promise<FoundRow> {
  const { wanted, output, signal = new AbortController().signal } = options;
  const leaf = await findRow(receipt, input, wanted, output, signal);
  const table = receipt.result.outputs[leaf.output] as Receipt["result"]["outputs"][string];
  const row = batchOfRow(schemaOfOutput(table), leaf.values);
  const proof = await ethereumRowProof(receipt, input, table.task, row, signal);
  const file = buildRowFile(sha256, receipt, leaf, proof);
  const { shown, chain, fault } = verifyRow({ hash: sha256, verify: verifyEd25519 }, file);
  if (shown === undefined || fault !== undefined)
    throw new IpdmError("INVARIANT", `the row's file does not verify: ${fault?.code ?? ""} ${fault?.message ?? ""}`);
  return { shown, chain, file };
}
