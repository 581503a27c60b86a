import { z } from "zod";
import { BATCH_ROWS_MAX } from "../batch/limits.ts";
import { TEXT_FORMATS } from "../batch/text/spelling.ts";
import { parseSize, SIZE_PATTERN } from "../core/size.ts";
import { ABIS } from "../sandbox/abi/port.ts";
import { STACK_MAX } from "../sandbox/metering/meter.ts";
import { CAPABILITIES, FEATURES, ISOLATIONS, TRUST_LEVELS } from "../sandbox/policy.ts";
import { FUEL_CALL_MAX, FUEL_ROW_MAX, MODULE_OUTPUT_BYTES_MAX, MODULE_TIMEOUT_DEFAULT } from "./limits.ts";
import { moduleOptions } from "./module-options.ts";
import {
  bounded,
  column,
  DURATION_PATTERN,
  file,
  memory,
  readBy,
  readColumnType,
  time,
  timeout,
} from "./schema-values.ts";

const fuel = z
  .strictObject({
    call: z.int().min(0).max(FUEL_CALL_MAX).optional().describe("Fuel of a call, whatever its input."),
    row: z.int().min(0).max(FUEL_ROW_MAX).optional().describe("Fuel that a call has more for each row of its input."),
  })
  .describe("Work that the module may do, in units of the cost table; what the level of trust says when left out.");

/** A module as it is written with its limits. */
export const moduleObject = z.strictObject({
  file: file.describe("Path of the WASM file."),
  trust: z
    .enum(TRUST_LEVELS)
    .default("standard")
    .describe("How far the module is trusted: the limits and capabilities that it has when the other keys do not say."),
  isolation: z
    .enum(ISOLATIONS)
    .optional()
    .describe(
      "What separates the module from the node: a thread, or a process of its own. Left out: a process where trust is untrusted, else a thread.",
    ),
  abi: z.enum(ABIS).default("ipdm/1").describe("How the module is called."),
  kind: z
    .enum(["rows", "batch", "stateful"])
    .default("rows")
    .describe("rows: each by itself; batch: units of a fixed number of rows; stateful: units, and memory is kept."),
  unit: z.int().min(1).max(BATCH_ROWS_MAX).optional().describe("With kind: batch or stateful, rows of a unit."),
  columns: z
    .record(column, readBy(readColumnType))
    .optional()
    .describe("Columns of the output as name: type, for an abi whose modules write text."),
  ...moduleOptions,
  stdin: z
    .enum(TEXT_FORMATS)
    .optional()
    .describe("With abi: wasi/1, the form of the rows on standard input; ndjson when left out."),
  fuel: fuel.optional(),
  memory: memory
    .optional()
    .describe("Most linear memory the module may have, 64KiB to 4GiB.")
    .meta({ pattern: SIZE_PATTERN }),
  stack: z
    .int()
    .min(1000)
    .max(STACK_MAX)
    .optional()
    .describe("Values that calls inside each other may keep on the stack."),
  output: readBy(bounded(parseSize, 1, MODULE_OUTPUT_BYTES_MAX, "1B to 64MiB"))
    .optional()
    .describe("Most bytes that one call may put out.")
    .meta({ pattern: SIZE_PATTERN }),
  capabilities: z
    .array(z.enum(CAPABILITIES))
    .max(CAPABILITIES.length)
    .optional()
    .describe("What the module may ask the host for: log, random (seeded), time (of the batch)."),
  features: z
    .array(z.enum(FEATURES))
    .max(FEATURES.length)
    .optional()
    .describe("What of WebAssembly the module may use beyond what every module may: tail-calls."),
  timeout: timeout
    .default(MODULE_TIMEOUT_DEFAULT)
    .describe("Longest time of one call, 1ms to 1h: the way out when a node is at fault; fuel is what stops a module.")
    .meta({ pattern: DURATION_PATTERN }),
  time: time.optional().describe("Event time of the rows the module puts out, for all tasks that use it."),
});

/** A module as it is written. */
export const moduleSchema = z
  .union([file.describe("Path of the WASM file."), moduleObject])
  .describe("A WASM program: its path, or an object with its path and limits.");

/** A module as it is written when only its path is. */
export function moduleOfPath(path: string): z.output<typeof moduleObject> {
  return moduleObject.parse({ file: path });
}
