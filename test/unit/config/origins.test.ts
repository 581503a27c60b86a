import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { yamlOf } from "../../../src/cli/config-print-command.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { originsOf } from "../../../src/config/origins.ts";
import { placeName } from "../../../src/config/problem.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { writeWhole } from "../../../src/sinks/atomic-file.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const TEXT = `name: origins
domain: { replicas: 3, verify: sample }
sources:
  rows: { file: ./rows.csv, columns: { at: timestamp, "2001": utf8 }, time: { column: at } }
  blocks: { ethereum: [./a, ./b], range: { from: 5 } }
modules:
  short: ./short.wasm
  long: { file: ./long.wasm, trust: untrusted, kind: batch, fuel: { row: 7 }, memory: 1MiB }
tasks:
  a: { module: short, input: rows }
  b: { module: long, input: blocks }
  c: { input: a, window: { tumble: 1h }, key: ["2001"], aggregate: { n: count() }, prove: { windows: [{ start: 2001-01-05, key: ["7"] }] } }
outputs:
  out: { input: c, file: out.csv }
`;

let folder: TestFolder;
let path: string;

beforeAll(async () => {
  folder = await makeTestFolder("origins");
  path = join(folder.path, "ipdm.yaml");
  await writeWhole(path, utf8(TEXT));
});
afterAll(() => folder.remove());

describe("the configuration in force", () => {
  it("names the origin of every value", async () => {
    const loaded = await loadConfig(path, { files: "skip" });
    const inputs = { rows: "/other/rows.ndjson" };
    const changed = await loadConfig(path, { files: "skip", inputs });
    const values = originsOf(changed, { inputs, replicas: 5, catalogue: "/modules" });
    const found = Object.fromEntries(values.map(({ path: at, value, origin }) => [placeName(at), [value, origin]]));
    expect(found).toMatchObject({
      name: ["origins", "ipdm.yaml:1:7"],
      "domain.id": ["origins", "default: the pipeline's name"],
      "domain.replicas": [5, "--replicas"],
      "domain.quorum": [3, "default: majority of --replicas"],
      "domain.verify": ["sample", "ipdm.yaml:2:32"],
      "domain.share": [0.25, "default"],
      "sources.rows.file": ["/other/rows.ndjson", "--input"],
      "sources.rows.time.outOfOrder": ["0s", "default"],
      "sources.blocks.ethereum": [[join(folder.path, "a"), join(folder.path, "b")], "ipdm.yaml:5:23"],
      "sources.blocks.verify": ["full", "default"],
      "modules.short.file": [join(folder.path, "short.wasm"), "ipdm.yaml:7:10"],
      "modules.short.memory": ["64MiB", "default of its trust"],
      "modules.long.unit": [4096, "default"],
      "modules.long.fuel.row": [7, "ipdm.yaml:8:74"],
      "modules.long.fuel.call": [5_000_000, "default of its trust"],
      "modules.long.isolation": ["process", "default of its trust"],
      "modules.long.memory": ["1MiB", "ipdm.yaml:8:87"],
      catalogue: ["/modules", "--catalogue"],
      "tasks.c.window.lateness": ["0s", "default"],
      "outputs.out.file": ["out.csv", "ipdm.yaml:14:26"],
    });
    expect(originsOf(loaded).map(({ path: at }) => placeName(at))).not.toContain("catalogue");
  });

  it("is YAML that means the same", async () => {
    const { config, warnings } = await loadConfig(path, { files: "skip" });
    for (const withOrigin of [true, false]) {
      const text = yamlOf(originsOf(await loadConfig(path, { files: "skip" })), withOrigin);
      await writeWhole(join(folder.path, "printed.yaml"), utf8(text));
      const again = await loadConfig(join(folder.path, "printed.yaml"), { files: "skip" });
      const meant = (one: typeof config): unknown =>
        JSON.parse(JSON.stringify(one, (key, value: unknown) => (key === "written" ? undefined : value)));
      expect(meant(again.config)).toEqual(meant(config));
      expect(again.warnings.length).toBe(warnings.length);
    }
  });
});
