import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import type { Committed } from "../../src/consensus/coverage.ts";
import type { Slot } from "../../src/consensus/slot.ts";
import { parseStatement, type Statement } from "../../src/consensus/statement.ts";
import { toHex } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { type Block, cborBlock, decodeBlock } from "../../src/dag/block.ts";
import type { Store } from "../../src/journal/port.ts";
import type { TaskPlan } from "../../src/runtime/plan.ts";

interface Ports {
  readonly hash: Hash;
  readonly store: Store;
}

/**
 * What one node has computed for a task, in whatever epoch: a statement follows from the stage, the state before and the batches alone,
 * so for another slot with the same ones it is known already. And how an input that grew was cut into pieces, so that it is cut the
 * same again.
 */
export class WorkMemory {
  private readonly ports: Ports;
  private readonly stage: string;

  constructor(ports: Ports, task: TaskPlan) {
    this.ports = ports;
    this.stage = task.stage.cid.toString();
  }

  /** The statement for a slot, if this node computed it for another one; all blocks that it names are in the store. */
  async recall(slot: Slot, cid: CID, before: CID | null): Promise<Recalled | undefined> {
    const { hash, store } = this.ports;
    const kept = await store.meta.get(this.keyOf(slot, before));
    if (kept === undefined) return undefined;
    const found = CID.decode(kept);
    const bytes = await store.blocks.get(found);
    if (bytes === undefined) return undefined;
    const statement: Statement = { ...parseStatement(decodeBlock({ cid: found, bytes })), slot: cid };
    return { statementBlock: cborBlock(hash, statement), blocks: [] };
  }

  async keep({ slot, statementCid }: Committed, before: CID | null): Promise<void> {
    await this.ports.store.meta.put(this.keyOf(slot, before), statementCid.bytes);
  }

  /** Rows of the piece that starts at a row, where it was cut before. */
  async rowsAt(from: number): Promise<number | undefined> {
    const kept = await this.ports.store.meta.get(`piece/${this.stage}/${from}`);
    return kept === undefined ? undefined : Number(new TextDecoder().decode(kept));
  }

  async keepRows(from: number, rows: number): Promise<void> {
    if (rows > 0)
      await this.ports.store.meta.put(`piece/${this.stage}/${from}`, new TextEncoder().encode(String(rows)));
  }

  private keyOf({ input }: Slot, before: CID | null): string {
    const { from, end, batches } = input;
    const work = dagCbor.encode({ before, from, end, batches });
    return `work/${this.stage}/${toHex(this.ports.hash(work))}`;
  }
}

/** What stands for a computation that was made before. */
interface Recalled {
  readonly statementBlock: Block;
  readonly blocks: readonly Block[];
}
