import type { CID } from "multiformats/cid";
import type { Receipt } from "../../proofs/receipt/contents.ts";
import { type Batch, decodeBatch } from "../batch/batch.ts";
import { batchBlock } from "../batch/batch-block.ts";
import { sameRow } from "../batch/rows.ts";
import { type Schema, sameSchema } from "../batch/schema.ts";
import { isEndpoint } from "../config/chain-source.ts";
import type { ChainAnchor } from "../consensus/chain-anchor.ts";
import { isChainAnchor } from "../consensus/result.ts";
import { IpdmError } from "../core/errors.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { isContentOf, type SourceContent } from "../plan/anchor.ts";
import { openChain } from "../sources/chain/open.ts";
import { generatedText } from "../sources/generated/kind.ts";
import { openGenerated } from "../sources/generated/open.ts";
import { openSource, type SourceSpec, type TableSource } from "../sources/port.ts";
import { type DataFolder, needsBatch } from "./data-folder.ts";
import { FetchedInputs } from "./fetched-inputs.ts";
import { sameBlocksText } from "./same-block.ts";

/** Where an input file given by the reader differs from what the receipt is about. */
export interface InputDifference {
  readonly input: string;
  readonly batch: number;
  /** First row, counted over the whole input, that differs. */
  readonly row: number;
  /** How many rows from `row` on the first difference may be in: 1 unless the recorded rows are not at hand. */
  readonly rows: number;
  readonly message: string;
}

interface Reader {
  readonly source: TableSource<SourceContent>;
  readonly iterator: AsyncIterator<Batch>;
}

/** Batches of a source as a slot names them: from the file that the reader gives, compared with the slot, or from the data folder. */
export class AuditInput {
  /** The data folder, where one was looked for. */
  readonly data: DataFolder | undefined;
  private readonly receipt: Receipt;
  private readonly files: Readonly<Record<string, string>>;
  private readonly readers = new Map<string, Reader>();
  private readonly differing = new Set<string>();
  private fetched: FetchedInputs | undefined;

  constructor(receipt: Receipt, files: Readonly<Record<string, string>>, data: DataFolder | undefined) {
    this.receipt = receipt;
    this.files = files;
    this.data = data;
  }

  /** The recorded block, if the data folder has it. */
  async recorded(cid: CID): Promise<Uint8Array | undefined> {
    return this.data?.store?.blocks.get(cid);
  }

  /**
   * One batch of a source, which begins at row `from`: from the data folder, or from the file that the reader gave. Throws `NEEDS_DATA`
   * as {@link read} does, and `INPUT_DIFFERS` where the file is not the recorded one.
   */
  async batchAt(name: string, cid: CID, from: number, cut: number, signal: AbortSignal): Promise<Batch> {
    const file = this.placeOf(name);
    const recorded = await this.recorded(cid);
    if (recorded !== undefined) return decodeBatch(recorded);
    if (file === undefined)
      throw needsBatch(cid, `rows of input ${name} from row ${from} on`, this.data, { input: name });
    await using source = await this.open(name, file, signal);
    for await (const batch of source.batches({ batchRows: cut, fromRow: from, signal })) {
      if (rawBlock(sha256, batch.bytes).cid.equals(cid)) return batch;
      break;
    }
    throw new IpdmError("INPUT_DIFFERS", `${file} does not give batch ${cid.toString()} from row ${from} on`, {
      kind: "verification",
      where: file,
      hint: "give the file that was processed",
    });
  }

  /**
   * Blocks of a chain input from a row on, as the place that the reader gave has them, however it writes them; `undefined` where the
   * reader gave none. Whoever reads them holds them to their hashes.
   */
  blocksGiven(name: string, row: number, batchRows: number, signal: AbortSignal): AsyncGenerator<Batch> | undefined {
    const place = this.files[name];
    return place === undefined ? undefined : this.batchesOf(name, place, row, batchRows, signal);
  }

  private async *batchesOf(
    name: string,
    place: string,
    fromRow: number,
    batchRows: number,
    signal: AbortSignal,
  ): AsyncGenerator<Batch> {
    await using source = await this.open(name, place, signal);
    yield* source.batches({ batchRows, fromRow, signal });
  }

