import { type ConfigPath, type Finding, placeName } from "./problem.ts";
import type { WrittenStream } from "./stream-task.ts";
import { checkWindow } from "./window-schema.ts";

/** Two names of one key. */
const SAME = [
  ["select", "project"],
  ["top", "topN"],
] as const;

/** Checks that the keys of a task of stream operators go together. */
export function checkStreamTask(path: ConfigPath, task: WrittenStream): Finding[] {
  const { window, dedup, join, input } = task;
  const place = placeName(path);
  for (const [one, other] of SAME)
    if (task[one] !== undefined && task[other] !== undefined) {
      const message = `${place} has both ${one} and ${other}`;
      return [{ path: [...path, other], atKey: true, message, hint: "they are names of the same; use one" }];
    }
  if (window !== undefined && dedup !== undefined) {
    const message = `${place} has both window and dedup`;
    return [{ path: [...path, "dedup"], atKey: true, message, hint: "make two tasks of it, one reading the other" }];
  }
  if (window !== undefined && join !== undefined) {
    const message = `${place} has both window and join`;
    const hint = "make two tasks of it; the join declares the event time of its rows";
    return [{ path: [...path, "window"], atKey: true, message, hint }];
  }
  return [
    ...(window === undefined ? [] : checkWindow([...path, "window"], window)),
    ...(join === undefined ? [] : checkJoin([...path, "join"], join, input)),
  ];
}

function checkJoin(
  path: ConfigPath,
  join: NonNullable<WrittenStream["join"]>,
  input: WrittenStream["input"],
): Finding[] {
  const place = placeName(path);
  const at = (key: string | undefined, message: string, hint: string): Finding => ({
    path: key === undefined ? path : [...path, key],
    atKey: true,
    message: `${place}${message}`,
    hint,
  });
  if (typeof input === "string" || input.length !== 2)
    return [at(undefined, " needs two inputs", "write input: [<left>, <right>]")];
  const { on, keep, before, after, window, temporal, ttl } = join;
  if (!Array.isArray(on) && Object.keys(on).length === 0) return [at("on", ".on is empty", "name at least one column")];
  const ways = { before: before ?? after, window, temporal, ttl };
  const [, second] = Object.entries(ways).filter(([, value]) => value !== undefined);
  if (second !== undefined)
    return [
      at(
        second[0] === "before" && before === undefined ? "after" : second[0],
        ` says twice which rows pair`,
        "use before and after, or window, or temporal, or ttl",
      ),
    ];
  if (temporal === true && (keep === "right" || keep === "full"))
    return [at("keep", `.keep: ${keep} has no meaning with temporal`, "write inner or left")];
  if (window === undefined) return [];
  const { tumble, hop, every } = window;
  if ((tumble === undefined) === (hop === undefined))
    return [at("window", ".window needs tumble or hop", "write { tumble: 10s }")];
  return (hop === undefined) === (every === undefined)
    ? []
    : [at("window", ".window: hop and every go together", "write { hop: 10s, every: 2s }")];
}
