import { IpdmError } from "../core/errors.ts";

/** A flag's `name=path` as its two parts. Throws `USAGE`. */
export function named(flag: string, text: string): [name: string, path: string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new IpdmError("USAGE", `${flag} takes name=path, not ${text}`, {
    kind: "usage",
    hint: `for example ${flag} flights=./flights.parquet`,
  });
}
