import { Batch, fieldOf, NO_BLOCK } from "../../batch/batch.ts";
import { isNull } from "../../batch/column.ts";
import type { Ipld } from "../../dag/block.ts";
import { CHUNK_ROWS, KEYS_IDLE_MAX } from "../limits.ts";
import { KeyTable } from "../window/key-table.ts";
import { bytesPart, malformed, partOf } from "../window/state-bytes.ts";
import type { JoinInput, JoinPlan } from "./join-plan.ts";
import type { JoinRule, Kept, SideIndex } from "./join-rule.ts";
import { KeptRows } from "./kept-rows.ts";
import { Pairs } from "./pairs.ts";
import type { RowsState } from "./rows-state.ts";

/** Ids of the keys of some rows of a batch; -1 where part of a key is null. Inputs take turns row by row: keys are looked up for many rows. */
class ChunkIds {
  batch: Batch | undefined;
  from = 0;
  to = 0;
  readonly ids = new Int32Array(CHUNK_ROWS);
}

/** What all joins work on: the kept rows of both sides by key, the watermark, the pairs that come out. */
export class JoinCore {
  readonly plan: JoinPlan;
  readonly inputs: readonly [JoinInput, JoinInput];
  kept: Kept;
  readonly pairs: Pairs;
  /** First and last entry of each key's list on a side, plus 1. */
  readonly heads: [Int32Array, Int32Array] = [new Int32Array(1024), new Int32Array(1024)];
  readonly tails: [Int32Array, Int32Array] = [new Int32Array(1024), new Int32Array(1024)];
  keys: KeyTable;
  newest = Number.NEGATIVE_INFINITY;
  /** Marks alone move the watermark, not rows. */
  isMarked = false;
  /** How far the watermark stays behind the newest event time. */
  readonly outOfOrder: number;
  /** Rows of the last call of {@link rows} that are late, and how many. */
  late = new Int32Array(16);
  lateCount = 0;
  /** The newest time of a row whose pairs had no room. */
  private reached = Number.NEGATIVE_INFINITY;
  private readonly chunks: readonly [ChunkIds, ChunkIds] = [new ChunkIds(), new ChunkIds()];
  private views = new WeakMap<Batch, Batch>();

  constructor(plan: JoinPlan, inputs: readonly [JoinInput, JoinInput], outOfOrder: number) {
    this.plan = plan;
    this.inputs = inputs;
    this.outOfOrder = outOfOrder;
    this.kept = this.emptyRows();
    this.pairs = new Pairs(plan);
    this.keys = this.emptyKeys();
  }

  get watermark(): number {
    return this.newest - this.outOfOrder;
  }

  /** Rows in {@link kept}. */
  get living(): number {
    return this.kept[0].living + this.kept[1].living;
  }

  /** Rows of both sides, none yet. */
  emptyRows(): Kept {
    return [new KeptRows(this.inputs[0].schema), new KeptRows(this.inputs[1].schema)];
  }

  /** Whether something began that {@link proceed} has to go on with. */
  isBusy(rule: JoinRule): boolean {
    return rule.isBusy || this.reached > this.newest;
  }

  /** Goes on with what had no room among the pairs, up to where they are full again. */
  proceed(rule: JoinRule): void {
    if (rule.work()) this.advance(rule, this.reached);
  }

  /** Moves the newest time. */
  advance(rule: JoinRule, newest: number): void {
    if (newest <= this.newest) return;
    this.newest = newest;
    rule.advance();
  }

  /**
   * Hands rows to the rule one by one, up to the one behind which pairs are full; returns the row behind it. The numbers of `lateCount` rows
   * that are late stand in `late`.
   */
  rows(rule: JoinRule, side: SideIndex, batch: Batch, from: number, to: number, times: Float64Array): number {
    const chunk = this.chunks[side];
    const { pairs } = this;
    this.lateCount = 0;
    let row = from;
    while (row < to && !pairs.isFull) {
      if (batch !== chunk.batch || row >= chunk.to || row < chunk.from) this.readIds(side, batch, row);
      const time = times[row] as number;
      if (!rule.row(side, batch, row, time, chunk.ids[row - chunk.from] as number)) this.putLate(row);
      else if (time > this.newest && !this.isMarked) {
        // The row's own pairs come before those of what it moves the watermark past.
        if (rule.isBusy) this.reached = time;
        else this.advance(rule, time);
      }
      row++;
    }
    if (!pairs.isFull) this.tidy(rule);
    return row;
  }

  /** {@link rows} of times that are quiet for the rule. */
  quietRows(rule: JoinRule, side: SideIndex, batch: Batch, from: number, to: number, times: Float64Array): void {
    const chunk = this.chunks[side];
    let newest = Number.NEGATIVE_INFINITY;
    for (let start = from; start < to; ) {
      if (batch !== chunk.batch || start >= chunk.to || start < chunk.from) this.readIds(side, batch, start);
      const end = Math.min(to, chunk.to);
      for (let row = start; row < end; row++) {
        const time = times[row] as number;
        rule.row(side, batch, row, time, chunk.ids[row - chunk.from] as number);
        if (time > newest) newest = time;
      }
      start = end;
    }
    if (!this.isMarked) this.newest = Math.max(this.newest, newest);
    this.tidy(rule);
  }

  /** Keeps a row at the end of its key's list. */
  keep(side: SideIndex, batch: Batch, row: number, time: number, id: number): number {
    const kept = this.kept[side];
    const entry = kept.add(batch, row, time, id);
    if (id >= 0) this.link(side, entry, id);
    return entry;
  }

