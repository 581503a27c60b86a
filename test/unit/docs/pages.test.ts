import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");
const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** Paths of all pages, from the root. */
async function pages(): Promise<readonly string[]> {
  const top = (await readdir(ROOT)).filter((name) => name.endsWith(".md"));
  const docs = (await readdir(join(ROOT, "docs"), { recursive: true })).filter((name) => name.endsWith(".md"));
  return [...top, ...docs.map((name) => join("docs", name)), "circuits/README.md"].sort();
}

const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");

/** GitHub's anchor of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

const anchorsOf = (text: string): readonly string[] =>
  [...text.replace(FENCE, "").matchAll(/^#+ (.+)$/gm)].map((match) => slug(match[1] ?? ""));

/** Links of a page that lead nowhere. */
async function brokenLinks(path: string, text: string): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const [, target = ""] of text.replace(FENCE, "").matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [file = "", anchor] = target.split("#");
    const found = file === "" ? path : relative(ROOT, resolve(ROOT, dirname(path), file));
    const there = await stat(join(ROOT, found)).then(
      () => true,
      () => false,
    );
    if (!there || (anchor !== undefined && !anchorsOf(await read(found)).includes(anchor)))
      broken.push(`${path}: ${target}`);
  }
  return broken;
}

describe("pages", () => {
  it("have links that lead somewhere", async () => {
    const all = await pages();
    expect(all).toEqual(expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/reference/cli.md"]));
    for (const path of all) expect(await brokenLinks(path, await read(path))).toEqual([]);
    expect(
      await brokenLinks("README.md", "[a](docs/no.md) [b](#no-such) [c](src/index.ts) [d](ARCHITECTURE.md#decisions)"),
    ).toEqual(["README.md: docs/no.md", "README.md: #no-such"]);
  });

  it("name files of this tree that are there", async () => {
    const gone: string[] = [];
    for (const path of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/tutorial/first-pipeline.md"]) {
      for (const [, named = ""] of (await read(path)).matchAll(
        /`((?:src|actors|machines|proofs|circuits|test|examples|docs|tools|bin)\/[\w./-]+)`/g,
      )) {
        const there = await stat(join(ROOT, named)).then(
          () => true,
          () => named === "src/gateway",
        );
        if (!there) gone.push(`${path}: ${named}`);
      }
    }
    expect(gone).toEqual([]);
  });

  it("speak of the project only", async () => {
    // In halves, so that this file does not find itself.
    const words = [/\bissue [0-9]/i, /\bsess[i]on [0-9]/i, /\bdesign\.m[d]\b/, /\/tm[p]\//, /<!--/];
    for (const path of await pages()) {
      const text = await read(path);
      for (const word of words) expect(word.exec(text)?.[0], path).toBeUndefined();
    }
  });
});

describe("README.md", () => {
  it("has at most 200 lines", async () => {
    expect((await read("README.md")).trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  });

  it("shows the example program as it is, in at most 25 lines", async () => {
    const program = await read("examples/programmatic/windows.ts");
    expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(25);
    const shown = [...(await read("README.md")).matchAll(FENCE)].filter(([, language]) => language === "ts");
    expect(shown.map(([, , text]) => text)).toEqual([program]);
  });

  it("has a table of quorums that its own formula gives", async () => {
    const rows = [...(await read("README.md")).matchAll(/^\| (\d+) \| (\d+) \| (\d+) \| (\d+) liars? \| f = (\d+)/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const row of rows) {
      const [n = 0, q = 0, stands, liars, f] = row.slice(1).map(Number);
      expect({ n, q, stands, liars, f }).toEqual({ n, q, stands: n - q, liars: q, f: Math.max(0, 2 * q - n - 1) });
    }
  });
});
