import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validateModule } from "../../../src/sandbox/validate.ts";
import { buildModules, compileModule } from "../../../tools/build-modules.ts";
import { specOf } from "../../support/wat-module.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "ipdm-modules-"));
  for (const part of ["src/sandbox/sdk", "examples/flights/module", "examples/stateful/module", "examples/modules"])
    await cp(join(root, part), join(copy, part), { recursive: true });
});
afterAll(() => rm(copy, { recursive: true, force: true }));

describe("buildModules", () => {
  it("writes the same bytes from every folder and every time, ready to be loaded", async () => {
    const built = await buildModules(copy, (source) => source.startsWith("examples/"));
    const examples = ["filter", "map", "flat-map", "aggregate", "stateful"].map(
      (name) => `examples/modules/${name}/build/module.wasm`,
    );
    expect(built.map(({ output }) => output)).toEqual([
      "examples/flights/late.wasm",
      "examples/stateful/ledger.wasm",
      ...examples,
    ]);
    const bytes = await readFile(join(copy, "examples/flights/late.wasm"));
    expect(bytes.equals(await compileModule(root, "examples/flights/module/late.ts"))).toBe(true);
    expect(bytes.includes(copy)).toBe(false);
    validateModule(specOf(bytes, { memoryBytesMax: 1024 * 1024 }));
  });

  it("fails with the compiler's words", async () => {
    await expect(
      compileModule(copy, "broken.ts", { "broken.ts": "export function f(): i32 { return missing; }" }),
    ).rejects.toThrow("missing");
  });
});
