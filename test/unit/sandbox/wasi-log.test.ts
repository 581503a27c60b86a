import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { encodeDescriptor } from "../../../src/sandbox/descriptor.ts";
import type { Outcome } from "../../../src/sandbox/lane-messages.ts";
import { LOG_CHARACTERS_MAX, LOG_LINES_MAX } from "../../../src/sandbox/limits.ts";
import { runCall } from "../../../src/sandbox/module-call.ts";
import type { Capability } from "../../../src/sandbox/policy.ts";
import { validateModule } from "../../../src/sandbox/validate.ts";
import { say, wasiProgram } from "../../support/wasi-program.ts";
import { specOf } from "../../support/wat-module.ts";

const columns = schemaOf([{ name: "n", type: "i64", nullable: true }]);

async function logged(text: string, capabilities: readonly Capability[]): Promise<Outcome> {
  const spec = specOf(await wasiProgram(say(2, text)), { abi: "wasi/1", columns, capabilities });
  const code = new WebAssembly.Module(new Uint8Array(validateModule(spec).bytes));
  const { abi, memoryBytesMax, stackValuesMax } = spec;
  return runCall(
    { code, abi, memoryBytesMax, stackValuesMax, capabilities },
    {
      type: "process",
      fuel: 1e9,
      batch: new BatchWriter(columns).take().bytes.slice().buffer,
      descriptor: encodeDescriptor({ firstRow: 0, seed: new Uint8Array(32) }).buffer,
      outputBytesMax: 65_536,
      columns,
    },
  );
}

describe("standard error of a WASI program", () => {
  it("goes to the log line by line, a last one without an end too", async () => {
    expect(await logged("one\n\ntwo\tü\nthree", ["log"])).toMatchObject({
      type: "output",
      log: ["one", "", "two ü", "three"],
    });
  });

  it("is dropped without the capability", async () => {
    expect(await logged("one\n", [])).toMatchObject({ type: "output", log: [] });
  });

  it("is cut, in lines and in characters", async () => {
    const outcome = await logged(`${"x".repeat(5000)}\n${"y\n".repeat(500)}`, ["log"]);
    const log = outcome.type === "output" ? outcome.log : [];
    expect([log.length, log[0]?.length, log[1]]).toEqual([LOG_LINES_MAX, LOG_CHARACTERS_MAX, "y"]);
  });
});
