import { IpdmError } from "../../core/errors.ts";

/** Tables of the generator `nexmark`. */
export const NEXMARK_TABLES = ["persons", "auctions", "bids"] as const;

/** One of {@link NEXMARK_TABLES}. */
export type NexmarkTable = (typeof NEXMARK_TABLES)[number];

/** The generator by the name that anchors have: it comes to another number when it comes to give other rows. */
export const NEXMARK = "nexmark/1";

/** Most events of a generated source: the random numbers of later ones would repeat those of the first. */
export const EVENTS_MAX: number = 2 ** 32;
/** Events a second of event time when nobody says otherwise, and the most that can be asked for. */
export const RATE_DEFAULT = 10_000;
export const RATE_MAX = 1_000_000_000;

/** What to generate: the rows of a table that the first `events` events have, at `rate` events a second of event time. */
export interface GeneratedSpec {
  readonly generator: string;
  readonly table: string;
  readonly events: number;
  readonly rate: number;
}

/** The content of a generated source: all that its rows follow from. */
export interface GeneratedContent extends GeneratedSpec {
  readonly kind: "generated";
}

/** What is said of a generated source where files are told by their digest. */
export function generatedText({ generator, table, events, rate }: GeneratedSpec): string {
  return `${table} of ${generator}, ${events} events at ${rate} a second`;
}

/** Checks that this version can generate it: a spec may be a stranger's word. Throws `GENERATOR_UNKNOWN` (kind `verification`). */
export function knownTable(spec: GeneratedSpec): NexmarkTable {
  const { generator, table, events, rate } = spec;
  const known = generator === NEXMARK ? NEXMARK_TABLES.find((name) => name === table) : undefined;
  const fits = events >= 1 && events <= EVENTS_MAX && rate >= 1 && rate <= RATE_MAX;
  if (known !== undefined && fits) return known;
  throw new IpdmError("GENERATOR_UNKNOWN", `this version cannot generate ${generatedText(spec)}`, {
    kind: "verification",
    where: generator,
    hint: "use the version that made the receipt, or a newer one",
  });
}
