import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nearest } from "../config/nearest.ts";
import { IpdmError } from "../core/errors.ts";
import { PACKAGE_FOLDER } from "./package-folder.ts";

/** What the page of codes says of one. */
export interface ExplainedCode {
  readonly code: string;
  /** What it is about: the heading of its table. */
  readonly section: string;
  /** Exit code of the command that ends with it; null for one that ends none. */
  readonly exit: number | null;
  readonly what: string;
  readonly todo: string;
}

const ROW = /^\| `([A-Z][A-Z0-9_]+)` \| (–|\d+) \| (.+?) \| (.+?) \|$/;

/** Looks a code up in `docs/reference/errors.md`, which ships with the package. Throws `USAGE` for one that is not there. */
export async function explainCode(code: string): Promise<ExplainedCode> {
  const codes = codesOf(await readFile(join(PACKAGE_FOLDER, "docs/reference/errors.md"), "utf8"));
  const found = codes.get(code.toUpperCase());
  if (found !== undefined) return found;
  const meant = nearest(code, [...codes.keys()]);
  throw new IpdmError("USAGE", `${code} is neither a code of an error nor a CID`, {
    kind: "usage",
    hint:
      meant === undefined
        ? "codes stand behind the ✗ of an error; CIDs begin with baf or bag"
        : `did you mean ${meant}?`,
  });
}

/** All codes of the page, by name. */
export function codesOf(page: string): ReadonlyMap<string, ExplainedCode> {
  const codes = new Map<string, ExplainedCode>();
  let section = "";
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) section = line.slice(3);
    const [, code = "", exit, what = "", todo = ""] = ROW.exec(line) ?? [];
    if (code !== "") codes.set(code, { code, section, exit: exit === "–" ? null : Number(exit), what, todo });
  }
  return codes;
}
