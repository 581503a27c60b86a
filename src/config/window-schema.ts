import { z } from "zod";
import { parseDuration } from "../core/duration.ts";
import type { WindowKind } from "../streams/window/plan.ts";
import { WINDOW_ROWS_MAX } from "./limits.ts";
import { type ConfigPath, type Finding, placeName } from "./problem.ts";
import { duration, longer } from "./schema-values.ts";

const rows = z.int().min(1).max(WINDOW_ROWS_MAX);

/** What a task's window may say. Which keys go together, {@link checkWindow} says. */
export const windowSchema = z
  .strictObject({
    tumble: longer
      .optional()
      .describe("Length of windows that follow each other without gap, counted from 1970-01-01T00:00:00Z."),
    hop: longer.optional().describe("Length of windows that overlap; a new one begins every so often (every)."),
    every: longer.optional().describe("With hop: how far the windows are apart."),
    cumulate: longer
      .optional()
      .describe("Length of the longest of windows that begin together and are one step longer each (step)."),
    step: longer.optional().describe("With cumulate: how much longer each window is than the one before."),
    session: longer.optional().describe("Rows of a key at most so far apart are one window."),
    count: rows.optional().describe("Rows of a key that are one window, in the order in which they come."),
    global: z.literal(true).optional().describe("One window a key over everything; it needs a trigger."),
    offset: duration.optional().describe("Shift of tumble, hop and cumulate windows against 1970-01-01T00:00:00Z."),
    lateness: duration.default("0s").describe("How long a closed window still takes late rows."),
    emit: z
      .enum(["final", "upsert", "retract"])
      .optional()
      .describe(
        "What comes out when: once, when a window takes no more rows (final, the default); at its end and again for each late row, as a row in place of the one before (upsert), or as that row taken back and the new one, told apart by a column change (retract).",
      ),
    trigger: z
      .strictObject({
        rows: rows.optional().describe("After so many rows of a group."),
        time: longer.optional().describe("As event time passes multiples of this duration."),
      })
      .optional()
      .describe("With tumble or global and emit: upsert, when windows come out besides."),
  })
  .describe("Groups the rows by event time.");

/** A window as it is written. */
export type WrittenWindow = z.output<typeof windowSchema>;

/** The keys of which one says what a window is. */
const SHAPES = ["tumble", "hop", "cumulate", "session", "count", "global"] as const satisfies readonly WindowKind[];
/** Keys that only some windows have. */
const OWN = { every: ["hop"], step: ["cumulate"], offset: ["tumble", "hop", "cumulate"] } as const;

/** The key that says what a window is. */
export function shapeOf(window: WrittenWindow): WindowKind {
  return SHAPES.find((key) => window[key] !== undefined) ?? "tumble";
}

/** Checks that a window's keys go together. */
export function checkWindow(path: ConfigPath, window: WrittenWindow): Finding[] {
  const place = placeName(path);
  const [shape, other] = SHAPES.filter((key) => window[key] !== undefined);
  if (shape === undefined)
    return [{ path, atKey: true, message: `${place} does not say its kind`, hint: `add one of ${SHAPES.join(", ")}` }];
  if (other !== undefined) {
    const message = `${place} has both ${shape} and ${other}`;
    return [{ path: [...path, other], atKey: true, message, hint: "a window has one of them" }];
  }
  const needed = shape === "hop" ? "every" : shape === "cumulate" ? "step" : undefined;
  if (needed !== undefined && window[needed] === undefined) {
    const message = `${place} has ${shape} without ${needed}`;
    return [{ path: [...path, shape], atKey: true, message, hint: `add ${needed}: <duration>` }];
  }
  const senseless = withoutSense(shape, window);
  if (senseless !== undefined) {
    const [key, message, hint] = senseless;
    return [
      { path: [...path, key], atKey: true, message: `${place}.${key}${key === "emit" ? ": " : " "}${message}`, hint },
    ];
  }
  return Object.entries(OWN).flatMap(([key, shapes]) =>
    window[key as keyof typeof OWN] === undefined || (shapes as readonly string[]).includes(shape)
      ? []
      : [
          {
            path: [...path, key],
            atKey: true,
            message: `${place}.${key} has no meaning with ${shape}`,
            hint: `it belongs to ${shapes.join(", ")}; remove it`,
          },
        ],
  );
}

/** A key that would change nothing. */
function withoutSense(
  shape: WindowKind,
  { lateness, emit = "final", trigger }: WrittenWindow,
): readonly [key: string, message: string, hint: string] | undefined {
  const isTimeless = shape === "count" || shape === "global";
  if (isTimeless && microseconds(lateness, 0) > 0)
    return ["lateness", `has no meaning with ${shape}`, "nothing is late there; remove it"];
  if (shape === "count" && emit !== "final")
    return ["emit", `${emit} has no meaning with count`, "each such window comes out once; remove it"];
  if (trigger !== undefined && trigger.rows === undefined && trigger.time === undefined)
    return ["trigger", "is empty", "write { rows: 100 }, { time: 1m } or both"];
  return undefined;
}

/** True for windows as they were before there were others: what they compute has a normal form of its own, and can be proved. */
export function isPlain(window: WrittenWindow): boolean {
  const { tumble, lateness: _lateness, ...rest } = window;
  return tumble !== undefined && Object.values(rest).every((value) => value === undefined);
}

/** Microseconds of a duration, or what there is without one. */
export function microseconds<T>(text: string | undefined, otherwise: T): number | T {
  return text === undefined ? otherwise : parseDuration(text);
}