  /**
   * The next batches of a source for a task. Throws `NEEDS_DATA` (kind `unreachable`) naming the CID that is nowhere; returns a
   * difference where a given file holds something else.
   */
  async read(
    task: string,
    name: string,
    cids: readonly CID[],
    from: number,
    cut: number,
    end: boolean,
    signal: AbortSignal,
  ): Promise<Batch[] | InputDifference> {
    const file = this.placeOf(name);
    if (file === undefined) return this.stored(name, cids);
    const reader = await this.reader(task, name, file, cut, signal).catch((error: unknown) =>
      this.unreadable(name, error),
    );
    if ("message" in reader) return { input: name, batch: 0, row: from, rows: cut, message: reader.message };
    const batches: Batch[] = [];
    let row = from;
    for (const [i, cid] of cids.entries()) {
      const next = await this.next(reader, name);
      if (next === undefined)
        return { input: name, batch: i, row, rows: 1, message: `the file ends before row ${row}` };
      if (!("bytes" in next)) return { input: name, batch: i, row, rows: cut, message: next.message };
      if (!batchBlock(sha256, next).cid.equals(cid)) {
        const found = difference(await this.recorded(cid), next, row);
        const isSame = this.receipt.anchors.get(name)?.kind === "ethereum" && !this.differing.has(name);
        const more = isSame ? sameBlocksText(next, found.row - row, found.rows) : "";
        return { input: name, batch: i, ...found, message: `${found.message}${more}` };
      }
      batches.push(next);
      row += next.rows;
    }
    if (end && (await this.next(reader, name)) !== undefined)
      return { input: name, batch: cids.length, row, rows: 1, message: `the file goes on with row ${row}` };
    return batches;
  }

  /** Columns of an input, from the file that the reader gives; `undefined` without one. */
  async schema(task: string, name: string, cut: number, signal: AbortSignal): Promise<Schema | undefined> {
    const file = this.placeOf(name);
    return file === undefined ? undefined : (await this.reader(task, name, file, cut, signal)).source.schema;
  }

  /** Where an input is read that is not taken from the data folder: the file that the reader gives; what is generated is made again. */
  private placeOf(name: string): string | undefined {
    const anchor = this.receipt.anchors.get(name);
    return anchor?.kind === "generated" ? generatedText(anchor) : this.files[name];
  }

  /** The next batch. */
  private async next(reader: Reader, name: string): Promise<Batch | { readonly message: string } | undefined> {
    try {
      const next = await reader.iterator.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      return this.unreadable(name, error);
    }
  }

  /** That another file cannot be read like the recorded one is a difference; the recorded one itself has to be readable. */
  private unreadable(name: string, error: unknown): { readonly message: string } {
    const isOfFile =
      error instanceof IpdmError && (error.code.startsWith("SOURCE_") || error.code === "COLUMN_MISSING");
    if (!isOfFile || !this.differing.has(name)) throw error;
    return { message: `the file cannot be read as the one that was processed: ${error.message}` };
  }

  /** Compares the digest of each file given with the receipt's anchor. Returns the names of those that differ. */
  async changed(signal: AbortSignal): Promise<string[]> {
    for (const [name, file] of Object.entries(this.files)) {
      const anchor = this.receipt.anchors.get(name);
      if (anchor === undefined) {
        const known = [...this.receipt.anchors.keys()].join(", ");
        throw new IpdmError("INPUT_UNKNOWN", `the receipt has no input ${name}`, {
          kind: "usage",
          hint: `its inputs: ${known}`,
        });
      }
      if (anchor.kind === "generated") {
        throw new IpdmError("INPUT_UNKNOWN", `input ${name} is generated: it is read from no file`, {
          kind: "usage",
          hint: `leave --input ${name}=… out`,
        });
      }
      // A file is opened in the form that needs no look inside: what another one holds is compared later.
      await using source: TableSource<SourceContent> =
        anchor.kind === "file"
          ? await openSource({ file, format: "ndjson", columns: { _: "utf8" } }, { signal })
          : await this.openBlocks(anchor, file, signal);
      if (!isContentOf(anchor, await source.content(signal), sha256)) this.differing.add(name);
    }
    return [...this.differing];
  }

