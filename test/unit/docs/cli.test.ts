import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { program } from "../../../src/cli/program.ts";
import { EXIT_CODES } from "../../../src/core/errors.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

/** What `--help` prints. */
function help(...words: readonly string[]): string {
  let command = program(async () => {}, new AbortController().signal);
  for (const word of words) command = command.commands.find((one) => one.name() === word) ?? command;
  return command.configureHelp({ helpWidth: 200 }).helpInformation();
}

const flagsIn = (text: string, line: RegExp): readonly string[] =>
  [...text.matchAll(line)].map((match) => match[1] ?? "").sort();
const offered = (text: string): readonly string[] =>
  flagsIn(text, /^ {2}(?:-\w, )?(--[a-z-]+(?: <[^>]+>| \[[^\]]+\])?)/gm);
const documented = (text: string): readonly string[] =>
  flagsIn(text, /^\| (?:`-\w`, )?`(--[a-z-]+(?: <[^>]+>| \[[^\]]+\])?)` \|/gm);

describe("docs/reference/cli.md", () => {
  it("has a section for each command, with exactly the options that the program offers", async () => {
    const page = await readFile(join(ROOT, "docs/reference/cli.md"), "utf8");
    const listed = (text: string, group = ""): readonly string[] =>
      [...text.matchAll(/^ {2}([a-z]+) \[options\]((?: <[\w.]+>)*)/gm)].map(
        ([, name = "", words = ""]) => `${group}${name}${words}`,
      );
    const groups = ["config", "module", "actors", "events", "dag", "journal"];
    const commands = [...listed(help()), ...groups.flatMap((group) => listed(help(group), `${group} `))];
    const [before = "", ...sections] = page.split(/^## `/m);
    expect(sections.map((section) => section.split("`")[0])).toEqual(commands);
    expect(commands.length).toBeGreaterThanOrEqual(13);
    const common = documented(before);
    for (const section of sections) {
      const words = (section.split("`")[0] ?? "").split(" ").filter((word) => !word.startsWith("<"));
      expect([...documented(section), ...common].sort(), words.join(" ")).toEqual(offered(help(...words)));
    }
  });

  it("has the exit codes of the code", async () => {
    const page = await readFile(join(ROOT, "docs/reference/cli.md"), "utf8");
    const table = page.slice(page.indexOf("## Exit codes"));
    const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(codes).toEqual([0, ...Object.values(EXIT_CODES)].sort((a, b) => a - b));
  });
});
