// What an engine makes of modules: prints their instrumented bytes, results, memory and fuel as digests. `node engine-run.ts`
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { stdout } from "node:process";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { encodeDescriptor } from "../../src/sandbox/descriptor.ts";
import { instrument } from "../../src/sandbox/metering/instrument.ts";
import { fuelLeft, METER_EXPORT, type MeterGlobal } from "../../src/sandbox/metering/meter.ts";
import { runCall } from "../../src/sandbox/module-call.ts";
import { OPTIONS } from "../support/metered.ts";
import { randomModule } from "../support/random-module/module.ts";
import { Subject } from "../support/random-module/run.ts";

const MODULES = 150;
const digest = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/** Random modules, each called often enough to be compiled by the engine's faster compiler too. */
function random(seed: number): string {
  const { raw, calls } = randomModule({ seed, size: 120, tailCalls: seed % 4 === 0 });
  const { bytes } = instrument(raw, { ...OPTIONS, memoryPagesMax: 3, tailCalls: true });
  const subject = new Subject(bytes);
  const meter = subject.exports[METER_EXPORT] as MeterGlobal;
  const said: string[] = [];
  for (let i = 0; i < 10; i++)
    for (const name of calls) {
      subject.fill(1e9);
      said.push(subject.call(name, seed + i), String(fuelLeft(meter.value)));
    }
  const { memory } = subject.trace([], 0);
  return digest(bytes, said.join(), memory);
}

/** The example of the documentation, over the rows of three batches. */
async function late(): Promise<unknown> {
  const original = new Uint8Array(await readFile(new URL("../../examples/flights/late.wasm", import.meta.url)));
  const { bytes } = instrument(original, { memoryPagesMax: 64, tableElementsMax: 10_000 });
  const code = new WebAssembly.Module(bytes);
  const schema = schemaOf([
    { name: "date", type: "timestamp", nullable: false },
    { name: "delay", type: "i64", nullable: true },
    { name: "distance", type: "i64", nullable: false },
    { name: "origin", type: "dict", nullable: false },
    { name: "destination", type: "utf8", nullable: true },
  ]);
  const outcomes = [0, 1000, 4096].map((rows) => {
    const writer = new BatchWriter(schema);
    for (let i = 0; i < rows; i++)
      writer.push([
        BigInt(i) * 977_000_000n,
        i % 7 === 0 ? null : BigInt((i * 37) % 90),
        BigInt(i),
        `A${i % 50}`,
        `to ${i}`,
      ]);
    const limits = { memoryBytesMax: 64 * 65_536, stackValuesMax: 10_000, capabilities: [] };
    const module = { code, abi: "ipdm/1", reuse: null, globals: [], ...limits } as const;
    const outcome = runCall(module, {
      type: "process",
      fuel: 1e9,
      columns: null,
      batch: new Uint8Array(writer.take().bytes).buffer,
      descriptor: encodeDescriptor({ firstRow: 0, seed: new Uint8Array(32) }).slice().buffer,
      outputBytesMax: 1 << 24,
    });
    if (outcome.type !== "output") throw new Error(JSON.stringify(outcome));
    return [digest(new Uint8Array(outcome.bytes)), outcome.fuel];
  });
  return [digest(bytes), ...outcomes];
}

stdout.write(
  JSON.stringify({ late: await late(), random: Array.from({ length: MODULES }, (_, seed) => random(seed)) }),
);
