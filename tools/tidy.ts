import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { ROOT } from "./steps.ts";

/** Most lines of a source file. */
const LINES_MAX = 300;
const SOURCES = /^(src|actors|machines|proofs|circuits)\/.*\.ts$/;
const TEXTS = /\.(ts|js|md|json|ya?ml|circom|sh|html|css)$|^\.ci\//;
const SKIPPED =
  /^(node_modules|dist|out|coverage|schemas|LICENSES|\.(?!ci)[^/]*)(\/|$)|\/(node_modules|out)\/|^package-lock\.json$/;

interface Rule {
  readonly name: string;
  readonly files: RegExp;
  readonly found: RegExp;
}

// Written in two halves where the rule would find itself.
const RULES: readonly Rule[] = [
  {
    name: "unfinished work",
    files: TEXTS,
    found: new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`),
  },
  {
    name: "path of one machine",
    files: TEXTS,
    found: new RegExp(`${ROOT.replaceAll(/[^\w/]/g, "\\$&")}\\b|/ho${"me"}/[a-z]`),
  },
  // Tests read reference data beside the repository, and skip where it is absent; nothing else knows of that folder.
  {
    name: "folder outside the repository",
    files: /^(?!test\/).*\.(ts|js|md|json|ya?ml|circom|sh)$/,
    found: new RegExp("\\.\\./sha" + "red/"),
  },
  {
    name: "default export",
    files: /^(src|actors|machines|proofs|circuits|bench|tools)\/(?!sandbox\/sdk|modules).*\.ts$/,
    found: /^export default\b/,
  },
  { name: "focused or skipped test", files: /^test\/.*\.ts$/, found: /\b(it|test|describe)\.(only|todo|skip)\b/ },
  {
    name: "sleep in a test (wait for the event; a deadline that fails says `// deadline`)",
    files: /^test\/.*\.ts$/,
    found:
      /\bsetTimeout\(\s*\w+\s*,|\bsleep\(|\bawait setTimeout\(|^import .*\bset(Timeout|Interval)\b.*["']node:timers\/promises["']/,
  },
];
const VAGUE_NAME = /(^|\/)(utils?|helpers?|common|types|misc)\.ts$/;

/** What is untidy in this tree, one sentence each: long files, vague names, words that do not belong in it, sleeping tests. */
export async function tidyComplaints(): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const path of await textFiles()) complaints.push(...tidyText(path, await readFile(join(ROOT, path), "utf8")));
  return complaints;
}

/** What is untidy in one file. */
export function tidyText(path: string, text: string): readonly string[] {
  const complaints: string[] = [];
  const lines = text.split("\n");
  if (SOURCES.test(path) && lines.length - 1 > LINES_MAX)
    complaints.push(`${path}: ${lines.length - 1} lines, more than ${LINES_MAX}`);
  if (VAGUE_NAME.test(path)) complaints.push(`${path}: a name that says nothing`);
  for (const rule of RULES) {
    if (!rule.files.test(path)) continue;
    for (const [i, line] of lines.entries()) {
      if (rule.found.test(line) && !line.includes("// deadline")) complaints.push(`${path}:${i + 1}: ${rule.name}`);
    }
  }
  return complaints;
}

async function textFiles(): Promise<readonly string[]> {
  const paths: string[] = [];
  const open = [ROOT];
  for (let dir = open.pop(); dir !== undefined; dir = open.pop()) {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const path = relative(ROOT, join(dir, entry.name));
      if (SKIPPED.test(path)) continue;
      if (entry.isDirectory()) open.push(join(dir, entry.name));
      else if (TEXTS.test(path)) paths.push(path);
    }
  }
  return paths.sort();
}
