import { IpdmError } from "../core/errors.ts";

/** Name and value of a flag such as `--input flights=./flights.parquet`. Throws `USAGE`. */
export function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new IpdmError("USAGE", `${flag} takes name=path, not ${text}`, {
    kind: "usage",
    hint: `for example ${flag} flights=./flights.parquet`,
  });
}
