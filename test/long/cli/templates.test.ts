import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectOf } from "../../../src/cli/module/project.ts";
import { hasClang } from "../../support/clang.ts";
import { build, endAll, ROOT, runJson } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const canCompile = await hasClang();
let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("templates");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("a project that `module new` writes", () => {
  it.for(["map", "stateful", "extism", "wasi-c"])(
    "of %s builds as it says, and its cases pass",
    async (template, context) => {
      if (template === "wasi-c" && !canCompile) return context.skip("needs clang, lld and wasi-libc");
      const dir = join(folder.path, template);
      const project = await projectOf(dir, template);
      for (const [path, text] of Object.entries(project?.files ?? {})) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), text);
      }
      await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"), "dir");
      const { scripts } = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as {
        scripts: { build: string };
      };
      const path = [join(ROOT, "node_modules", ".bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
      execFileSync("sh", ["-c", scripts.build], { cwd: dir, env: { ...process.env, PATH: path }, stdio: "pipe" });
      expect(await runJson(["module", "test", dir])).toMatchObject({ ok: true, cases: 2, failed: 0 });
    },
  );
});
