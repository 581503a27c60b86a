import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { instrument } from "../../../../src/sandbox/metering/instrument.ts";
import { filled, growthFailed } from "../../../../src/sandbox/metering/meter.ts";
import { metered, OPTIONS } from "../../../support/metered.ts";
import { watBytes } from "../../../support/wat-module.ts";

const GROW = `(module (memory (export "memory") 1 40)
  (func (export "run") (param i32) (result i32) (memory.grow (local.get 0))))`;

describe("a memory that grows", () => {
  it("tells the module that it cannot at the module's limits alone", async () => {
    const module = metered(await watBytes(GROW), { memoryPagesMax: 8 });
    const grow = (pages: number): unknown => {
      module.fill(1e10);
      return module.exports["run"]?.(pages);
    };
    expect([grow(0), grow(3), grow(5), grow(4), grow(0), grow(1), grow(-1)]).toEqual([1, 1, -1, 4, 8, -1, -1]);
    expect(module.overdrawn()).toBeUndefined();
  });

  it("stops the module when the machine has no more, as a fault of the node", async () => {
    // An engine that has 10 pages stands for a machine without memory.
    const { bytes } = instrument(await watBytes(GROW), { ...OPTIONS, memoryPagesMax: 40 });
    const script = `
      const bytes = Buffer.from(${JSON.stringify(Buffer.from(bytes).toString("base64"))}, "base64");
      const { run, __ipdm_meter: meter } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
      meter.value = ${filled(1e10, 1000)}n;
      const said = [run(4)];
      for (const pages of [50, 20]) try { said.push(run(pages)); } catch (error) { said.push(error.message); }
      console.log(JSON.stringify([...said, String(meter.value)]));`;
    const args = ["--wasm-max-mem-pages=10", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const [first, beyond, stopped, meter] = JSON.parse(stdout) as [number, number, string, string];
    expect([first, beyond, stopped]).toEqual([1, -1, "unreachable"]);
    expect(growthFailed(BigInt(meter))).toBe(true);
  });
});