  async close(): Promise<void> {
    for (const { source, iterator } of this.readers.values()) {
      await iterator.return?.();
      await source.close();
    }
    this.readers.clear();
    await this.fetched?.close();
  }

  private async stored(name: string, cids: readonly CID[]): Promise<Batch[]> {
    const batches: Batch[] = [];
    for (const cid of cids) {
      const bytes = await this.recorded(cid);
      if (bytes === undefined) throw needsBatch(cid, `rows of input ${name}`, this.data, { input: name });
      batches.push(decodeBatch(bytes));
    }
    return batches;
  }

  private async reader(task: string, name: string, file: string, cut: number, signal: AbortSignal): Promise<Reader> {
    const key = `${task}/${name}`;
    let reader = this.readers.get(key);
    if (reader === undefined) {
      const source = await this.open(name, file, signal);
      const batchRows = this.wasFollowed(task, name) ? 1 : cut;
      reader = { source, iterator: source.batches({ batchRows, digests: true, signal }) };
      this.readers.set(key, reader);
    }
    return reader;
  }

  /** Of a chain whose head the run followed every block is a batch; its stages name the anchor without its end. */
  private wasFollowed(task: string, name: string): boolean {
    const { stages, result } = this.receipt;
    return stages.get(task)?.upstream.equals(result.inputs[name]) === false;
  }

  /** The blocks that a receipt is about, at the place that its reader gives: a file, a folder, or an endpoint, which is asked once. */
  private async openBlocks(
    anchor: ChainAnchor,
    place: string,
    signal: AbortSignal,
  ): Promise<TableSource<SourceContent>> {
    const { kind, chain, from, to } = anchor;
    let places: readonly string[] = [place];
    if (isEndpoint({ path: place })) {
      this.fetched ??= new FetchedInputs();
      places = await this.fetched.places(anchor, place, signal);
    }
    return openChain({ kind, places, from, to, anchor: null, chain }, { signal });
  }

  private async open(name: string, file: string, signal: AbortSignal): Promise<TableSource<SourceContent>> {
    const anchor = this.receipt.anchors.get(name);
    if (anchor?.kind === "generated") return openGenerated(anchor, { signal });
    if (anchor !== undefined && isChainAnchor(anchor)) return this.openBlocks(anchor, file, signal);
    const columns = anchor?.columns?.map((column) => [column.name, column.type] as const);
    // The receipt's own word for its columns; openSource refuses types that it does not know.
    const declared = (columns && Object.fromEntries(columns)) as SourceSpec["columns"];
    return openSource({ file, format: anchor?.format, columns: declared }, { signal });
  }
}

/**
 * Says from which row on a batch is not the recorded one. `recorded` is undefined where only its CID is known: then all that can
 * be said is which rows the difference is among.
 */
export function difference(
  recorded: Uint8Array | undefined,
  found: Batch,
  from: number,
): { row: number; rows: number; message: string } {
  if (recorded === undefined) {
    const among = found.rows === 1 ? `row ${from}` : `one of the rows ${from} to ${from + found.rows - 1}`;
    return {
      row: from,
      rows: found.rows,
      message: `${among} is not the one that was processed (which one, only the recorded batch can tell: pass --data)`,
    };
  }
  const batch = decodeBatch(recorded);
  if (!sameSchema(batch.schema, found.schema))
    return { row: from, rows: 1, message: `its columns are not those that were processed, from row ${from} on` };
  const row = from + firstDifference(batch, found);
  if (row === from + Math.max(batch.rows, found.rows))
    return {
      row: from,
      rows: found.rows,
      message: "its rows are those that were processed, its bytes are laid out otherwise",
    };
  return { row, rows: 1, message: `row ${row} is not the one that was processed` };
}

/** Position of the first row in which two batches of one schema differ; where the shorter ends, when it is the beginning of the other. */
function firstDifference(a: Batch, b: Batch): number {
  const rows = Math.min(a.rows, b.rows);
  for (let row = 0; row < rows; row++) if (!sameRow(a, row, b, row)) return row;
  return rows;
}
