import { z } from "zod";
import { SIZE_PATTERN } from "../core/size.ts";
import { ISOLATIONS } from "../sandbox/policy.ts";
import { AGGREGATE_PATTERN, readAggregate } from "./aggregate.ts";
import { chainKeys } from "./chain-source.ts";
import { chainTaskKeys } from "./chain-task.ts";
import { TABLE_FORMATS, UPGRADES } from "./config.ts";
import { generatedKeys } from "./generated-source.ts";
import { readInstant } from "./instant.ts";
import {
  ADDRESS_CHARS_MAX,
  CATALOGUE_PEERS_MAX,
  KEY_COLUMNS_MAX,
  LAKE_HOT_DEFAULT,
  NAMED_MAX,
  PROVED_WINDOWS_MAX,
  REPLICAS_MAX,
  SHARE_DEFAULT,
  TASK_INPUTS_MAX,
  TASKS_MAX,
} from "./limits.ts";
import { settings } from "./module-options.ts";
import { moduleSchema } from "./module-schema.ts";
import { column, file, hot, name, readBy, readColumnType, time, usedName } from "./schema-values.ts";
import { SOURCE_KINDS } from "./source-check.ts";
import { STREAM_KEYS, streamTaskKeys } from "./stream-task.ts";
import { windowSchema } from "./window-schema.ts";

const format = z.enum(TABLE_FORMATS);

const domain = z
  .strictObject({
    id: name.optional().describe("Name of the domain; the configuration's name when left out."),
    replicas: z.int().min(1).max(REPLICAS_MAX).default(1).describe("Nodes that compute every statement."),
    quorum: z
      .int()
      .min(1)
      .max(REPLICAS_MAX)
      .optional()
      .describe(
        "Matching votes that make a certificate: more than half of the replicas. The smallest majority when left out.",
      ),
    verify: z
      .enum(["full", "sample"])
      .default("full")
      .describe("How voters check a statement: re-execute all of it (full) or a drawn share of it (sample)."),
    share: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe(
        `With verify: sample, the share that is re-executed, above 0 and at most 1 (${SHARE_DEFAULT} when left out).`,
      ),
  })
  .describe("The nodes that compute and sign together.");

const source = z
  .strictObject({
    file: file
      .optional()
      .describe(
        "Path relative to this file, absolute, or npm:<package>/<path> for a file of an installed npm package.",
      ),
    format: format
      .optional()
      .describe(
        "Form of the file; follows from the ending .parquet, .csv, .ndjson or .jsonl (also with .gz) when left out.",
      ),
    columns: z
      .record(column, readBy(readColumnType))
      .optional()
      .describe(
        "Columns to read, in this order, as name: type; all of them with the file's own or guessed types when left out.",
      ),
    time: time.optional(),
    ...generatedKeys,
    ...chainKeys,
  })
  .describe("An input: a file (file), generated rows (generate) or blocks of a chain (ethereum, solana).")
  .meta({ oneOf: SOURCE_KINDS.map((key) => ({ required: [key] })) });

const namedWindow = z.strictObject({
  start: z
    .union([readBy(readInstant), z.int()])
    .describe("Start of the window: a UTC date or date and time (ISO 8601), or microseconds since 1970."),
  key: z
    .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .max(KEY_COLUMNS_MAX)
    .default([])
    .describe("Values of the key columns, in the order of the task's key; null for rows without a value."),
});

const prove = z
  .union([
    z.literal("window"),
    z.strictObject({
      windows: z
        .union([z.int().min(1).max(PROVED_WINDOWS_MAX), z.array(namedWindow).min(1).max(PROVED_WINDOWS_MAX)])
        .describe("How many windows are drawn once the statement is fixed, or a list of the windows to prove."),
    }),
  ])
  .describe("Zero-knowledge proofs of windows: window is short for { windows: 1 }.");

