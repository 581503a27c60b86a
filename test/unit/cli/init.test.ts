import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { initProject } from "../../../src/cli/init.ts";
import { starterReadings } from "../../../src/cli/starter.ts";
import { TEMPLATE_NAMES } from "../../../src/cli/templates.ts";
import { configSchemaText } from "../../../src/config/json-schema.ts";
import { loadConfig } from "../../../src/config/load.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ipdm-init-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("initProject", () => {
  it("writes a starter that loads without a warning and names its next command", async () => {
    const dir = join(folder, "new", "my hello");
    const { files, next } = await initProject(dir);
    expect([...files].sort()).toEqual((await readdir(dir)).sort());
    expect(next).toMatch(/^cd '.*my hello' && npx ipdm-runtime run ipdm\.yaml$/);
    const { config, warnings, text } = await loadConfig(dir);
    expect(warnings).toEqual([]);
    expect(config.domain).toMatchObject({ replicas: 3, quorum: 2 });
    expect(config.modules).toEqual([]);
    expect(config.outputs.map(({ file }) => file.split(".").at(-1))).toEqual(["csv", "parquet"]);
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=.ipdm.schema.json");
    expect(await readFile(join(dir, ".ipdm.schema.json"), "utf8")).toBe(configSchemaText());
    expect(await readFile(join(dir, "README.md"), "utf8")).toContain(`out/${config.name}/receipt.car`);
  });

  it.each(TEMPLATE_NAMES)("writes the template %s, which loads without a warning", async (template) => {
    const dir = join(folder, template);
    const { files, next } = await initProject(dir, template);
    expect([...files].sort()).toEqual((await readdir(dir)).sort());
    expect(next).toMatch(/^cd .+ && .*npx ipdm-runtime run ipdm\.yaml/);
    // Data that is not the package's own need not be there yet.
    const { warnings, text } = await loadConfig(dir, { files: "skip" });
    expect(warnings).toEqual([]);
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=.ipdm.schema.json");
    expect(text).not.toContain("examples/");
  });

  it("USAGE for a template that there is not", async () => {
    const wanted = {
      code: "USAGE",
      hint: expect.stringContaining("readings, blank, ethereum-erc20, solana-fees, flights") as string,
    };
    await expect(initProject(folder, "flight")).rejects.toMatchObject(wanted);
  });

  it("writes 2,000 rows, always the same, none of them late", async () => {
    const lines = starterReadings().trimEnd().split("\n");
    expect(lines.length).toBe(2001);
    expect(starterReadings()).toBe(starterReadings());
    let newest = Number.NEGATIVE_INFINITY;
    for (const line of lines.slice(1)) {
      const [time = "", room, value] = line.split(",");
      const at = Date.parse(time);
      expect(at).toBeGreaterThanOrEqual(newest - 5 * 60_000);
      newest = Math.max(newest, at);
      expect(room).toMatch(/^[a-z]+$/);
      expect(Number.isInteger(Number(value))).toBe(true);
    }
  });

  it("takes a folder that holds only .git", async () => {
    await mkdir(join(folder, ".git"));
    expect((await initProject(folder)).files).toContain("ipdm.yaml");
  });

  it("INIT_NOT_EMPTY, and leaves everything as it was", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    await expect(initProject(folder)).rejects.toMatchObject({ code: "INIT_NOT_EMPTY", kind: "config", where: folder });
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });

  it("INIT_NOT_A_FOLDER where a file is in the way", async () => {
    await writeFile(join(folder, "file"), "mine");
    await expect(initProject(join(folder, "file"))).rejects.toMatchObject({
      code: "INIT_NOT_A_FOLDER",
      kind: "config",
    });
    await expect(initProject(join(folder, "file", "below"))).rejects.toMatchObject({
      code: "INIT_NOT_A_FOLDER",
      kind: "config",
    });
  });

  it("INIT_UNWRITABLE where no folder can be made", async () => {
    await expect(initProject(join(folder, "x".repeat(300)))).rejects.toMatchObject({
      code: "INIT_UNWRITABLE",
      kind: "config",
    });
  });
});
