import type { Observable, Observer } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Untyped } from "../columns.ts";
import type { Flow } from "../flow.ts";
import { EMISSIONS, type Emission, type WindowPlan } from "../window/plan.ts";
import { described } from "./event-time.ts";
import { durationOf, oneOf, onlyKeys } from "./given.ts";

/** A window as `aggregate` and `windowJoin` read it. */
export type WindowShape = Pick<
  WindowPlan,
  "shape" | "sizeUs" | "stepUs" | "rows" | "offsetUs" | "latenessUs" | "emit" | "trigger"
> & { readonly late?: Partial<Observer<Batch>> };

/** Options of windows that lie at fixed times. */
export interface TumbleOptions {
  /** How long after its end a window takes rows; default `'0s'`. */
  readonly lateness?: string;
  /** Shift of the windows against the epoch; default `'0s'`. */
  readonly offset?: string;
  /** Late rows as batches with the input's schema; completes and fails with the stream. */
  readonly late?: Partial<Observer<Batch>>;
  /** What comes out when; default `final`. */
  readonly emit?: Emission;
}

/** When windows come out besides. */
export interface TriggerOptions {
  /** After every so many rows of a group. */
  readonly everyRows?: number;
  /** When the watermark passes a multiple of this duration: all groups. */
  readonly everyTime?: string;
}

type Same = <C = Untyped, K extends string = string>(input: Observable<Flow<C, K>>) => Observable<Flow<C, K>>;

/**
 * Says that rows are collected in windows `[start, start + size)` of event time. With `emit: 'upsert'` rows may come out early, by a
 * trigger, and again for each late row.
 */
export function tumble(size: string, options: TumbleOptions & TriggerOptions = {}): Same {
  return shaped("tumble", size, {
    shape: "tumble",
    sizeUs: durationOf("tumble", "size", size),
    ...timesOf("tumble", options, [...FIXED, ...TRIGGERS]),
  });
}

/** Windows of a size, a new one every step: each row is in `size / every` of them. */
export function hop(size: string, every: string, options: TumbleOptions = {}): Same {
  const shape = { sizeUs: durationOf("hop", "size", size), stepUs: durationOf("hop", "every", every) };
  return shaped("hop", `${size} every ${every}`, { shape: "hop", ...shape, ...timesOf("hop", options, FIXED) });
}

/** Windows that all begin at a multiple of the size and are one step longer each: running totals of a day by the hour. */
export function cumulate(size: string, step: string, options: TumbleOptions = {}): Same {
  const shape = { sizeUs: durationOf("cumulate", "size", size), stepUs: durationOf("cumulate", "step", step) };
  const times = timesOf("cumulate", options, FIXED);
  return shaped("cumulate", `${size} by ${step}`, { shape: "cumulate", ...shape, ...times });
}

/** Sessions: rows of a key at most a gap apart, `[first, last + gap)`. They emit `final` or `retract`. */
export function session(gap: string, options: Omit<TumbleOptions, "offset"> = {}): Same {
  return shaped("session", gap, {
    shape: "session",
    sizeUs: durationOf("session", "gap", gap),
    ...timesOf("session", options, OPEN),
  });
}

/** Windows of so many rows of a key, in the order in which they come; at the end of input those with fewer. Nothing is late. */
export function countWindow(rows: number): Same {
  return shaped("countWindow", `${rows} rows`, { shape: "count", sizeUs: 1, latenessUs: 0, rows });
}

/** One window a key over everything, which comes out when triggered and at the end of input, each row in place of the one before. */
export function globalWindow(trigger: TriggerOptions): Same {
  onlyKeys("globalWindow", trigger ?? {}, TRIGGERS);
  const times = timesOf("globalWindow", { ...trigger, emit: "upsert" }, ["emit", ...TRIGGERS]);
  return shaped("globalWindow", "", { shape: "global", sizeUs: 1, ...times });
}

/** Windows as a plan describes them, for who has one already. */
export function windowAs(window: WindowShape): Same {
  return shaped(window.shape ?? "tumble", "", window);
}

/** Options of sessions, of windows at fixed times, of triggers. */
const OPEN = ["lateness", "late", "emit"] as const;
const FIXED = [...OPEN, "offset"] as const;
const TRIGGERS = ["everyRows", "everyTime"] as const;

function timesOf(
  operator: string,
  options: TumbleOptions & TriggerOptions,
  known: readonly string[],
): Omit<WindowShape, "shape" | "sizeUs"> {
  onlyKeys(operator, options, known);
  const { lateness = "0s", offset = "0s", late, emit, everyRows, everyTime } = options;
  const trigger = {
    ...(everyRows === undefined ? {} : { rows: everyRows }),
    ...(everyTime === undefined ? {} : { timeUs: durationOf(operator, "everyTime", everyTime) }),
  };
  return {
    latenessUs: durationOf(operator, "lateness", lateness),
    offsetUs: durationOf(operator, "offset", offset),
    ...(late === undefined ? {} : { late }),
    ...(emit === undefined ? {} : { emit: oneOf(operator, "emit", emit, EMISSIONS) }),
    ...(Object.keys(trigger).length === 0 ? {} : { trigger }),
  };
}

function shaped(name: string, detail: string, window: WindowShape): Same {
  return described(name, detail, (header) => ({ ...header, window }));
}
