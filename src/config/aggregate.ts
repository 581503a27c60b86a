import { IpdmError } from "../core/errors.ts";
import { AGGREGATE_KINDS, type AggregateKind } from "../streams/window/plan.ts";
import { nearest } from "./nearest.ts";

/** What an aggregate computes: `count` without a column counts rows, the others need one. */
export interface Aggregate {
  readonly kind: AggregateKind;
  readonly column?: string;
}

/** Reads `count()`, `count(x)`, `sum(delay)`, `min(x)`, `max(x)`, `mean(x)`. Throws `AGGREGATE_INVALID`. */
export function readAggregate(text: string): Aggregate {
  const match = /^([A-Za-z_]{1,32})\(([^()]{0,256})\)$/.exec(text.trim());
  const known = AGGREGATE_KINDS.map((kind) => (kind === "count" ? "count()" : `${kind}(column)`)).join(", ");
  if (match === null)
    throw invalid(`${JSON.stringify(text.slice(0, 64))} is not an aggregate`, `write one of ${known}`);
  const [, word = "", inside = ""] = match;
  const kind = AGGREGATE_KINDS.find((candidate) => candidate === word);
  if (kind === undefined) {
    const near = nearest(word, AGGREGATE_KINDS);
    throw invalid(
      `there is no aggregate ${word}`,
      near === undefined ? `write one of ${known}` : `did you mean ${near}?`,
    );
  }
  const column = inside.trim();
  if (column === "" && kind === "count") return { kind };
  if (column === "") throw invalid(`${kind} needs a column`, `write ${kind}(column)`);
  return { kind, column };
}

function invalid(message: string, hint: string): IpdmError {
  return new IpdmError("AGGREGATE_INVALID", message, { kind: "config", hint });
}
