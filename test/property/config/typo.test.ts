import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { STARTER_CONFIG } from "../../../src/cli/starter.ts";
import { keysAt } from "../../../src/config/json-schema.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { nearest } from "../../../src/config/nearest.ts";
import { hasCode, IpdmError } from "../../../src/core/errors.ts";

const example = await readFile(join(import.meta.dirname, "..", "..", "..", "examples", "flights", "ipdm.yaml"), "utf8");

interface Key {
  readonly name: string;
  readonly offset: number;
  readonly path: readonly (string | number)[];
  /** Keys that may stand beside this one, and do not. */
  readonly absent: readonly string[];
}

/** Keys of the text that the schema prescribes, with their offsets; names of the user's own are left out. */
function keysOf(text: string): readonly Key[] {
  const found: Key[] = [];
  const walk = (node: unknown, path: readonly (string | number)[]): void => {
    if (isSeq(node)) node.items.forEach((item, i) => walk(item, [...path, i]));
    if (!isMap(node)) return;
    const written = new Set(node.items.map(({ key }) => (isScalar(key) ? String(key.value) : "")));
    const absent = keysAt(path).filter((key) => !written.has(key));
    for (const { key, value } of node.items) {
      if (!isScalar(key) || !key.range) continue;
      const name = String(key.value);
      if (keysAt(path).includes(name)) found.push({ name, offset: key.range[0], path, absent });
      walk(value, [...path, name]);
    }
  };
  walk(parseDocument(text).contents, []);
  return found;
}

const slip = fc.oneof(
  fc.record({ kind: fc.constant("drop" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("double" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("swap" as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant("replace" as const),
    at: fc.nat(),
    by: fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzABZ_")),
  }),
);

/** True when the slip is no nearer to another key that may be meant than to the right one: `dask` may be a slip of `task` or of `mask`. */
function isPlain(wrong: string, { name, absent }: Key): boolean {
  return nearest(wrong, [name, ...absent]) === name && nearest(wrong, [...absent, name]) === name;
}

function misspelt(
  name: string,
  how: { kind: "drop" | "double" | "swap" | "replace"; at: number; by?: string },
): string {
  const at = how.at % name.length;
  switch (how.kind) {
    case "drop":
      return name.slice(0, at) + name.slice(at + 1);
    case "double":
      return name.slice(0, at + 1) + name.slice(at);
    case "swap":
      return name.slice(0, at) + (name[at + 1] ?? "") + (name[at] ?? "") + name.slice(at + 2);
    case "replace":
      return name.slice(0, at) + (how.by ?? "") + name.slice(at + 1);
  }
}

describe("a slip in any one key", () => {
  it.each([
    ["the example", example],
    ["the starter", STARTER_CONFIG],
  ])("of %s is named, placed, and put right", async (_, text) => {
    const keys = keysOf(text);
    expect(keys.length).toBeGreaterThan(15);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), slip, async (key, how) => {
        const { name, offset, path } = key;
        const wrong = misspelt(name, how);
        fc.pre(wrong !== name && wrong !== "" && !keysAt(path).includes(wrong) && isPlain(wrong, key));
        const changed = text.slice(0, offset) + wrong + text.slice(offset + name.length);
        const error = await parseConfig(changed, "/x/ipdm.yaml", "ipdm.yaml").then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (!(error instanceof IpdmError) || !hasCode(error, "CONFIG_INVALID"))
          throw new Error(`no CONFIG_INVALID for ${wrong}: ${String(error)}`);
        const before = changed.slice(0, offset).split("\n");
        expect(error.where).toBe(`ipdm.yaml:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`);
        expect(error.message).toContain([...path, wrong].join("."));
        expect(error.hint).toBe(`did you mean ${name}?`);
        expect((error.facts["problems"] as readonly unknown[]).length).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws anything but an IpdmError of kind config, whatever happens to the text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(example.length),
        fc.nat(40),
        fc.string({ unit: fc.constantFrom(...Array.from("{}[]:,-?&*!|>'\"%@` \n\tab1#")) }),
        async (at, length, text) => {
          const changed = example.slice(0, at) + text + example.slice(at + length);
          const error = await parseConfig(changed, "/x/ipdm.yaml").then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (
            error !== undefined &&
            !(error instanceof IpdmError && error.kind === "config" && /:\d+:\d+$/.test(error.where ?? ""))
          )
            throw new Error("not an error of kind config with a position", { cause: error });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
