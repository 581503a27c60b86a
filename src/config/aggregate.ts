import { IpdmError } from "../core/errors.ts";
import { AGGREGATE_KINDS, type AggregateKind, type MoreKind } from "../streams/window/plan.ts";
import { nearest } from "./nearest.ts";

/** Aggregates that take a column and a number. */
const WITH_NUMBER = ["quantile", "topK", "collect"] as const;
/** Aggregates beside the first five that take a column. */
const MORE = ["variance", "first", "last", "distinct", "approxDistinct"] as const satisfies readonly MoreKind[];
const KNOWN = [...AGGREGATE_KINDS, ...MORE, ...WITH_NUMBER];

/** What an aggregate computes: `count` without a column counts rows, the others need one; `option` is the number behind it. */
export interface Aggregate {
  readonly kind: AggregateKind | (typeof MORE)[number] | (typeof WITH_NUMBER)[number];
  readonly column?: string;
  readonly option?: number;
}

/** What {@link readAggregate} reads, as a pattern for editors. */
export const AGGREGATE_PATTERN = `^\\s*(count\\([^()]*\\)|(${[...AGGREGATE_KINDS.filter((kind) => kind !== "count"), ...MORE].join("|")})\\([^()]*[^()\\s][^()]*\\)|(${WITH_NUMBER.join("|")})\\([^()]*[^()\\s][^()]*,\\s*[0-9.]+\\s*\\))\\s*$`;

/** Reads `count()`, `count(x)`, `sum(delay)`, `distinct(x)`, `quantile(x, 0.5)` and the others. Throws `AGGREGATE_INVALID`. */
export function readAggregate(text: string): Aggregate {
  const match = /^([A-Za-z_]{1,32})\(([^()]{0,256})\)$/.exec(text.trim());
  const known = KNOWN.map(spelled).join(", ");
  if (match === null)
    throw invalid(`${JSON.stringify(text.slice(0, 64))} is not an aggregate`, `write one of ${known}`);
  const [, word = "", inside = ""] = match;
  const kind = KNOWN.find((candidate) => candidate === word);
  if (kind === undefined) {
    const near = nearest(word, KNOWN);
    throw invalid(
      `there is no aggregate ${word}`,
      near === undefined ? `write one of ${known}` : `did you mean ${near}?`,
    );
  }
  const numbered = WITH_NUMBER.some((candidate) => candidate === kind);
  const comma = numbered ? inside.lastIndexOf(",") : inside.length;
  const column = inside.slice(0, Math.max(0, comma)).trim();
  if (column === "" && kind === "count") return { kind };
  if (column === "")
    throw invalid(`${kind} needs a column${numbered ? " and a number" : ""}`, `write ${spelled(kind)}`);
  if (!numbered) return { kind, column };
  const number = inside.slice(comma + 1).trim();
  if (!/^(\d+|\d*\.\d+)$/.test(number))
    throw invalid(`${kind} needs a number behind its column`, `write ${spelled(kind)}`);
  return { kind, column, option: Number(number) };
}

/** Reads an aggregate that can be told row by row: the first five. Throws `AGGREGATE_INVALID`. */
export function readRunning(text: string): { readonly kind: AggregateKind; readonly column?: string } {
  const { kind, column } = readAggregate(text);
  const own = AGGREGATE_KINDS.find((candidate) => candidate === kind);
  if (own === undefined)
    throw invalid(`${kind} cannot be told row by row`, `write one of ${AGGREGATE_KINDS.map(spelled).join(", ")}`);
  return { kind: own, ...(column === undefined ? {} : { column }) };
}

function spelled(kind: string): string {
  if (kind === "count") return "count()";
  if (kind === "quantile") return "quantile(column, 0.5)";
  return WITH_NUMBER.some((candidate) => candidate === kind) ? `${kind}(column, 10)` : `${kind}(column)`;
}

function invalid(message: string, hint: string): IpdmError {
  return new IpdmError("AGGREGATE_INVALID", message, { kind: "config", hint });
}
