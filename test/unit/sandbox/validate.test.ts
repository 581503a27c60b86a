import { describe, expect, it } from "vitest";
import { filled, METER_EXPORT, type MeterGlobal, START_EXPORT } from "../../../src/sandbox/metering/meter.ts";
import { validateModule } from "../../../src/sandbox/validate.ts";
import { specOf, watBytes, watSource } from "../../support/wat-module.ts";

function codeOf(bytes: Uint8Array, memoryBytesMax?: number): string {
  try {
    validateModule(specOf(bytes, memoryBytesMax === undefined ? {} : { memoryBytesMax }));
    return "valid";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("validateModule", () => {
  it("accepts a module of the ABI, also with AssemblyScript's abort", async () => {
    expect(codeOf(await watBytes(watSource()))).toBe("valid");
    const abort = '(import "env" "abort" (func $abort (param i32 i32 i32 i32)))';
    expect(codeOf(await watBytes(watSource().replace("(module", `(module ${abort}`)))).toBe("valid");
  });

  it("tells what is no module from what is a broken one", async () => {
    const bytes = await watBytes(watSource());
    expect(codeOf(new TextEncoder().encode("export function ipdm_process() {}"))).toBe("MODULE_NOT_WASM");
    expect(codeOf(new Uint8Array(0))).toBe("MODULE_NOT_WASM");
    expect(codeOf(bytes.subarray(0, bytes.length - 1))).toBe("MODULE_INVALID");
    expect(codeOf(Uint8Array.of(...bytes, 1))).toBe("MODULE_INVALID");
    const large = new Uint8Array(8 * 1024 * 1024 + 1);
    large.set(bytes);
    expect(codeOf(large)).toBe("MODULE_INVALID");
  });

  it.each([
    ["a function", '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'],
    ["abort of another signature", '(import "env" "abort" (func (param i32)))'],
    ["a global", '(import "env" "abort" (global i32))'],
    ["a memory", '(import "env" "memory" (memory 1))'],
    ["a table", '(import "env" "table" (table 1 funcref))'],
    ["a name of every object", '(import "constructor" "name" (func))'],
  ])("denies to import %s", async (_, text) => {
    let source = watSource().replace("(module", `(module ${text}`);
    if (text.includes("(memory 1)"))
      source = source.replace('(memory (export "memory") 1)', '(export "memory" (memory 0))');
    expect(codeOf(await watBytes(source))).toBe("MODULE_IMPORT_DENIED");
  });

  it("wants every export with its signature", async () => {
    const source = watSource();
    const without = ["memory", "ipdm_abi", "ipdm_alloc", "ipdm_process"].map((name) =>
      source.replace(`(export "${name}")`, ""),
    );
    const bent = [
      source.replace(
        '(func $abi (export "ipdm_abi") (result i32) (i32.const 1))',
        '(func $abi (export "ipdm_abi") (result i64) (i64.const 1))',
      ),
      source.replace('(export "ipdm_alloc")', "").replace(/\)$/, ' (export "ipdm_alloc" (func $process)))'),
      source.replace('(export "memory")', "").replace(/\)$/, ' (export "memory" (global $top)))'),
    ];
    for (const text of [...without, ...bent]) expect(codeOf(await watBytes(text)), text).toBe("MODULE_EXPORT_MISSING");
  });

  it("makes an export of a start function, which runs when there is fuel for it", async () => {
    const bytes = await watBytes(watSource({ fields: "(func $begin) (start $begin)" }));
    const ready = validateModule(specOf(bytes));
    expect(ready.shape.start).toBeDefined();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(ready.bytes));
    expect(Object.keys(exports)).toContain(START_EXPORT);
  });

  it("refuses features whose effects differ from node to node", async () => {
    const shared = await watBytes(watSource({ memory: '(memory (export "memory") 1 1 shared)' }), { threads: true });
    const exceptions = await watBytes(watSource({ fields: "(tag $t)" }), { exceptions: true });
    const wide = await watBytes(
      '(module (memory (export "memory") i64 1) (func (export "ipdm_abi") (result i32) (i32.const 1)))',
      { memory64: true },
    );
    for (const bytes of [shared, exceptions, wide]) expect(codeOf(bytes)).toBe("MODULE_INVALID");
  });

  it("refuses a memory or table that begins larger than it may be", async () => {
    const bytes = await watBytes(watSource({ memory: '(memory (export "memory") 3)' }));
    expect(codeOf(bytes, 3 * 65_536)).toBe("valid");
    expect(codeOf(bytes, 3 * 65_536 - 1)).toBe("MODULE_MEMORY_EXCEEDED");
    expect(codeOf(await watBytes(watSource({ fields: "(table 10001 funcref)" })))).toBe("MODULE_INVALID");
  });

  it.each(["1", "1 2", "1 9"])("lowers the maximum of a memory %s, and of a table, to the cap", async (limits) => {
    const bytes = await watBytes(
      watSource({
        memory: `(memory (export "memory") ${limits})`,
        fields: '(table (export "table") 1 funcref) (elem (i32.const 0) $abi)',
      }),
    );
    const { bytes: ready, costTable } = validateModule(specOf(bytes, { memoryBytesMax: 4 * 65_536 }));
    expect(costTable).toBe("ipdm-cost/2");
    const {
      memory,
      table,
      ipdm_abi,
      [METER_EXPORT]: meter,
    } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(ready))).exports as {
      memory: { grow(pages: number): number };
      table: { grow(count: number): number };
      ipdm_abi(): number;
      [METER_EXPORT]: MeterGlobal;
    };
    const most = limits === "1 2" ? 2 : 4;
    memory.grow(most - 1);
    expect(() => memory.grow(1)).toThrow(RangeError);
    table.grow(9999);
    expect(() => table.grow(1)).toThrow(RangeError);
    meter.value = filled(1000, 1000);
    expect(ipdm_abi()).toBe(1);
  });

  it("reads every truncation and every flipped byte without an error of its own", async () => {
    const bytes = await watBytes(
      watSource({ fields: '(table 1 2 funcref) (elem (i32.const 0) $abi) (data (i32.const 8) "text")' }),
    );
    for (let at = 0; at < bytes.length; at++) {
      expect(codeOf(bytes.subarray(0, at))).toMatch(/^(MODULE_|valid)/);
      for (const bit of [1, 0x10, 0x80]) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] as number) ^ bit;
        expect(codeOf(flipped)).toMatch(/^(MODULE_|valid)/);
      }
    }
  });
});
