import { z } from "zod";
import { columnTypeMeant, declaredField } from "../batch/declared-field.ts";
import { COLUMN_TYPES } from "../batch/schema.ts";
import { parseDuration } from "../core/duration.ts";
import { hasCode, IpdmError } from "../core/errors.ts";
import { parseSize } from "../core/size.ts";
import { MODULE_MEMORY_BYTES_MAX, MODULE_MEMORY_BYTES_MIN, MODULE_TIMEOUT_US_MAX } from "./limits.ts";
import { nearest } from "./nearest.ts";

// Values that the parts of the schema are made of.

const NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$";
export const DURATION_PATTERN = "^[0-9]{1,16}(d|h|m|s|ms|us)$";

export const name = z
  .string()
  .regex(new RegExp(NAME_PATTERN), "must be 1 to 63 lower-case letters, digits and -, beginning with a letter");
export const usedName = z.string().min(1);
export const column = z.string().min(1).max(256);
export const file = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => !text.includes("\0"), "must not hold a NUL character");

/** A text that another parser of the runtime reads: its refusal becomes the message. */
export function readBy(read: (text: string) => unknown) {
  return z.string().check((context) => {
    try {
      read(context.value);
    } catch (error) {
      if (!(error instanceof IpdmError) || hasCode(error, "INVARIANT")) throw error;
      context.issues.push({
        code: "custom",
        input: context.value,
        message: error.message,
        params: { hint: error.hint },
      });
    }
  });
}

export function bounded(
  read: (text: string) => number,
  least: number,
  most: number,
  range: string,
): (text: string) => number {
  return (text) => {
    const value = read(text);
    if (value >= least && value <= most) return value;
    throw new IpdmError("CONFIG_INVALID", `must be ${range}, not ${text}`, { kind: "config" });
  };
}

export function readColumnType(type: string): void {
  try {
    declaredField("", type);
  } catch (error) {
    if (!(error instanceof IpdmError)) throw error;
    const near = columnTypeMeant(type) ?? nearest(type, COLUMN_TYPES);
    const hint = near === undefined || near === "fixed" ? error.hint : `did you mean ${near}?`;
    throw new IpdmError("CONFIG_INVALID", `${JSON.stringify(type.slice(0, 64))} is no column type`, {
      kind: "config",
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

export const duration = readBy(parseDuration).meta({ pattern: DURATION_PATTERN, examples: ["0s", "10s", "1h", "1d"] });
export const longer = readBy(bounded(parseDuration, 1, Number.MAX_SAFE_INTEGER, "longer than nothing")).meta({
  pattern: DURATION_PATTERN,
  examples: ["1m", "1h", "1d"],
});
export const timeout = readBy(bounded(parseDuration, 1000, MODULE_TIMEOUT_US_MAX, "1ms to 1h"));
export const memory = readBy(bounded(parseSize, MODULE_MEMORY_BYTES_MIN, MODULE_MEMORY_BYTES_MAX, "64KiB to 4GiB"));
export const hot = readBy(bounded(parseSize, 1, Number.MAX_SAFE_INTEGER, "more than nothing"));

export const time = z
  .strictObject({
    column: column.describe("Column that holds the event time of a row."),
    outOfOrder: duration
      .default("0s")
      .describe("How far a row's time may lie behind the newest before it; rows further behind are late."),
    monotonic: z.literal(true).optional().describe("Times never go back: the same as outOfOrder: 0s, said aloud."),
    punctuated: column
      .optional()
      .describe(
        "Column of timestamps that are the watermark after their row, where they are not null; nothing else moves it then.",
      ),
  })
  .refine(
    ({ outOfOrder, monotonic = false, punctuated }) =>
      [outOfOrder !== "0s", monotonic, punctuated !== undefined].filter(Boolean).length < 2,
    { message: "says twice what moves the watermark", params: { hint: "use outOfOrder, monotonic or punctuated" } },
  )
  .describe("Event time of the rows.");
