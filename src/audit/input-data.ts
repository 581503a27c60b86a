import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import { type Batch, decodeBatch } from "../batch/batch.ts";
import { RowEncoder } from "../batch/rows.ts";
import { IpdmError } from "../core/errors.ts";
import { equalBytes } from "../core/bytes.ts";
import { rawBlock } from "../dag/block.ts";
import { LevelStore } from "../journal/level-store.ts";
import type { Store } from "../journal/port.ts";
import { sha256 } from "../node.ts";
import { type Source, type SourceSpec, openSource } from "../sources/port.ts";
import type { Receipt } from "../../proofs/receipt/contents.ts";

/** Opens the store of a run's data folder that holds blocks: that of its first node. `undefined` when there is none. */
export async function openData(folder: string): Promise<Store | undefined> {
  const there = await stat(folder).then((found) => found.isDirectory(), () => false);
  if (!there) return undefined;
  for (const name of (await readdir(folder)).sort()) {
    const store = join(folder, name, "store");
    if (await stat(store).then((found) => found.isDirectory(), () => false)) return LevelStore.open({ path: store, hash: sha256 });
  }
  return undefined;
}

/** Where an input file given by the reader differs from what the receipt is about. */
export interface InputDifference {
  readonly input: string;
  readonly batch: number;
  /** First row, counted over the whole input, that differs; of the batch, where the recorded rows are not at hand. */
  readonly row: number;
  readonly message: string;
}

/** Batches of a source as a slot names them: from the file that the reader gives, compared with the slot, or from the data folder. */
export class AuditInput {
  private readonly receipt: Receipt;
  private readonly files: Readonly<Record<string, string>>;
  private readonly store: Store | undefined;
  private readonly readers = new Map<string, { source: Source; iterator: AsyncIterator<Batch>; row: number }>();

  constructor(receipt: Receipt, files: Readonly<Record<string, string>>, store: Store | undefined) {
    this.receipt = receipt;
    this.files = files;
    this.store = store;
  }

  /** The recorded block, if the data folder has it. */
  async recorded(cid: CID): Promise<Uint8Array | undefined> {
    return this.store?.blocks.get(cid);
  }

  /**
   * The next batches of a source for a task. Throws `NEEDS_DATA` (kind `unreachable`) naming the CID that is nowhere; returns a
   * difference where a given file holds something else.
   */
  async read(task: string, name: string, cids: readonly CID[], from: number, cut: number, end: boolean, signal: AbortSignal): Promise<Batch[] | InputDifference> {
    const file = this.files[name];
    if (file === undefined) return this.stored(cids);
    const reader = await this.reader(task, name, file, cut, signal);
    const batches: Batch[] = [];
    let row = from;
    for (const [i, cid] of cids.entries()) {
      const next = await reader.iterator.next();
      if (next.done === true) return { input: name, batch: i, row, message: `the file ends before row ${row}` };
      const batch: Batch = next.value;
      if (!rawBlock(sha256, batch.bytes).cid.equals(cid)) {
        const recorded = await this.recorded(cid);
        const at = recorded === undefined ? 0 : firstDifference(decodeBatch(recorded), batch);
        return { input: name, batch: i, row: row + at, message: `row ${row + at} is not the one that was processed` };
      }
      batches.push(batch);
      row += batch.rows;
    }
    if (end && (await reader.iterator.next()).done !== true) return { input: name, batch: cids.length, row, message: `the file goes on after row ${row}` };
    return batches;
  }

  /** Compares the digest of each file given with the receipt's anchor. Returns the names of those that differ. */
  async changed(signal: AbortSignal): Promise<string[]> {
    const changed: string[] = [];
    for (const [name, file] of Object.entries(this.files)) {
      const anchor = this.receipt.anchors.get(name);
      if (anchor === undefined) {
        const known = [...this.receipt.anchors.keys()].join(", ");
        throw new IpdmError("INPUT_UNKNOWN", `the receipt has no input ${name}`, { kind: "usage", hint: `its inputs: ${known}` });
      }
      await using source = await openSource(this.spec(name, file), { signal });
      if (!equalBytes((await source.content(signal)).sha256, anchor.sha256)) changed.push(name);
    }
    return changed;
  }

  async close(): Promise<void> {
    for (const { source, iterator } of this.readers.values()) {
      await iterator.return?.();
      await source.close();
    }
    this.readers.clear();
  }

  private async stored(cids: readonly CID[]): Promise<Batch[]> {
    const batches: Batch[] = [];
    for (const cid of cids) {
      const bytes = await this.recorded(cid);
      if (bytes === undefined) {
        throw new IpdmError("NEEDS_DATA", `batch ${cid.toString()} is needed to replay, and it is not in the data folder`, {
          kind: "unreachable",
          where: cid.toString(),
          hint: "pass --data <folder of the run> or --input name=path",
          facts: { cid: cid.toString() },
        });
      }
      batches.push(decodeBatch(bytes));
    }
    return batches;
  }

  private async reader(task: string, name: string, file: string, cut: number, signal: AbortSignal) {
    const key = `${task}/${name}`;
    let reader = this.readers.get(key);
    if (reader === undefined) {
      const source = await openSource(this.spec(name, file), { signal });
      reader = { source, iterator: source.batches({ batchRows: cut, signal }), row: 0 };
      this.readers.set(key, reader);
    }
    return reader;
  }

  private spec(name: string, file: string): SourceSpec {
    const anchor = this.receipt.anchors.get(name);
    return { file, format: anchor?.format, columns: (anchor?.columns ?? undefined) as SourceSpec["columns"] };
  }
}

/** Position of the first row in which two batches differ. */
export function firstDifference(a: Batch, b: Batch): number {
  const rows = Math.min(a.rows, b.rows);
  const [one, other] = [new RowEncoder(), new RowEncoder()];
  for (let row = 0; row < rows; row++) if (!equalBytes(one.encode(a, row), other.encode(b, row))) return row;
  return rows;
}
