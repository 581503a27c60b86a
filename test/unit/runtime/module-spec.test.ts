import { describe, expect, it } from "vitest";
import { rawBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { moduleForm } from "../../../src/plan/module-form.ts";
import { type ModuleOperatorForm, moduleSpec, optionsForm } from "../../../src/runtime/stage/module-spec.ts";
import { POLICIES } from "../../../src/sandbox/policy.ts";

const bytes = new Uint8Array([0, 1, 2]);
const { capabilities: _none, ...limits } = POLICIES.standard;
const operator: ModuleOperatorForm = {
  kind: "module",
  module: rawBlock(sha256, bytes).cid,
  abi: "wasi/1",
  unit: null,
  stateful: false,
  columns: [{ name: "n", type: "i64" }],
  stdin: "csv",
  limits,
  capabilities: [],
};

describe("a module task in normal form", () => {
  it("says what a lane is given", () => {
    expect(moduleSpec(operator, bytes, 5)).toMatchObject({
      abi: "wasi/1",
      kind: "rows",
      stdin: "csv",
      columns: { fields: [{ name: "n", type: "i64", nullable: true }] },
      timeoutMs: 5,
    });
  });

  it("says the form of standard input for wasi/1 and for nothing else", () => {
    const { stdin: _csv, ...silent } = operator;
    const refused = { code: "MODULE_ABI_UNKNOWN", kind: "verification" };
    expect(() => moduleSpec(silent, bytes, 5)).toThrow(expect.objectContaining(refused));
    expect(() => moduleSpec({ ...operator, abi: "ipdm/1" }, bytes, 5)).toThrow(expect.objectContaining(refused));
    expect(moduleSpec({ ...silent, abi: "ipdm/1", columns: null }, bytes, 5)).not.toHaveProperty("stdin");
  });

  it("says what of WebAssembly a module may use only where it is asked for, and refuses what is not known", () => {
    expect(moduleSpec(operator, bytes, 5)).not.toHaveProperty("features");
    expect(moduleSpec({ ...operator, features: ["tail-calls"] }, bytes, 5).features).toEqual(["tail-calls"]);
    const refused = { code: "MODULE_ABI_UNKNOWN", kind: "verification" };
    expect(() => moduleSpec({ ...operator, features: ["threads"] }, bytes, 5)).toThrow(
      expect.objectContaining(refused),
    );
    const policy = { ...limits, capabilities: [] };
    const config = { abi: "ipdm/1", unit: null, stateful: false, columns: null, policy } as const;
    expect(moduleForm(config, operator.module)).not.toHaveProperty("features");
    const asked = moduleForm({ ...config, features: ["tail-calls"] }, operator.module);
    expect(moduleSpec(asked, bytes, 5).features).toEqual(["tail-calls"]);
  });

  it.each([
    ["a unit of no rows", { unit: 0 }],
    ["a unit of more rows than a batch", { unit: 4097 }],
    ["more fuel than a meter holds", { limits: { ...limits, fuelPerCall: 2 ** 52 } }],
    ["more stack than a meter holds", { limits: { ...limits, stackValuesMax: 2 ** 20 } }],
    ["more memory than there is", { limits: { ...limits, memoryBytesMax: 2 ** 40 } }],
    ["an output that no block carries", { limits: { ...limits, outputBytesMax: 2 ** 40 } }],
  ])("refuses %s, from whomever it comes", (_, change) => {
    expect(() => moduleSpec({ ...operator, ...change }, bytes, 5)).toThrow(
      expect.objectContaining({ code: "MODULE_LIMIT_INVALID", kind: "verification" }),
    );
  });

  it("says the options of a plugin only where there are any, in one order, and gives them back", () => {
    expect(optionsForm({ entry: null, settings: {} })).toEqual({});
    const options = { entry: "late", settings: { b: "1", a: "2", "\u{1f600}": "3", "\uffee": "4" } };
    const form = optionsForm(options);
    expect(form.settings?.map(({ name }) => name)).toEqual(["a", "b", "\u{1f600}", "\uffee"]);
    const { stdin: _csv, ...silent } = operator;
    expect(moduleSpec({ ...silent, abi: "extism/1", ...form }, bytes, 5).options).toEqual(options);
    expect(moduleSpec({ ...silent, abi: "extism/1" }, bytes, 5).options).toEqual({ entry: null, settings: {} });
    const refused = { code: "MODULE_ABI_UNKNOWN", kind: "verification" };
    expect(() => moduleSpec({ ...operator, entry: "late" }, bytes, 5)).toThrow(expect.objectContaining(refused));
    const { settings } = form;
    expect(moduleSpec({ ...silent, abi: "ipdm/1", ...(settings && { settings }) }, bytes, 5).options).toEqual({
      entry: null,
      settings: options.settings,
    });
    expect(() => moduleSpec({ ...silent, abi: "ipdm/1", entry: "late" }, bytes, 5)).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => moduleSpec({ ...silent, abi: "redpanda/1", ...form }, bytes, 5)).toThrow(
      expect.objectContaining(refused),
    );
  });
});
