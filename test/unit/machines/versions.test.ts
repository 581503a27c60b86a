import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MACHINES } from "../../../machines/registry.ts";
import { concat, toHex, utf8 } from "../../../src/core/bytes.ts";
import { sha256 } from "../../../src/node.ts";

const root = new URL("../../../machines/", import.meta.url);
const table = JSON.parse(readFileSync(new URL("versions.json", import.meta.url), "utf8")) as Record<string, string>;

/** SHA-256 over the step helper and every file of the machine's folder, names and contents, in name order. */
function sourceHash(
  name: string,
  read: (path: string) => string = (path) => readFileSync(new URL(path, root), "utf8"),
): string {
  const files = [
    "step.ts",
    ...readdirSync(new URL(`${name}/`, root))
      .sort()
      .map((file) => `${name}/${file}`),
  ];
  return toHex(sha256(concat(...files.flatMap((file) => [utf8(`${file}\n`), sha256(utf8(read(file)))]))));
}

describe("machine versions", () => {
  it.each(MACHINES.map(({ name, version }) => ({ name, version })))(
    "the code of $name@$version is the code that version names",
    ({ name, version }) => {
      const found = sourceHash(name);
      const advice =
        `machines/${name} changed. Where journals of ${name}@${version} exist, keep its old code as machines/${name}/v${version}.ts, register both, and give the new one ` +
        `version ${version + 1}. Where the change cannot alter any state or request (words, types), or no journal of this version was ever released, ` +
        `put "${name}@${version}": "${found}" into test/unit/machines/versions.json.`;
      expect(table[`${name}@${version}`], advice).toBe(found);
    },
  );

  it("notices any change, and a renamed file", () => {
    const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
    const changed = sourceHash("task", (path) => (path === "task/guards.ts" ? `${read(path)} ` : read(path)));
    expect(changed).not.toBe(sourceHash("task"));
    expect(sourceHash("lake", (path) => (path === "step.ts" ? "" : read(path)))).not.toBe(sourceHash("lake"));
  });

  it("names every version once", () => {
    expect(Object.keys(table).sort()).toEqual(MACHINES.map(({ name, version }) => `${name}@${version}`).sort());
  });
});
