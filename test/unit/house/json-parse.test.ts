import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
/** Files that read texts of our own: of this package, or scalars of a text that was taken apart. */
const OWN = [
  "src/batch/text/json-object.ts",
  "src/cli/module/project.ts",
  "src/cli/program.ts",
  "src/core/json.ts",
  "src/runtime/quarantine.ts",
];

describe("JSON from outside", () => {
  it("is read by src/core/json.ts, since JSON.parse of V8 13 may take an escaped key for another", async () => {
    const found: string[] = [];
    for (const room of ["src", "machines", "actors"])
      for (const file of await readdir(join(ROOT, room), { recursive: true })) {
        const path = join(room, file);
        if (!path.endsWith(".ts")) continue;
        if (
          /\bJSON\.parse\b(?!`)/.test(
            (await readFile(join(ROOT, path), "utf8")).replaceAll(/^\s*(\*|\/\*|\/\/).*$/gm, ""),
          )
        )
          found.push(path);
      }
    expect(found.sort()).toEqual(OWN);
  });
});
