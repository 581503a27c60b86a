import { describe, expect, it } from "vitest";
import { projectOf, TEMPLATE_NAMES } from "../../../src/cli/module/project.ts";

describe("a project of `module new`", () => {
  it.each(TEMPLATE_NAMES)("of %s has all that it names, and nothing of this package's folders", async (template) => {
    const project = await projectOf("/somewhere/Hot Rows!", template);
    const files = project?.files ?? {};
    const {
      name,
      scripts,
      devDependencies = {},
    } = JSON.parse(files["package.json"] ?? "") as {
      name: string;
      scripts: { build: string };
      devDependencies?: Record<string, string>;
    };
    const manifest = JSON.parse(files["ipdm.module.json"] ?? "") as { name: string; file: string; input: object };
    expect(manifest).toMatchObject({ name, file: "build/module.wasm" });
    const [source = ""] = /module\/[\w.]+/.exec(scripts.build) ?? [];
    expect(scripts.build).toContain(manifest.file);
    const text = files[source] ?? "";
    expect(text).not.toContain("../../");
    for (const [, module = ""] of text.matchAll(/from "([^"]+)"/g)) {
      const isFile = module.startsWith("../");
      expect(isFile ? Object.keys(files) : Object.keys(devDependencies), module).toContain(
        isFile ? `${module.slice(3)}.ts` : module,
      );
    }
    const cases = Object.keys(files).filter((path) => path.startsWith("cases/"));
    expect(cases.filter((path) => path.endsWith(".input.ndjson"))).toHaveLength(cases.length / 2);
    expect(cases).not.toHaveLength(0);
    const needsNpm = Object.keys(devDependencies).length > 0;
    expect(project?.next.startsWith("npm install")).toBe(needsNpm);
    expect(project?.tools === undefined).toBe(needsNpm);
    expect(files["README.md"]).toContain(source);
  });

  it("of a template that there is not is none", async () => {
    expect(await projectOf("/somewhere", "rust")).toBeUndefined();
    expect(await projectOf("/somewhere", "toString")).toBeUndefined();
  });
});