const task = z
  .strictObject({
    input: z
      .union([usedName, z.array(usedName).min(2).max(TASK_INPUTS_MAX)])
      .describe(
        "Name of a source or of another task; a list of two or more whose rows are brought together, in the order of their event times, or paired (join).",
      ),
    module: usedName
      .optional()
      .describe(
        "Module that the rows go through: a name of modules, name@range of the catalogue (late@^1.2), or ipdm:<name>, one that comes with the runtime.",
      ),
    ...chainTaskKeys,
    settings: settings
      .optional()
      .describe("Texts that the module may ask for by name, over those of modules. They are part of the result."),
    upgrade: z
      .enum(UPGRADES)
      .optional()
      .describe(
        "With a module of the catalogue, when a newer version takes over: where a run starts (start), or between two slots as well (live).",
      ),
    isolation: z
      .enum(ISOLATIONS)
      .optional()
      .describe(
        "With a module of the catalogue, what separates it from the node: a thread, or a process of its own. Left out: a thread where the catalogue's own key published it, else a process.",
      ),
    time: time
      .optional()
      .describe(
        "Event time of the rows that come out; without it the module's, else the input's; those of windows and joins have none then.",
      ),
    ...streamTaskKeys,
    window: windowSchema.optional(),
    key: z
      .array(column)
      .min(1)
      .max(KEY_COLUMNS_MAX)
      .optional()
      .describe("Columns to group by within a window; one group a window when left out."),
    aggregate: z
      .record(column, readBy(readAggregate).meta({ pattern: AGGREGATE_PATTERN }))
      .optional()
      .describe(
        "Columns of the window's table as name: count(), count(column), sum(column), min(column), max(column), mean(column), variance(column), first(column), last(column), distinct(column), approxDistinct(column), quantile(column, 0.5), topK(column, 10) or collect(column, 10).",
      ),
    prove: prove.optional(),
  })
  .describe(
    "One step: a module (module), a table of a chain (table), decoded events (events), or stream operators, which are done in this order: join, or the union of several inputs, rename, withColumns, filter, select (or project), scan, windows over event time (window, with aggregate) or dedup, top (or topN).",
  )
  .meta({
    // Within allOf: these are no places where keys may stand.
    allOf: [
      {
        anyOf: [
          ...["module", "table", "events", ...STREAM_KEYS].map((key) => ({
            required: [key],
          })),
          { required: ["window", "aggregate"] },
          { properties: { input: { type: "array" } } },
        ],
      },
    ],
  });

const lake = z
  .strictObject({
    hot: hot.default(LAKE_HOT_DEFAULT).describe("Size of the hot tier.").meta({ pattern: SIZE_PATTERN }),
  })
  .describe("A store of results.");

const output = z
  .strictObject({
    input: usedName.describe(
      "Name of a task or source, <task>.late for the late rows of a window task or of a join's left input, <task>.late-right for those of its right input, or <task>.rejected for the logs that a task with events could not decode.",
    ),
    file: file.describe(
      "Where the table goes: relative to the output folder (--out), or absolute. Its ending is the form: .parquet, .csv, .ndjson, .jsonl, .sqlite, .db, .arrow or .feather.",
    ),
  })
  .describe("A table that leaves the pipeline.");

const peerAddress = z
  .string()
  .max(ADDRESS_CHARS_MAX)
  .regex(/^\/\S+\/p2p\/[1-9A-HJ-NP-Za-km-z]+$/, "must be a multiaddr that ends in /p2p/ and a peer id");

const catalogueFolder = file.describe(
  "Folder with the catalogue of modules, relative to this file; .ipdm/catalogue of the working folder when left out.",
);

const catalogue = z
  .union([
    catalogueFolder,
    z.strictObject({
      folder: catalogueFolder.optional(),
      peers: z
        .array(peerAddress)
        .min(1)
        .max(CATALOGUE_PEERS_MAX)
        .describe(
          "Multiaddrs of served catalogues that are asked for the modules that tasks name, each with its peer id.",
        ),
    }),
  ])
  .describe("The catalogue that tasks take modules from: its folder, or a mapping with peers that are asked as well.");

/** `ipdm.yaml` as it is written: strict, so that a key nobody reads is an error. `resolveConfig` makes a `Config` of it. */
export const writtenConfigSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where editors find this schema; for configurations written as JSON."),
    name: name.describe("Name of the pipeline."),
    domain: domain.optional(),
    sources: named(source, NAMED_MAX).describe("Inputs by name."),
    modules: named(moduleSchema, NAMED_MAX).optional().describe("WASM modules by name."),
    catalogue: catalogue.optional(),
    tasks: named(task, TASKS_MAX).optional().describe("Steps by name, in any order."),
    lakes: named(lake, NAMED_MAX).optional().describe("Stores of results by name."),
    outputs: named(output, NAMED_MAX).describe("Tables to write, by name."),
  })
  .describe("A pipeline of ipdm-runtime.");

/** What {@link writtenConfigSchema} yields. */
export type WrittenConfig = z.output<typeof writtenConfigSchema>;

function named<T extends z.ZodType>(value: T, most: number) {
  return z
    .record(name, value)
    .refine((record) => Object.keys(record).length <= most, `must hold at most ${most} entries`);
}
