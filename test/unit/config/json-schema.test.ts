import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { STARTER_CONFIG } from "../../../src/cli/starter.ts";
import { configJsonSchema, type JsonSchema, keysAt } from "../../../src/config/json-schema.ts";
import { emitSchema } from "../../../tools/emit-schema.ts";
import { faultsOf } from "./json-schema-validator.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const example = await readFile(join(ROOT, "examples", "flights", "ipdm.yaml"), "utf8");

/** Keys of the schema as the reference writes them: `sources.<name>.file`, `windows[].start`. */
function placesOf(schema: JsonSchema, at = ""): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const place = at === "" ? key : `${at}.${key}`;
    return [place, ...placesOf(inner, place)];
  });
  const named =
    typeof schema.additionalProperties === "object" ? placesOf(schema.additionalProperties, `${at}.<name>`) : [];
  const items = schema.items === undefined ? [] : placesOf(schema.items, `${at}[]`);
  return [...own, ...named, ...items, ...(schema.anyOf ?? []).flatMap((branch) => placesOf(branch, at))];
}

function describedOf(schema: JsonSchema, at = ""): string[] {
  const missing = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
    ...(inner.description === undefined ? [`${at}.${key}`] : []),
    ...describedOf(inner, `${at}.${key}`),
  ]);
  const deeper = [schema.additionalProperties, schema.items, ...(schema.anyOf ?? [])].filter(
    (inner) => typeof inner === "object",
  );
  return [...missing, ...deeper.flatMap((inner) => describedOf(inner, at))];
}

describe("the JSON Schema", () => {
  it("is what the build writes, as draft 2020-12, with a description for every key and its defaults", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ipdm-schema-"));
    try {
      const written = JSON.parse(await readFile(await emitSchema(folder), "utf8")) as JsonSchema;
      expect(written).toEqual(configJsonSchema());
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    expect(configJsonSchema().$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(describedOf(configJsonSchema())).toEqual([]);
    expect(configJsonSchema().properties?.["domain"]?.properties?.["replicas"]?.default).toBe(1);
    expect(configJsonSchema().required).toEqual(["name", "sources", "outputs"]);
  });

  const schema = JSON.parse(JSON.stringify(configJsonSchema())) as Record<string, unknown>;

  it.each([
    ["the example", example],
    ["the starter", STARTER_CONFIG],
  ])("accepts %s", (_, text) => {
    expect(faultsOf(schema, parse(text))).toEqual([]);
  });

  it.each([
    ["aggregate:", "aggregat:"],
    ["name: flight-delays", "nme: flight-delays"],
    ["tumble: 1d", "tumble: 1 day"],
    ["sum(delay)", "summ(delay)"],
    ["replicas: 3", "replicas: 32"],
    ["module: late, ", ""],
    ["hot: 256MiB", "hot: 256"],
  ])("refuses %j → %j", (from, to) => {
    const text = example.replace(new RegExp(`^([^#]*)${from.replaceAll(/[()]/g, "\\$&")}`, "m"), `$1${to}`);
    expect(text).not.toBe(example);
    expect(faultsOf(schema, parse(text))).not.toEqual([]);
  });

  it("tells which keys may stand where", () => {
    expect(keysAt(["sources", "x", "time"])).toEqual(["column", "outOfOrder", "monotonic", "punctuated"]);
    expect(keysAt(["tasks", "x", "prove", "windows", 3])).toEqual(["start", "key"]);
    expect(keysAt(["modules", "x", "fuel"])).toEqual(["call", "row"]);
    expect(keysAt(["name"])).toEqual([]);
  });
});

describe("docs/reference/config.md", () => {
  it("describes every key and no other", async () => {
    const text = await readFile(join(ROOT, "docs", "reference", "config.md"), "utf8");
    const keys = text.slice(text.indexOf("## Keys"), text.indexOf("## Errors"));
    const described = [...keys.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    expect(described).toEqual([...new Set(placesOf(configJsonSchema()))]);
  });

  it("states the schema's defaults", async () => {
    const text = await readFile(join(ROOT, "docs", "reference", "config.md"), "utf8");
    for (const [place, value] of [
      ["domain.replicas", "1"],
      ["domain.verify", "full"],
      ["modules.<name>.trust", "standard"],
      ["modules.<name>.timeout", "10s"],
      ["lakes.<name>.hot", "256MiB"],
    ]) {
      expect(text).toMatch(new RegExp(`^\\| \`${place?.replace(".", "\\.")}\` \\|[^|]*\\| \`${value}\` \\|`, "m"));
    }
  });
});
