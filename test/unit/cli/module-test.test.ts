import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { testCommand } from "../../../src/cli/module/test-command.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { MANIFEST_FILE } from "../../../src/config/module-manifest.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const EXAMPLE = resolve(import.meta.dirname, "../../../examples/modules/map");
const CASE = join("cases", "readings.input.ndjson");
const EXPECTED = join("cases", "readings.expected.ndjson");

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("module-test");
  await mkdir(join(folder.path, "cases"));
  for (const file of [CASE, EXPECTED, "build"])
    await cp(join(EXAMPLE, file), join(folder.path, file), { recursive: true });
  // Of a level of trust that takes no process of its own.
  const manifest = JSON.parse(await readFile(join(EXAMPLE, MANIFEST_FILE), "utf8")) as object;
  await writeFile(join(folder.path, MANIFEST_FILE), JSON.stringify({ ...manifest, trust: "standard" }));
});
afterAll(() => folder.remove());

describe("module test", () => {
  it("refuses an output that is larger than what it compares, and names its input", async () => {
    const terminal = new Terminal({ json: true, quiet: false, verbose: false });
    const said = vi.spyOn(terminal, "json").mockImplementation(() => {});
    const { signal } = new AbortController();
    const { length } = await readFile(join(folder.path, EXPECTED));
    expect(await testCommand(folder.path, {}, terminal, signal, length)).toBe(0);
    expect(said.mock.lastCall).toMatchObject([{ event: "tested", ok: true, cases: 1 }]);
    await expect(testCommand(folder.path, {}, terminal, signal, length - 1)).rejects.toMatchObject({
      code: "MODULE_CASE_TOO_LARGE",
      kind: "config",
      where: join(folder.path, CASE),
    });
  });
});
