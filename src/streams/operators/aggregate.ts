import type { Observable, Observer, OperatorFunction } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import { newestTime } from "../keyed/punctuation.ts";
import type { Step } from "../step.ts";
import { type Aggregate, outputSchema, type WindowPlan } from "../window/plan.ts";
import type { WindowOutput, WindowPieces } from "../window/window-aggregate.ts";
import { WindowAggregate } from "../window/window-aggregate.ts";
import { anew, timeOf, undescribed } from "./event-time.ts";
import type { Change, NeedsOf, Results, Specs } from "./result-types.ts";
import type { AggregateSpec } from "./specs.ts";

/** Options of {@link aggregate}. */
export interface AggregateOptions {
  /** Most rows of an output batch; default 4096. */
  readonly batchRows?: number;
}

/** The columns that come out of a window: with `emit: 'retract'` also `change`. */
export type Windowed<C, K extends string, A extends Specs> = {
  readonly start: "timestamp";
  readonly end: "timestamp";
} & Pick<C, Exclude<K, Change> & keyof C> &
  Results<C, A> &
  ([Extract<K, Change>] extends [never] ? unknown : { readonly change: "dict" });

/**
 * Aggregates by window and key as the operators before it have described: {@link WindowAggregate} says which row
 * counts where. Out come `start`, `end`, the keys, and the columns named here; with `emit: 'retract'` also `change`, `insert` or `retract`.
 * Throws, as the stream's error, `WINDOW_UNDESCRIBED` without `eventTime` and a window before it, and what {@link WindowAggregate} throws.
 */
export function aggregate<const A extends Specs>(
  columns: A,
  options: AggregateOptions = {},
): <C extends NeedsOf<A> = Untyped, K extends string = never>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Windowed<C, K, A>, never>> {
  const aggregates = Object.entries<AggregateSpec>(columns).map(([name, spec]): Aggregate => ({ ...spec, name }));
  const detail = aggregates.map(({ name, kind, column = "" }) => `${name}: ${kind}(${column})`).join(", ");
  return operator<Flow<Untyped, Untyped>, Flow<Untyped, never>>(
    (out, step) => {
      let plan: WindowPlan | undefined;
      let late: Partial<Observer<Batch>> | undefined;
      let window: WindowAggregate | undefined;
      let earlyWatermark = Number.NEGATIVE_INFINITY;
      /** Newest event time, where it does not move the watermark. */
      let newest = Number.NEGATIVE_INFINITY;
      const give = (of: WindowAggregate, given: WindowOutput | WindowPieces, isEnd = false): void => {
        const tell = (output: WindowOutput, isLast: boolean): void => {
          for (const batch of output.late) late?.next?.(batch);
          count(step(), of, output, newest);
          if (isEnd && isLast) late?.complete?.();
        };
        if (!("rows" in given)) return out.all(rowsOf(given, tell));
        tell(given, true);
        if (given.rows.length > 0) out.all(allOf(given.rows));
      };
      return {
        makesMany: true,
        header(header) {
          plan = planOf(header, aggregates);
          late = header.window?.late;
          const saved = header.restored?.state(step()?.place ?? "");
          if (saved !== undefined) window = WindowAggregate.resume(plan, saved.schema, saved.state, options);
          const { schema } = header;
          return schema === undefined ? anew(header) : { ...anew(header), schema: outputSchema(plan, schema) };
        },
        batch(batch) {
          if (plan?.punctuated !== undefined) newest = newestTime(batch, plan.time, newest);
          if (window === undefined) {
            window = new WindowAggregate(plan as WindowPlan, batch.schema, options);
            window.advance(earlyWatermark); // nothing is open yet
          }
          give(window, window.pushing(batch));
        },
        watermark({ timeUs }) {
          if (window === undefined) earlyWatermark = Math.max(earlyWatermark, timeUs);
          else give(window, window.advancing(timeUs));
        },
        barrier(barrier) {
          if (window !== undefined) barrier.add(step()?.place ?? "", window.save(barrier.hash), window.inputSchema);
        },
        end() {
          if (window === undefined) late?.complete?.();
          else give(window, window.advancing(Number.POSITIVE_INFINITY), true);
        },
        error(error) {
          late?.error?.(error);
        },
      };
    },
    { name: "aggregate", detail },
  );
}

/**
 * Runs a window state that the caller holds: one restored from a snapshot, and snapshot again between two items. Everything
 * that {@link aggregate} reads from the operators before it is in the state already.
 */
export function windowed(state: WindowAggregate, late: Partial<Observer<Batch>> = {}): OperatorFunction<Flow, Flow> {
  return operator((out) => {
    const give = (fired: WindowOutput): void => {
      for (const batch of fired.late) late.next?.(batch);
      for (const batch of fired.rows) out.next(batch);
    };
    return {
      batch: (batch) => give(state.push(batch)),
      watermark: ({ timeUs }) => give(state.advance(timeUs)),
      end() {
        give(state.end());
        late.complete?.();
      },
      error: (error) => late.error?.(error),
    };
  });
}

/** The finished windows of what is given piece by piece; `tell` hears of a piece before its rows are taken. */
function* rowsOf(pieces: WindowPieces, tell: (output: WindowOutput, isLast: boolean) => void): BatchPieces {
  for (;;) {
    const { done = false, value } = pieces.next();
    tell(value, done);
    if (done) return yield* allOf(value.rows);
    yield* value.rows;
  }
}

function* allOf(batches: readonly Batch[]): BatchPieces {
  yield* batches.slice(0, -1);
  return batches.at(-1);
}

type BatchPieces = Generator<Batch, Batch | undefined, undefined>;

function count(step: Step | undefined, window: WindowAggregate, { late }: WindowOutput, seen: number): void {
  if (step === undefined) return;
  const { counters } = step;
  for (const batch of late) counters.late += batch.rows;
  counters.stateBytes = window.stateBytes;
  counters.watermarkUs = window.watermark;
  const newest = Math.max(window.newest, seen);
  counters.watermarkLagUs = Number.isFinite(window.newest) ? newest - window.watermark : 0;
}

function planOf(header: Header, aggregates: readonly Aggregate[]): WindowPlan {
  const time = timeOf(header, "aggregate");
  const { window, keys = [] } = header;
  if (window === undefined)
    throw undescribed("aggregate", "a window", "tumble(size), hop, cumulate, session or another");
  const { late: _late, ...shape } = window;
  return {
    time: time.column,
    outOfOrderUs: time.outOfOrderUs,
    ...(time.punctuated === undefined ? {} : { punctuated: time.punctuated }),
    ...shape,
    keys,
    aggregates,
  };
}
