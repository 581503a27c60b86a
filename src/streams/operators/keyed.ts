import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import type { Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import { loadRows, saveRows } from "../join/rows-state.ts";
import { KeyedValues } from "../keyed/keyed-values.ts";
import { Punctuation } from "../keyed/punctuation.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Counters } from "../step.ts";
import { timesOf } from "../window/event-clock.ts";
import { timeOf } from "./event-time.ts";
import { durationOf } from "./given.ts";

/** Options of {@link dedup}. */
export interface DedupOptions {
  /** Keeps another row of a key when its event time is so much later than that of the row kept last; without it only the first. */
  readonly within?: string;
}

/**
 * Keeps the first row of each key that `keyBy` said before; of no key, of the whole stream. With `within` a key is forgotten once the watermark has
 * passed its time: that takes an event time, bounds the state, and a row before the watermark counts as seen.
 */
export function dedup({
  within,
}: DedupOptions = {}): <C = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<C, K>> {
  const span = within === undefined ? Number.POSITIVE_INFINITY : durationOf("dedup", "within", within);
  return operator(
    (out, step) => {
      let seen: Seen | undefined;
      let header: Header = { kind: "header" };
      return {
        header(given) {
          header = given;
          const saved = given.restored?.state(step()?.place ?? "");
          if (saved !== undefined) {
            const { lists, about } = loadRows(saved.state);
            seen = new Seen(new KeyedValues(saved.schema, given.keys ?? [], 1), given, span);
            seen.values.load(lists[0] ?? []);
            seen.newest = typeof about === "number" ? about : Number.NEGATIVE_INFINITY;
          }
          return given;
        },
        batch(batch) {
          seen ??= new Seen(new KeyedValues(batch.schema, header.keys ?? [], 1), header, span);
          const rows = new Int32Array(batch.rows);
          const kept = seen.keep(batch, rows);
          const here = step();
          if (here !== undefined) seen.count(here.counters);
          if (kept > 0) out.next(kept === batch.rows ? batch : gatherRows(batch, rows, kept));
        },
        watermark(item) {
          seen?.pass(item.timeUs);
          out.next(item);
        },
        barrier(barrier) {
          const here = step();
          if (seen === undefined || here === undefined || seen.schema === undefined) return;
          seen.forget();
          const about = Number.isFinite(seen.newest) ? seen.newest : null;
          barrier.add(here.place, saveRows(barrier.hash, { lists: [seen.values.save()], about }), seen.schema);
        },
      };
    },
    { name: "dedup", detail: within ?? "" },
  );
}

/** When each key was kept last. */
class Seen {
  readonly values: KeyedValues;
  schema: Batch["schema"] | undefined;
  newest = Number.NEGATIVE_INFINITY;
  private readonly span: number;
  private readonly outOfOrder: number;
  private readonly time: string | undefined;
  private readonly ids = new Int32Array(CHUNK_ROWS);
  private readonly clock: Punctuation;
  private rows = 0;

  constructor(values: KeyedValues, header: Header, span: number) {
    this.values = values;
    this.span = span;
    const time = Number.isFinite(span) ? timeOf(header, "dedup with a time") : undefined;
    this.time = time?.column;
    this.clock = new Punctuation(time?.punctuated);
    this.outOfOrder = time?.outOfOrderUs ?? 0;
  }

  /** Puts the rows to keep into `rows`; how many. */
  keep(batch: Batch, rows: Int32Array): number {
    this.schema = batch.schema;
    const { ids, values, time, span, clock } = this;
    let kept = 0;
    if (time !== undefined) clock.open(batch);
    for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
      const to = Math.min(batch.rows, from + CHUNK_ROWS);
      values.fill(batch, from, to, ids);
      const [until] = values.numbers as [Float64Array];
      const words = time === undefined ? undefined : wordsOf(timesOf(batch, time, from, to, this.rows));
      for (let row = from; row < to; row++) {
        const id = ids[row - from] as number;
        const at = words === undefined ? 0 : wordsToNumber(words, row);
        const isLate = at < this.newest - this.outOfOrder;
        const mark = words === undefined ? Number.NEGATIVE_INFINITY : clock.at(row, at);
        if (mark > this.newest) this.newest = mark;
        if (isLate) continue;
        const last = until[id] as number;
        if (!Number.isNaN(last) && at < last) continue;
        if (Number.isNaN(last)) values.begin(id, batch, row);
        until[id] = at + span;
        rows[kept++] = row;
      }
      this.rows += to - from;
      if (Number.isFinite(span)) values.tidy((id) => this.isOver(id));
    }
    return kept;
  }

  /** A watermark from between the rows: nothing is expected before it. */
  pass(timeUs: number): void {
    if (this.clock.isMarked) this.newest = Math.max(this.newest, timeUs);
  }

  /** Tells counters how much is kept, and where the watermark is. */
  count(counters: Counters): void {
    counters.stateBytes = this.values.stateBytes;
    if (this.time === undefined) return;
    counters.watermarkUs = this.newest - this.outOfOrder;
    counters.watermarkLagUs = this.outOfOrder;
  }

  forget(): void {
    if (Number.isFinite(this.span)) this.values.forget((id) => this.isOver(id));
  }

  private isOver(id: number): boolean {
    return (this.values.numbers[0]?.[id] as number) <= this.newest - this.outOfOrder;
  }
}
