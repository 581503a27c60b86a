import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";
import type { IpdmError } from "../../../src/core/errors.ts";

const configOf = (module: string): string => `name: demo
sources:
  rows: { file: ./rows.csv }
modules:
  keep: { file: ./keep.wasm${module} }
tasks:
  kept: { module: keep, input: rows }
outputs:
  table: { input: kept, file: kept.csv }
`;

async function refused(module: string): Promise<IpdmError> {
  return parseConfig(configOf(module), "/somewhere/ipdm.yaml", "ipdm.yaml").then(
    () => expect.unreachable(`${module} was not refused`),
    (error: IpdmError) => error,
  );
}

describe("a module of wasi/1", () => {
  it("has its columns in their order, and reads NDJSON or CSV", async () => {
    const columns = ", columns: { b: i64, a: 'fixed(3)' }";
    for (const [stdin, said] of [
      ["", "ndjson"],
      [", stdin: ndjson", "ndjson"],
      [", stdin: csv", "csv"],
    ]) {
      const { config } = await parseConfig(configOf(`, abi: wasi/1${columns}${stdin}`), "/somewhere/ipdm.yaml");
      expect(config.modules[0]).toMatchObject({ abi: "wasi/1", columns: { b: "i64", a: "fixed(3)" }, stdin: said });
      expect(Object.keys(config.modules[0]?.columns ?? {})).toEqual(["b", "a"]);
    }
  });

  it("is refused without columns, by the key's name and at the module", async () => {
    const { code, message, where } = await refused(", abi: wasi/1");
    expect({ code, message, where }).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("modules.keep.columns is missing") as string,
      where: expect.stringMatching(/ipdm.yaml:5:/) as string,
    });
    expect((await refused(", abi: wasi/1, columns: {}")).message).toContain("modules.keep.columns is empty");
  });

  it("reads nothing else", async () => {
    expect((await refused(", abi: wasi/1, columns: { a: i64 }, stdin: xml")).message).toContain("modules.keep.stdin");
    expect((await refused(", stdin: csv")).message).toContain("modules.keep.stdin has no meaning with abi: ipdm/1");
  });
});

describe("settings", () => {
  it("are a module's, with those of a task over them", async () => {
    const text = configOf(", settings: { a: '1', b: '2' }").replace("kept: {", "kept: { settings: { b: '3' },");
    const { config } = await parseConfig(text, "/somewhere/ipdm.yaml");
    expect(config.modules[0]?.options).toEqual({ entry: null, settings: { a: "1", b: "2" } });
    expect(config.tasks[0]).toMatchObject({ kind: "module", settings: { b: "3" } });
  });

  it("belong to modules of ipdm/1, and to tasks with a module that is in no catalogue", async () => {
    const columns = ", columns: { a: i64 }";
    expect(await refused(`, abi: extism/1, settings: { a: '1' }${columns}`)).toMatchObject({
      message: "modules.keep.settings has no meaning with abi: extism/1",
      hint: "write config",
    });
    expect((await refused(", config: { a: '1' }")).hint).toBe("write settings");
    const text = configOf("").replace("module: keep", "module: keep@^1, settings: { a: '1' }");
    await expect(parseConfig(text, "/somewhere/ipdm.yaml")).rejects.toThrow(/runs as its entry declares/);
  });
});

describe("a module that comes with the runtime", () => {
  it("is refused where there is none of that name", async () => {
    const text = configOf("").replace("module: keep", "module: ipdm:etherium");
    await expect(parseConfig(text, "/somewhere/ipdm.yaml")).rejects.toThrow(
      'tasks.kept.module: no module "ipdm:etherium" comes with the runtime',
    );
  });
});

describe("any other module", () => {
  it("has no form of standard input", async () => {
    const { config } = await parseConfig(configOf(""), "/somewhere/ipdm.yaml");
    expect(config.modules[0]).not.toHaveProperty("stdin");
  });
});
