import { IpdmError } from "../core/errors.ts";

/** What flags take and an example of it; the others take paths. */
const TAKES: Readonly<Record<string, readonly [string, string]>> = {
  "--range": ["first..last", "blocks=17686110..17686124"],
};

/** Name and value of a flag such as `--input flights=./flights.parquet`. Throws `USAGE`. */
export function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  const [what, example] = TAKES[flag] ?? ["path", "flights=./flights.parquet"];
  throw new IpdmError("USAGE", `${flag} takes name=${what}, not ${text}`, {
    kind: "usage",
    hint: `for example ${flag} ${example}`,
  });
}

/** Flags that may be repeated, each with another name: values by name. Throws `USAGE`, also for a name that comes twice. */
export function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const text of texts) {
    const [name, value] = pair(flag, text);
    if (values.has(name))
      throw new IpdmError("USAGE", `${flag} names ${name} twice`, { kind: "usage", hint: "name it once" });
    values.set(name, value);
  }
  return Object.fromEntries(values);
}
