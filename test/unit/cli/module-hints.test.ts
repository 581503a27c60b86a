import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { say } from "../../support/say.ts";

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("module-hints");
});
afterAll(() => folder.remove());

it("names the flag that declares columns where a file has no rows to tell them", async () => {
  const input = join(folder.path, "empty.ndjson");
  await writeFile(input, "");
  const module = join(ROOT, "examples", "flights", "late.wasm");
  for (const command of ["run", "check"])
    expect((await say("module", command, module, "--input", input, "--json")).last).toMatchObject({
      code: "SOURCE_SCHEMA_UNKNOWN",
      hint: "declare the columns and their types with `--input-columns`",
    });
});
