import type { z } from "zod";
import { keysAt } from "./json-schema.ts";
import { PROBLEMS_MAX } from "./limits.ts";
import { nearest } from "./nearest.ts";
import { type ConfigPath, type Finding, placeName } from "./problem.ts";
import { type WrittenConfig, writtenConfigSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** Checks the form of a configuration: keys, types, ranges, durations. All that is wrong is returned, unknown keys first. */
export function checkShape(value: unknown): { readonly ok: WrittenConfig } | { readonly findings: readonly Finding[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message =
      value === null
        ? "the configuration is empty"
        : `the configuration must be a mapping of keys, not ${kindOf(value)}`;
    return {
      findings: [{ path: [], atKey: false, message, hint: "`ipdm-runtime init <dir>` writes a working starter" }],
    };
  }
  const parsed = writtenConfigSchema.safeParse(value);
  if (parsed.success) return { ok: parsed.data };
  const issues = parsed.error.issues.flatMap((issue) => flattened(issue, [])).slice(0, PROBLEMS_MAX);
  const unknown = issues
    .filter(({ issue }) => issue.code === "unrecognized_keys")
    .flatMap((found) => unknownKeys(found, value));
  const others = issues
    .filter(({ issue }) => issue.code !== "unrecognized_keys")
    .map((found) => findingOf(found, value));
  // A misspelt key is unknown and leaves the right one missing: one slip, one problem.
  const meant = new Set(
    unknown.flatMap(({ path, meant }) => (meant === undefined ? [] : [placeName([...path.slice(0, -1), meant])])),
  );
  const left = others.filter((finding) => !meant.has(placeName(finding.path)));
  return { findings: [...unknown, ...left].slice(0, PROBLEMS_MAX) };
}

interface Found {
  readonly path: ConfigPath;
  readonly issue: Issue;
}

/** Issues with full paths; of a union, those of the branch that the value was meant for. */
function flattened(issue: Issue, base: ConfigPath): Found[] {
  const path = [...base, ...(issue.path as (string | number)[])]; // parsed data has no symbol keys
  if (issue.code !== "invalid_union") return [{ path, issue }];
  // The branch whose type fits complains about something inside, or about the value without calling its type wrong.
  const fitting = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0 || !isTypeIssue(inner)));
  if (fitting === undefined) return [{ path, issue }];
  return fitting.flatMap((inner) => flattened(inner, path));
}

function isTypeIssue(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value" || issue.code === "invalid_union";
}

function unknownKeys({ path, issue }: Found, root: unknown): (Finding & { readonly meant: string | undefined })[] {
  const known = keysAt(path);
  const written = valueAt(root, path) as object; // only a mapping has unknown keys
  // A key that stands there already is not the one that was meant.
  const missing = known.filter((key) => !Object.hasOwn(written, key));
  return (issue.code === "unrecognized_keys" ? issue.keys : []).map((key) => {
    const meant = nearest(key, missing);
    const hint = meant === undefined ? `known here: ${known.join(", ")}` : `did you mean ${meant}?`;
    return {
      path: [...path, key],
      atKey: true,
      message: `${placeName([...path, key])} is not a key of the configuration`,
      hint,
      meant,
    };
  });
}

function findingOf({ path, issue }: Found, root: unknown): Finding {
  const place = placeName(path);
  const value = valueAt(root, path);
  const at = { path, atKey: issue.code === "invalid_key" || value === undefined };
  if (value === undefined && issue.code !== "invalid_key")
    return { ...at, message: `${place} is missing`, ...hintOf(path) };
  switch (issue.code) {
    case "invalid_type":
      return {
        ...at,
        message: `${place} must be ${expectedText(issue.expected)}, not ${kindOf(value)}`,
        ...hintOf(path, value),
      };
    case "invalid_value":
      return {
        ...at,
        message: `${place} must be ${issue.values.join(" or ")}, not ${kindOf(value)}`,
        ...nearestHint(value, issue.values.map(String)),
      };
    case "invalid_union":
      return { ...at, message: `${place} cannot be ${kindOf(value)}`, ...hintOf(path, value) };
    case "invalid_key":
      return {
        ...at,
        message: `${place}: a name ${issue.issues[0]?.message ?? "is not allowed"}`,
        ...nameHint(String(path.at(-1))),
      };
    case "too_small":
      return {
        ...at,
        message: `${place} must be ${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`,
      };
    case "too_big":
      return { ...at, message: `${place} must be at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}` };
    case "custom": {
      const { hint } = (issue.params ?? {}) as { hint?: string };
      return { ...at, message: `${place}: ${issue.message}`, ...(hint === undefined ? {} : { hint }) };
    }
    default:
      return { ...at, message: `${place} ${issue.message}` };
  }
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : String(value);
}

function expectedText(expected: string): string {
  switch (expected) {
    case "string":
      return "text";
    case "int":
      return "a whole number";
    case "number":
      return "a number";
    case "array":
      return "a list";
    case "record":
      return "a mapping of names";
    case "object":
      return "a mapping of keys";
    default:
      return expected;
  }
}

function unitOf(origin: string, count: number | bigint): string {
  const isOne = Number(count) === 1;
  if (origin === "string") return isOne ? " character" : " characters";
  if (origin === "array") return isOne ? " entry" : " entries";
  return "";
}

/** Keys whose values are durations. */
const DURATIONS = [
  ...["outOfOrder", "lateness", "tumble", "hop", "every", "cumulate", "step", "session", "offset", "timeout"],
  ...["ttl", "within", "before", "after"],
];

/** What to write instead, for the slips that people make. */
function hintOf(path: ConfigPath, value?: unknown): { hint?: string } {
  const last = path.at(-1);
  if (typeof value === "number" && DURATIONS.includes(String(last))) return { hint: `write a unit: ${value}s` };
  if (typeof value === "number" && ["hot", "memory"].includes(String(last)))
    return { hint: `write a unit: ${value}MiB` };
  if (last === "prove") return { hint: "write { windows: 1 }" };
  if (last === "window") return { hint: "write { tumble: 1d }" };
  if (last === "time") return { hint: "write { column: <name> }" };
  if (last === "key" && typeof value === "string") return { hint: `write a list: [${value}]` };
  if (last === "aggregate") return { hint: "write { rows: count() }" };
  return {};
}

function nearestHint(value: unknown, known: readonly string[]): { hint?: string } {
  const near = typeof value === "string" ? nearest(value, known) : undefined;
  return near === undefined ? {} : { hint: `did you mean ${near}?` };
}

function nameHint(name: string): { hint?: string } {
  const proper = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 63);
  return proper === "" ? {} : { hint: `for example ${proper}` };
}
