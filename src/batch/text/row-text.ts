import type { Batch } from "../batch.ts";
import { RowWriter } from "./row-writer.ts";
import { TextBytes } from "./text-bytes.ts";

/** One row of a batch as a line of NDJSON, without its end: every digit of every integer is there. */
export function ndjsonRow(batch: Batch, row: number): string {
  const text = new TextBytes();
  new RowWriter("ndjson", batch.schema).rowsOf(batch, text)(row);
  return new TextDecoder().decode(text.view(0, text.length - 1));
}
