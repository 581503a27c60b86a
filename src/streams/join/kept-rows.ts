import type { Batch } from "../../batch/batch.ts";
import { assembleBatch } from "../../batch/gather.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { RowPicker } from "../../batch/pick.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { KEPT_ROWS_MAX } from "../limits.ts";

/** Entries that may be dead before the living ones are copied together. */
const DEAD_MAX = 65_536;
/** Rows of the batches held for each living one, beyond which the living are copied. */
const HELD_SHARE = 4;

/**
 * Rows that an operator keeps, by entry number in the order in which they came. Batches are not copied: an entry points into the one
 * that it came in, until most entries of all are dead. Numbers change in {@link compact} alone, and keep their order.
 */
export class KeptRows {
  batches: Batch[] = [];
  at = new Int32Array(1024);
  rows = new Int32Array(1024);
  times = new Float64Array(1024);
  /** Next entry of the same list, plus 1; 0 ends it. */
  next = new Int32Array(1024);
  /** Id of the entry's key. */
  ids = new Int32Array(1024);
  /** 1 for an entry that has met a partner. */
  matched = new Uint8Array(1024);
  /** 1 for an entry that is no more. */
  dead = new Uint8Array(1024);
  count = 0;
  private deadCount = 0;
  private readonly schema: Schema;
  private readonly max: number;

  constructor(schema: Schema, max: number = KEPT_ROWS_MAX) {
    this.schema = schema;
    this.max = max;
  }

  /** Rows kept. */
  get living(): number {
    return this.count - this.deadCount;
  }

  /** Keeps a row of a batch that is not changed afterwards; returns its entry. Throws `STREAM_STATE_FULL`. */
  add(batch: Batch, row: number, time: number, id: number): number {
    if (this.batches.at(-1) !== batch) this.batches.push(batch);
    if (this.count === this.rows.length) this.grow();
    const entry = this.count++;
    this.at[entry] = this.batches.length - 1;
    this.rows[entry] = row;
    this.times[entry] = time;
    this.ids[entry] = id;
    this.next[entry] = 0;
    this.matched[entry] = 0;
    this.dead[entry] = 0;
    if (this.living > this.max) throw stateFull(this.max);
    return entry;
  }

  drop(entry: number): void {
    if (this.dead[entry] === 1) return;
    this.dead[entry] = 1;
    this.deadCount++;
  }

  /** The batch of an entry; undefined for -1. */
  batchOf(entry: number): Batch | undefined {
    return entry < 0 ? undefined : this.batches[this.at[entry] as number];
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.batches = [];
    this.count = 0;
    this.deadCount = 0;
  }

  /** Whether {@link compact} pays. */
  get isSparse(): boolean {
    return this.deadCount > DEAD_MAX && this.deadCount > this.count / 2;
  }

  /** Numbers the living entries anew; lists have to be made again. Batches without a living row go; where most rows of the others are dead, the living are copied together. */
  compact(): void {
    const places = new Int32Array(this.batches.length).fill(-1);
    const batches: Batch[] = [];
    let held = 0;
    let to = 0;
    for (let entry = 0; entry < this.count; entry++) {
      if (this.dead[entry] === 1) continue;
      const at = this.at[entry] as number;
      if (places[at] === -1) {
        const batch = this.batches[at] as Batch;
        places[at] = batches.length;
        batches.push(batch);
        held += batch.rows;
      }
      this.at[to] = places[at] as number;
      this.rows[to] = this.rows[entry] as number;
      this.times[to] = this.times[entry] as number;
      this.ids[to] = this.ids[entry] as number;
      this.matched[to] = this.matched[entry] as number;
      to++;
    }
    this.batches = batches;
    this.count = to;
    this.deadCount = 0;
    this.dead.fill(0, 0, to);
    if (held > HELD_SHARE * to + DEAD_MAX) this.copyTogether();
  }

  /** The living rows as batches of 4096 rows, in their order. */
  toBatches(): Batch[] {
    const { schema } = this;
    const made: Batch[] = [];
    const picker = new RowPicker();
    let entry = 0;
    while (entry < this.count) {
      const places = new Map<number, number>();
      const batches: Batch[] = [];
      const at = new Int32Array(BATCH_ROWS_DEFAULT);
      const rows = new Int32Array(BATCH_ROWS_DEFAULT);
      let count = 0;
      for (; entry < this.count && count < BATCH_ROWS_DEFAULT; entry++) {
        if (this.dead[entry] === 1) continue;
        const index = this.at[entry] as number;
        let place = places.get(index);
        if (place === undefined) {
          place = batches.length;
          places.set(index, place);
          batches.push(this.batches[index] as Batch);
        }
        at[count] = place;
        rows[count++] = this.rows[entry] as number;
      }
      if (count === 0) break;
      picker.choose(batches, at, rows, count);
      const parts = schema.fields.map((field) => picker.column(field.name, field));
      made.push(assembleBatch(schema, count, parts));
    }
    return made;
  }

  private copyTogether(): void {
    this.batches = this.toBatches();
    let entry = 0;
    for (const [index, batch] of this.batches.entries()) {
      for (let row = 0; row < batch.rows; row++, entry++) {
        this.at[entry] = index;
        this.rows[entry] = row;
      }
    }
  }

  private grow(): void {
    const capacity = 2 * this.rows.length;
    const larger = <T extends Int32Array | Float64Array | Uint8Array>(array: T): T => {
      const made = new (array.constructor as new (length: number) => T)(capacity);
      made.set(array);
      return made;
    };
    this.at = larger(this.at);
    this.rows = larger(this.rows);
    this.times = larger(this.times);
    this.next = larger(this.next);
    this.ids = larger(this.ids);
    this.matched = larger(this.matched);
    this.dead = larger(this.dead);
  }
}

/** More rows are kept than may be. */
export function stateFull(max: number): IpdmError {
  return new IpdmError("STREAM_STATE_FULL", `an operator keeps more than ${max} rows`, {
    hint: "join over shorter times, or give a time-to-live",
    facts: { max },
  });
}
