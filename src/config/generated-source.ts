import { z } from "zod";
import { EVENTS_MAX, NEXMARK, NEXMARK_TABLES, RATE_DEFAULT, RATE_MAX } from "../sources/generated/kind.ts";
import type { GeneratedSourceConfig } from "./config.ts";

/** Keys of a source whose rows are generated. */
export const generatedKeys = {
  generate: z
    .strictObject({
      nexmark: z
        .enum(NEXMARK_TABLES)
        .describe("Table of an auction site after the model of the Nexmark benchmark: persons, auctions or bids."),
      events: z
        .int()
        .min(1)
        .max(EVENTS_MAX)
        .describe("Events of all tables together; of 50 one is a person, 3 are auctions, 46 are bids."),
      rate: z.int().min(1).max(RATE_MAX).default(RATE_DEFAULT).describe("Events a second of event time."),
    })
    .optional()
    .describe("Rows that are generated: each is a function of its number alone, so that everyone can make the same."),
};

type WrittenGenerated = NonNullable<z.output<z.ZodObject<typeof generatedKeys>>["generate"]>;

/** The configuration of a generated source, but for its event time. */
export function resolveGenerated(name: string, { nexmark, events, rate }: WrittenGenerated): GeneratedSourceConfig {
  return { kind: "generated", name, spec: { generator: NEXMARK, table: nexmark, events, rate } };
}
