import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execPath } from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { EXIT_CODES } from "../../../src/core/errors.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

async function help(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, IPDM_SOURCE: "1" };
  return (await run(execPath, [join(ROOT, "bin", "ipdm-runtime.js"), ...args, "--help"], { env })).stdout;
}

const flagsIn = (text: string, line: RegExp): readonly string[] =>
  [...text.matchAll(line)].map((match) => match[1] ?? "").sort();
const offered = (text: string): readonly string[] => flagsIn(text, /^ {2}(?:-\w, )?(--[a-z-]+(?: <[^>]+>)?)/gm);
const documented = (text: string): readonly string[] =>
  flagsIn(text, /^\| (?:`-\w`, )?`(--[a-z-]+(?: <[^>]+>)?)` \|/gm);

describe("docs/reference/cli.md", () => {
  it("has a section for each command, with exactly the options that the program offers", async () => {
    const page = await readFile(join(ROOT, "docs/reference/cli.md"), "utf8");
    const listed = (text: string, group = ""): readonly string[] =>
      [...text.matchAll(/^ {2}([a-z]+) \[options\]((?: <[\w.]+>)*)/gm)].map(
        ([, name = "", words = ""]) => `${group}${name}${words}`,
      );
    const commands = [...listed(await help()), ...listed(await help("module"), "module ")];
    const [before = "", ...sections] = page.split(/^## `/m);
    expect(sections.map((section) => section.split("`")[0])).toEqual(commands);
    expect(commands.length).toBeGreaterThanOrEqual(13);
    const common = documented(before);
    for (const section of sections) {
      const words = (section.split("`")[0] ?? "").split(" ").filter((word) => !word.startsWith("<"));
      expect([...documented(section), ...common].sort(), words.join(" ")).toEqual(offered(await help(...words)));
    }
  });

  it("has the exit codes of the code", async () => {
    const page = await readFile(join(ROOT, "docs/reference/cli.md"), "utf8");
    const table = page.slice(page.indexOf("## Exit codes"));
    const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(codes).toEqual([0, ...Object.values(EXIT_CODES)].sort((a, b) => a - b));
  });
});
