import { describe, expect, it } from "vitest";
import { eventTimeOf, withReplicas } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { defaultOutDir, outputPaths } from "../../../src/config/outputs.ts";

const TEXT = `name: demo
domain: { replicas: 3, quorum: 2 }
sources: { rows: { file: rows.csv, time: { column: at } } }
modules: { m: m.wasm, moved: { file: n.wasm, time: { column: then } } }
tasks:
  a: { module: m, input: rows }
  b: { module: moved, input: a }
  c: { module: m, input: b }
  w: { input: c, window: { tumble: 1h }, aggregate: { n: count() } }
outputs:
  one: { input: w, file: sub/w.csv }
  two: { input: rows, file: /abs/rows.csv }
`;
const config = (await parseConfig(TEXT, "/data/demo-folder/ipdm.yaml")).config;

describe("outputPaths", () => {
  it("puts relative files below the output folder and keeps absolute ones", () => {
    expect(outputPaths(config, "/out").map(({ path }) => path)).toEqual(["/out/sub/w.csv", "/abs/rows.csv"]);
  });

  it("CONFIG_OUTPUT_CLASH when outputs meet or would overwrite an input", () => {
    const output = (file: string) => ({
      ...config,
      outputs: config.outputs.map((each, i) => (i === 0 ? { ...each, file } : each)),
    });
    const clash = expect.objectContaining({
      code: "CONFIG_OUTPUT_CLASH",
      kind: "config",
      where: expect.stringMatching(/^outputs\.(one|two)\.file$/) as string,
    });
    expect(() => outputPaths(output("rows.csv"), "/abs")).toThrow(clash);
    expect(() => outputPaths(output("rows.csv"), "/data/demo-folder")).toThrow(clash);
    expect(() => outputPaths(output("../demo-folder/m.wasm"), "/data/x")).toThrow(clash);
  });
});

describe("defaultOutDir", () => {
  it("is out/<folder of the configuration>, or out/<name> in the working folder itself", () => {
    expect(defaultOutDir(config, "/data")).toBe("/data/out/demo-folder");
    expect(defaultOutDir(config, "/elsewhere")).toBe("/elsewhere/out/demo-folder");
    expect(defaultOutDir(config, "/data/demo-folder")).toBe("/data/demo-folder/out/demo");
    expect(defaultOutDir({ ...config, folder: "/" }, "/data")).toBe("/data/out/demo");
  });
});

describe("withReplicas", () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])("%i replicas have a quorum of %i", (replicas, quorum) => {
    expect(withReplicas(config, replicas).domain).toMatchObject({ replicas, quorum });
  });

  it.each([0, 32, 1.5, Number.NaN])("REPLICAS_INVALID for %d", (replicas) => {
    expect(() => withReplicas(config, replicas)).toThrow(
      expect.objectContaining({ code: "REPLICAS_INVALID", kind: "usage" }),
    );
  });
});

describe("eventTimeOf", () => {
  it("follows inputs until one declares it", () => {
    const columns = ["rows", "a", "b", "c", "w", "none"].map((name) => eventTimeOf(config, name)?.column);
    expect(columns).toEqual(["at", "at", "then", "then", undefined, undefined]);
  });
});
