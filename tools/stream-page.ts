import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { ROOT } from "./steps.ts";

/** What stands between the page's own words and what this makes of the sources. */
const MARK = "# Every name\n\nMade of the sources' comments by `node tools/emit-streams.ts`.";
const PAGE = join("docs", "reference", "streams.md");
const FACE = "src/streams/index.ts";

/** Chapters of the page, and the files whose names stand in them. */
const CHAPTERS: Readonly<Record<string, RegExp>> = {
  "Sources and ends": /^(source|adapters|drain|credits|flow)\.ts$|^arrow\//,
  "Columns and expressions": /^columns\.ts$|^expressions\//,
  "Operators over rows": /^operators\/(expressions|rows|map-batch|keyed|scan|top-n|union)\.ts$/,
  "Event time and windows": /^operators\/(event-time|shapes|aggregate)\.ts$|^window\//,
  Aggregates: /^operators\/specs\.ts$/,
  Joins: /^operators\/join(s|-types)\.ts$|^join\//,
  "Savepoints, explanations, counters": /^(checkpointer|savepoint|barrier|explain|step|diagnostics)\.ts$/,
};

/** The page as it should be: its own words, and the doc comment of each name of the streams' face. */
export async function streamPage(): Promise<string> {
  const page = await readFile(join(ROOT, PAGE), "utf8");
  const own = page.includes(MARK) ? page.slice(0, page.indexOf(MARK)) : `${page.trimEnd()}\n\n`;
  const names = await faceNames();
  const chapters: string[] = [];
  for (const [title, files] of Object.entries(CHAPTERS)) {
    const entries = names.filter(({ file }) => files.test(file));
    const functions = entries.filter(({ isType }) => !isType);
    const types = entries.filter(({ isType }) => isType);
    const told = await Promise.all([...functions, ...types].map(entryText));
    chapters.push(`## ${title}\n\n${told.join("\n")}`);
  }
  const lost = names.filter(({ file }) => !Object.values(CHAPTERS).some((files) => files.test(file)));
  if (lost.length > 0) throw new Error(`no chapter for ${lost.map(({ file }) => file).join(", ")}`);
  return `${own}${MARK}\n\n${chapters.join("\n")}`;
}

/** Path of the page. */
export const STREAM_PAGE: string = join(ROOT, PAGE);

interface FaceName {
  readonly name: string;
  /** What it is called where it is declared. */
  readonly declared: string;
  readonly file: string;
  readonly isType: boolean;
}

async function faceNames(): Promise<readonly FaceName[]> {
  const text = await readFile(join(ROOT, FACE), "utf8");
  const found: FaceName[] = [];
  for (const [, kind = "", list = "", from = ""] of text.matchAll(/export (type )?\{([^}]*)\} from "([^"]+)"/g)) {
    for (const each of list.split(",")) {
      const [declared = "", name = declared] = each.trim().split(" as ");
      if (declared !== "") found.push({ name, declared, file: posix.normalize(from), isType: kind !== "" });
    }
  }
  return found;
}

async function entryText({ name, declared, file }: FaceName): Promise<string> {
  const text = await readFile(join(ROOT, "src", "streams", file), "utf8");
  const declaration = new RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n(?:// [^\\n]*\\n)*export (?:async )?(?:function\\*? |class |interface |type |const )${declared}\\b`,
  ).exec(text);
  if (declaration === null) throw new Error(`${file}: ${declared} has no doc comment`);
  const comment = (declaration[1] ?? "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim()
    .replaceAll(/\{@link (\w+)\}/g, "`$1`");
  const paragraphs = comment
    .split(/\n\s*\n/)
    .map((part) => (part.startsWith("- ") ? part : part.replaceAll(/\n(?!- )/g, " ")));
  return `**\`${name}\`** ${paragraphs.join("\n\n")}\n`;
}
