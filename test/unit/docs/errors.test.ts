import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { documentedCodes, errorCodes } from "../../../tools/emit-errors.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

describe("docs/reference/errors.md", () => {
  it("documents exactly the codes that the sources spell, each once", async () => {
    const page = await readFile(join(ROOT, "docs/reference/errors.md"), "utf8");
    const documented = documentedCodes(page);
    expect(new Set(documented).size).toBe(documented.length);
    const spelled = (await errorCodes()).map(({ code }) => code);
    expect(spelled.length).toBeGreaterThan(150);
    expect({ undocumented: spelled.filter((code) => !documented.includes(code)) }).toEqual({ undocumented: [] });
    expect({ gone: documented.filter((code) => !spelled.includes(code)) }).toEqual({ gone: [] });
  });

  it("gives each code an exit code, what happened and what to do", async () => {
    const page = await readFile(join(ROOT, "docs/reference/errors.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    for (const row of rows) expect(row).toMatch(/^\| `[A-Z0-9_]+` \| (–|[1-6]|130) \| [^|]+ \| [^|]+ \|$/);
  });
});
