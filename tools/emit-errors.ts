import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { argv, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./steps.ts";

/** A code of an error or notice as the sources spell it: the files that do, and the kinds that stand close behind it. */
export interface ErrorCode {
  readonly code: string;
  readonly files: readonly string[];
  readonly kinds: readonly string[];
}

/** Words in the same spelling that are not ours: types of file formats, codes of libraries and systems. */
const FOREIGN: ReadonlySet<string> = new Set([
  ...["BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY", "TIMESTAMP_MICROS", "TIMESTAMP_MILLIS", "TIME_MICROS", "TIME_MILLIS"],
  ...["CSV_MAX_RECORD_SIZE", "ERR_WORKER_OUT_OF_MEMORY", "LEVEL_CORRUPTION", "LEVEL_DATABASE_NOT_OPEN", "LEVEL_LOCKED"],
  ...["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "EACCES", "EPERM", "EROFS", "EMFILE", "ENOSPC", "EDQUOT"],
  ...["NODE_COMPILE_CACHE", "NODE_DISABLE_COMPILE_CACHE"],
  ...["MULTIPLE_DOCS", "RESOURCE_EXHAUSTION", "TAB_AS_INDENT", "TAG_RESOLVE_FAILED"],
]);

// Of two or more words anywhere; of one word where it is plainly a code.
const SPELLED =
  /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"|(?:IpdmError\(\s*|\bcode: |\brefuse\()"([A-Z][A-Z0-9]+)"|[?:] "(UNEXPECTED)"/g;
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** How far behind a code its `kind` may stand. */
const KIND_WITHIN = 500;

/** Every code that the runtime's sources spell, sorted. A new one is either documented in docs/reference/errors.md or foreign. */
export async function errorCodes(root: string = ROOT): Promise<readonly ErrorCode[]> {
  const found = new Map<string, { readonly files: Set<string>; readonly kinds: Set<string> }>();
  for (const top of ["src", "actors", "machines", "proofs", "circuits"]) {
    for (const entry of await readdir(join(root, top), { recursive: true, withFileTypes: true })) {
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join("/");
      if (!entry.isFile() || !path.endsWith(".ts") || path.startsWith("src/sandbox/sdk/")) continue;
      const text = (await readFile(join(root, path), "utf8")).replace(COMMENTS, "");
      for (const match of text.matchAll(SPELLED)) {
        const code = match[1] ?? match[2] ?? match[3] ?? "";
        if (FOREIGN.has(code)) continue;
        const record = found.get(code) ?? { files: new Set(), kinds: new Set() };
        found.set(code, record);
        record.files.add(path);
        const behind = text.slice(match.index + match[0].length, match.index + match[0].length + KIND_WITHIN);
        const kind = /\bkind: "(\w+)"/.exec(behind.split("IpdmError(")[0] ?? "")?.[1];
        if (kind !== undefined) record.kinds.add(kind);
      }
    }
  }
  return [...found]
    .map(([code, { files, kinds }]) => ({ code, files: [...files].sort(), kinds: [...kinds].sort() }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** The codes that a page documents: those in the first column of its tables. */
export function documentedCodes(page: string): readonly string[] {
  return [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map((match) => match[1] ?? "").sort();
}

// `node tools/emit-errors.ts`: the codes with their files, to write the page by.
if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const { code, files, kinds } of await errorCodes())
    stdout.write(`${code}\t${kinds.join(",")}\t${files.join(" ")}\n`);
}
