import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { completedCommands, completionScript, SHELLS } from "../../../src/cli/completion.ts";
import { program } from "../../../src/cli/program.ts";

const commands = completedCommands(program(async () => {}, new AbortController().signal));

/** What bash offers for the words of a line, the last being the one under the cursor. */
async function offered(...lines: readonly (readonly string[])[]): Promise<string[][]> {
  const script = completionScript("bash", "ipdm-runtime", commands);
  const asked = lines.map(
    (words) =>
      `COMP_WORDS=(ipdm-runtime ${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length}; _ipdm_runtime; echo "\${COMPREPLY[*]}"`,
  );
  const { stdout } = await promisify(execFile)("bash", ["--norc", "-c", `${script}\n${asked.join("\n")}`]);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" ").filter((word) => word !== ""));
}

describe("completion", () => {
  it("offers in bash the commands, then a command's own options, and leaves the rest to files", async () => {
    const [all = [], ver, module, publish, run, moduleRun, file] = await offered(
      [""],
      ["ver"],
      ["module", ""],
      ["module", "publish", "--v"],
      ["run", "ipdm.yaml", "--batch"],
      ["module", "run", "--batch"],
      ["run", "ipdm"],
    );
    const names = commands.filter(({ path }) => path.length === 1).map(({ path: [name] }) => name);
    expect(all).toEqual(names);
    expect(all).toContain("verify");
    expect(ver).toEqual(["verify"]);
    expect(module).toEqual(expect.arrayContaining(["new", "publish", "run"]));
    expect(publish).toEqual(["--verbose", "--version"]);
    expect(run).toEqual(["--batch-rows"]);
    expect(moduleRun).toEqual([]);
    expect(file).toEqual([]);
  });

  it.each(SHELLS)("names every command and every option in the script for %s", (shell) => {
    const script = completionScript(shell, "ipdm-runtime", commands);
    for (const { path, options } of commands) {
      for (const name of path) expect(script).toContain(name);
      for (const { flag } of options) expect(script).toContain(shell === "fish" ? `-l ${flag.slice(2)} ` : flag);
    }
  });
});
