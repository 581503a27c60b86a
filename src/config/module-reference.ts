import validRange from "semver/ranges/valid.js";
import { IpdmError } from "../core/errors.ts";

/** Characters of a version range. */
const RANGE_CHARS_MAX = 256;

/** A module of a catalogue, by name and version range. */
export interface ModuleReference {
  readonly name: string;
  /** As npm's `semver` reads it: `^1.2`, `1.x`, `>=1.0.0 <2`, `1.2.3`; `*` for every version that is no pre-release. */
  readonly range: string;
}

/** True for a text that means a module of a catalogue: a name in a configuration has no `@`. */
export function isReference(text: string): boolean {
  return text.includes("@");
}

/** Reads `name@range`, or `name` for any version. Throws `MODULE_REFERENCE` (kind `usage`) with what is wrong. */
export function readReference(text: string): ModuleReference {
  const at = text.indexOf("@");
  const name = at < 0 ? text : text.slice(0, at);
  const range = at < 0 ? "*" : text.slice(at + 1).trim();
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw malformed(text, "a module's name is 1 to 63 lower-case letters, digits and -, beginning with a letter");
  if (range === "") throw malformed(text, "the version range after @ is empty");
  if (range.length > RANGE_CHARS_MAX)
    throw malformed(text, `a version range has at most ${RANGE_CHARS_MAX} characters`);
  if (validRange(range) === null) throw malformed(text, `${JSON.stringify(range.slice(0, 64))} is no version range`);
  return { name, range };
}

function malformed(text: string, why: string): IpdmError {
  return new IpdmError("MODULE_REFERENCE", `${JSON.stringify(text.slice(0, 64))} names no module: ${why}`, {
    kind: "usage",
    hint: "write a name and a version range, such as late@^1.2",
  });
}
