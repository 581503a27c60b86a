import { IpdmError } from "../core/errors.ts";
import { nearest } from "./nearest.ts";
import { type ConfigPath, placeName } from "./problem.ts";

/**
 * Does some work for one place of the configuration. An error of kind `config` that it throws without a place of its own gets
 * this one, in words and as `facts.path`; where a column is not there, the nearest one is suggested, and of declared `columns`
 * the place is that column's.
 */
export async function atPlace<T>(path: ConfigPath, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IpdmError) || error.kind !== "config" || error.where !== undefined) throw error;
    const { code, message, kind, retry, facts, cause } = error;
    const { column, columns } = facts as { column?: string; columns?: readonly string[] };
    const meant = column === undefined || columns === undefined ? undefined : nearest(column, columns);
    const hint = [meant === undefined ? undefined : `did you mean ${meant}?`, error.hint].filter(Boolean).join(" ");
    const place = path.at(-1) === "columns" && column !== undefined ? [...path, column] : path;
    const where = placeName(place);
    throw new IpdmError(code, `${where}: ${message}`, {
      kind,
      where,
      retry,
      facts: { ...facts, path: place },
      cause,
      ...(hint === "" ? {} : { hint }),
    });
  }
}

/** An error of {@link atPlace} whose `where` is file, line and column; every other error as it is. */
export function locatedInFile(error: unknown, locate: (path: ConfigPath) => string): unknown {
  if (!(error instanceof IpdmError) || !Array.isArray(error.facts["path"])) return error;
  const { code, message, kind, hint, retry, facts } = error;
  const where = locate(error.facts["path"] as ConfigPath);
  return new IpdmError(code, message, {
    kind,
    where,
    retry,
    facts,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
