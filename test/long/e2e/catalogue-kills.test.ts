import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, endAll, lastJson, run, runJson, start } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { watBytes, watSource } from "../../support/wat-module.ts";

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("catalogue");
  await writeFile(join(folder.path, "echo.wasm"), await watBytes(watSource()));
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("module publish", () => {
  it("leaves a sound catalogue when it is killed at any moment", async () => {
    const cwd = folder.fresh("w");
    await mkdir(cwd);
    const args = (version: string): readonly string[] => [
      "module",
      "publish",
      join(folder.path, "echo.wasm"),
      "--name",
      "echo",
      "--version",
      version,
      "--json",
    ];
    const began = performance.now();
    expect((await run(args("1.0.0"), { cwd })).code).toBe(0);
    const tookMs = performance.now() - began;
    for (let kill = 1; kill <= 6; kill++) {
      const going = start(args(`2.0.${kill}`), { cwd });
      // Late in the command, where it writes; a kill that comes after its end is one too.
      setTimeout(() => going.child.kill("SIGKILL"), tookMs * (0.7 + kill * 0.05)); // deadline
      await going.ended;
      const listed = lastJson(await run(["module", "list", "--json"], { cwd }));
      expect(listed).toMatchObject({ event: "listed", ok: true });
    }
    const again = await runJson(args("2.0.1").slice(0, -1), { cwd });
    expect(["published", "present"]).toContain(again["outcome"]);
    expect(await runJson(["module", "show", "echo@2.0.1"], { cwd })).toMatchObject({ version: "2.0.1" });
  });
});