  /** Remembers what the key of a row looks like. */
  remember(side: SideIndex, batch: Batch, row: number, id: number): void {
    if (!this.keys.store.has(id)) this.keys.remember(id, this.viewOf(side, batch), row);
  }

  /** Puts a pair of kept rows; -1 where one is missing. */
  putEntries(left: number, right: number): void {
    const [a, b] = this.kept;
    this.pairs.put(a.batchOf(left), a.rows[left] ?? -1, b.batchOf(right), b.rows[right] ?? -1);
  }

  /** What is needed to go on: the living rows of both sides and where the inputs were. */
  state(rule: JoinRule): RowsState {
    const rows = rule.collect();
    const matched = rows.map((kept) => {
      const flags: number[] = [];
      for (let entry = 0; entry < kept.count; entry++)
        if (kept.dead[entry] === 0) flags.push(kept.matched[entry] as number);
      return Uint8Array.from(flags);
    });
    return {
      lists: [rows[0].toBatches(), rows[1].toBatches()],
      about: { newest: Number.isFinite(this.newest) ? this.newest : null, matched },
    };
  }

  /** Throws `WINDOW_SNAPSHOT_MALFORMED`. */
  restore({ lists, about }: RowsState, rule: JoinRule, timesOf: (side: SideIndex, batch: Batch) => Float64Array): void {
    const newest = partOf(about, "newest");
    this.newest = typeof newest === "number" ? newest : Number.NEGATIVE_INFINITY;
    const matched = partOf(about, "matched");
    for (const side of [0, 1] as const) {
      const kept = this.kept[side];
      for (const batch of lists[side] ?? []) {
        const times = timesOf(side, batch);
        for (let row = 0; row < batch.rows; row++) kept.add(batch, row, times[row] as number, 0);
      }
      const flags = bytesPart((matched as readonly Ipld[] | undefined)?.[side]);
      if (flags.length !== kept.count) throw malformed("matched rows");
      kept.matched.set(flags);
    }
    this.relist(true);
    rule.rebuilt();
  }

  private putLate(row: number): void {
    if (this.lateCount === this.late.length) this.late = longer(this.late, 2 * this.lateCount);
    this.late[this.lateCount++] = row;
  }

  private tidy(rule: JoinRule): void {
    const isIdle = this.keys.size > 4 * rule.living + KEYS_IDLE_MAX;
    const [left, right] = this.kept;
    if (!isIdle && !left.isSparse && !right.isSparse && rule.isSparse !== true) return;
    this.kept = rule.collect();
    for (const kept of this.kept) kept.compact();
    if (isIdle) this.keys = this.emptyKeys();
    this.relist(isIdle);
    rule.rebuilt();
  }

  /** Makes the lists of all keys again, where keys have new ids those too. Entries are in order, and none is dead. */
  private relist(hasNewIds: boolean): void {
    if (hasNewIds) for (const chunk of this.chunks) chunk.batch = undefined;
    for (const side of [0, 1] as const) {
      this.heads[side].fill(0);
      this.tails[side].fill(0);
    }
    for (const side of [0, 1] as const) {
      const kept = this.kept[side];
      const chunk = this.chunks[side];
      for (let entry = 0; entry < kept.count; entry++) {
        if (hasNewIds) {
          const batch = kept.batches[kept.at[entry] as number] as Batch;
          const row = kept.rows[entry] as number;
          if (batch !== chunk.batch || row >= chunk.to || row < chunk.from) this.readIds(side, batch, row);
          kept.ids[entry] = chunk.ids[row - chunk.from] as number;
        }
        kept.next[entry] = 0;
        const id = kept.ids[entry] as number;
        if (id >= 0) this.link(side, entry, id);
      }
    }
  }

  /** Reads the ids of the rows of a batch from one on. */
  private readIds(side: SideIndex, batch: Batch, from: number): void {
    const chunk = this.chunks[side];
    const view = this.viewOf(side, batch);
    chunk.batch = batch;
    chunk.from = from;
    chunk.to = Math.min(batch.rows, from + CHUNK_ROWS);
    this.keys.fill(view, from, chunk.to, chunk.ids);
    this.reserve();
    for (const column of view.columns) {
      if (column.nulls === 0) continue;
      for (let row = from; row < chunk.to; row++) if (isNull(column, row)) chunk.ids[row - from] = -1;
    }
  }

  private link(side: SideIndex, entry: number, id: number): void {
    const tail = this.tails[side][id] as number;
    if (tail === 0) this.heads[side][id] = entry + 1;
    else this.kept[side].next[tail - 1] = entry + 1;
    this.tails[side][id] = entry + 1;
  }

  /** The key columns of a batch under their names on the left: one key table serves both sides. */
  private viewOf(side: SideIndex, batch: Batch): Batch {
    let view = this.views.get(batch);
    if (view === undefined) {
      const columns = this.inputs[side].keys.map((name, i) => {
        const column = batch.column(name);
        return { ...column, field: { ...column.field, name: this.inputs[0].keys[i] as string } };
      });
      view = new Batch({ fields: columns.map(({ field }) => field) }, batch.rows, columns, NO_BLOCK);
      this.views.set(batch, view);
    }
    return view;
  }

  private reserve(): void {
    const { size } = this.keys;
    for (const lists of [this.heads, this.tails]) {
      for (const side of [0, 1] as const) {
        if (lists[side].length >= size) continue;
        lists[side] = longer(lists[side], 2 * size);
      }
    }
  }

  private emptyKeys(): KeyTable {
    const [left] = this.inputs;
    return new KeyTable(left.keys.map((name) => fieldOf(left.schema, name)));
  }
}

function longer(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(length);
  made.set(array);
  return made;
}
