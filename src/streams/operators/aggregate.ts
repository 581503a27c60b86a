import type { Observable, Observer, OperatorFunction } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { ColumnSpec, Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import type { Step } from "../step.ts";
import { type Aggregate, outputSchema, type WindowPlan } from "../window/plan.ts";
import type { WindowOutput, WindowPieces } from "../window/window-aggregate.ts";
import { WindowAggregate } from "../window/window-aggregate.ts";
import { anew, timeOf, undescribed } from "./event-time.ts";
import type { AggregateSpec, Own } from "./specs.ts";

/** Options of {@link aggregate}. */
export interface AggregateOptions {
  /** Most rows of an output batch; default 4096. */
  readonly batchRows?: number;
}

type Specs = Readonly<Record<string, AggregateSpec<string, unknown>>>;
/** The columns that aggregates are over. */
type ColumnsOf<A extends Specs> = { [P in keyof A]: A[P] extends AggregateSpec<infer N, unknown> ? N : never }[keyof A];
type Results<C, A extends Specs> = {
  readonly [P in keyof A]: A[P] extends AggregateSpec<infer N, infer T> ? (T extends Own ? C[N & keyof C] : T) : never;
};
/** The columns that come out of a window. */
export type Windowed<C, K extends string, A extends Specs> = {
  readonly start: "timestamp";
  readonly end: "timestamp";
} & Pick<C, K & keyof C> &
  Results<C, A>;

/**
 * Aggregates by window and key as the operators before it have described: {@link WindowAggregate} says which row
 * counts where. Out come `start`, `end`, the keys, and the columns named here; with `emit: 'retract'` also `change`, `insert` or `retract`.
 * Throws, as the stream's error, `WINDOW_UNDESCRIBED` without `eventTime` and a window before it, and what {@link WindowAggregate} throws.
 */
export function aggregate<const A extends Specs>(
  columns: A,
  options: AggregateOptions = {},
): <C extends Record<ColumnsOf<A>, ColumnSpec> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<Windowed<C, K, A>>> {
  const aggregates = Object.entries<AggregateSpec<string, unknown>>(columns).map(
    ([name, spec]): Aggregate => ({ ...spec, name }),
  );
  const detail = aggregates.map(({ name, kind, column = "" }) => `${name}: ${kind}(${column})`).join(", ");
  return operator<Flow<Untyped, Untyped>, Flow<Untyped>>(
    (out, step) => {
      let plan: WindowPlan | undefined;
      let late: Partial<Observer<Batch>> | undefined;
      let window: WindowAggregate | undefined;
      let earlyWatermark = Number.NEGATIVE_INFINITY;
      const give = (of: WindowAggregate, pieces: WindowPieces, isEnd = false): void =>
        out.all(
          rowsOf(pieces, (output, isLast) => {
            for (const batch of output.late) late?.next?.(batch);
            count(step(), of, output);
            if (isEnd && isLast) late?.complete?.();
          }),
        );
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

/** The finished windows of what is given piece by piece; `each` is told of a piece before its rows are taken. */
function* rowsOf(
  pieces: WindowPieces,
  each: (output: WindowOutput, isLast: boolean) => void,
): Generator<Batch, Batch | undefined> {
  for (;;) {
    const { done = false, value } = pieces.next();
    each(value, done);
    const last = done ? value.rows.pop() : undefined;
    yield* value.rows;
    if (done) return last;
  }
}

function count(step: Step | undefined, window: WindowAggregate, { late }: WindowOutput): void {
  if (step === undefined) return;
  const { counters } = step;
  for (const batch of late) counters.late += batch.rows;
  counters.stateBytes = window.stateBytes;
  counters.watermarkUs = window.watermark;
  counters.watermarkLagUs = Number.isFinite(window.newest) ? window.newest - window.watermark : 0;
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
