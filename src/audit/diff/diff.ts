import type { CID } from "multiformats/cid";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { type Batch, decodeBatch } from "../../batch/batch.ts";
import { equalBytes } from "../../core/bytes.ts";
import { needsBatch } from "../data-folder.ts";
import type { AuditInput } from "../input-data.ts";
import { bisect } from "./bisect.ts";
import { type Cause, causesOf, taskOrder } from "./causes.ts";
import { firstRow, type RowDifference, type Side } from "./first-row.ts";
import { inputView, outputView, type TableView } from "./table-view.ts";

/** The first row that differs between two runs, and the stage that made it. */
export interface FirstDifference extends RowDifference {
  /** A source whose rows differ, or the task whose output does. */
  readonly stage: string;
  readonly from: "source" | "task";
  /** Output port of the task; null for a source. */
  readonly port: string | null;
}

/** How two runs compare. */
export interface DiffReport {
  /** True when both have the same result. */
  readonly same: boolean;
  /** What they say of themselves that differs, the first first. */
  readonly causes: readonly Cause[];
  /** Undefined where all tables that both have hold the same rows. */
  readonly first: FirstDifference | undefined;
  /** Blocks looked at to find it: states in the receipts, batches of data folders and inputs. */
  readonly reads: { readonly states: number; readonly batches: number };
}

/** A verified receipt and where its batches are. */
export interface DiffSide {
  readonly receipt: Receipt;
  readonly input: AuditInput;
}

/**
 * Compares two verified receipts: what they say, and where their results differ, the first stage, batch and row that do. Inputs
 * come before tasks, a task after what it reads; outputs of one task in the order of their names. Throws `NEEDS_DATA` (kind
 * `unreachable`) with the CID of a batch that is nowhere to be had, and the signal's reason.
 */
export async function diffReceipts(a: DiffSide, b: DiffSide, signal: AbortSignal): Promise<DiffReport> {
  const same = a.receipt.root.result.equals(b.receipt.root.result);
  if (same) return { same, causes: [], first: undefined, reads: { states: 0, batches: 0 } };
  const diff = new Diff(a, b, signal);
  const first = await diff.first();
  return { same, causes: causesOf(a.receipt, b.receipt), first, reads: { ...diff.reads } };
}

class Diff {
  readonly reads = { states: 0, batches: 0 };
  private readonly a: DiffSide;
  private readonly b: DiffSide;
  private readonly signal: AbortSignal;

  constructor(a: DiffSide, b: DiffSide, signal: AbortSignal) {
    this.a = a;
    this.b = b;
    this.signal = signal;
  }

  async first(): Promise<FirstDifference | undefined> {
    const [a, b] = [this.a.receipt, this.b.receipt];
    for (const stage of Object.keys(a.result.inputs).sort()) {
      const [one, other] = [inputView(a, stage), inputView(b, stage)];
      const isSame = a.result.inputs[stage]?.equals(b.result.inputs[stage] ?? a.root.result);
      if (isSame === true || one === undefined || other === undefined) continue;
      const found = await this.compare(one, other, (side, cid, from) =>
        side.input.batchAt(stage, cid, from, side.receipt.config.cut, this.signal),
      );
      if (found !== undefined) return { stage, from: "source", port: null, ...found };
    }
    for (const stage of taskOrder(a.result)) {
      const tables = a.tasks.find(({ task }) => task === stage)?.commits.at(-1)?.statement.tables ?? {};
      for (const port of Object.keys(tables).sort()) {
        const [one, other] = [outputView(a, stage, port), outputView(b, stage, port)];
        if (one === undefined || other === undefined) continue;
        const found = await this.compare(one, other, (side, cid, from) =>
          stored(side, this.a, this.b, cid, stage, from),
        );
        if (found !== undefined) return { stage, from: "task", port, ...found };
      }
    }
    return undefined;
  }

  private async compare(
    one: TableView,
    other: TableView,
    read: (side: DiffSide, cid: CID, from: number) => Promise<Batch>,
  ): Promise<RowDifference | undefined> {
    if (isSameRoot(one, other)) return undefined;
    const start = bisect(one, other, () => this.reads.states++);
    const sideOf = (side: DiffSide, view: TableView): Side => ({
      view,
      read: (cid, from) => {
        this.reads.batches++;
        return read(side, cid, from);
      },
    });
    return firstRow(sideOf(this.a, one), sideOf(this.b, other), start, this.signal);
  }
}

function isSameRoot(one: TableView, other: TableView): boolean {
  return (
    one.root !== undefined && other.root !== undefined && one.leaf === other.leaf && equalBytes(one.root, other.root)
  );
}

/** A batch by its CID: wherever it is, it is the same. */
async function stored(side: DiffSide, a: DiffSide, b: DiffSide, cid: CID, task: string, from: number): Promise<Batch> {
  for (const { input } of [side, a, b]) {
    const bytes = await input.recorded(cid);
    if (bytes !== undefined) return decodeBatch(bytes);
  }
  const flag = side === b && a !== b ? "--data-b" : "--data";
  throw needsBatch(cid, `rows of task ${task} from row ${from} on`, side.input.data, { flag });
}
