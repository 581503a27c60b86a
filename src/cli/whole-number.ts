import { IpdmError } from "../core/errors.ts";

/** The whole number of a flag; `undefined` where it is not given. Throws `USAGE`. */
export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new IpdmError("USAGE", `${flag} takes a whole number, not ${text}`, {
      kind: "usage",
      hint: "ipdm-runtime run --help",
    });
  }
  return value;
}
