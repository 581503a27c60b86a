import { afterAll, afterEach, expect } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { openLane } from "../../src/sandbox/lane.ts";
import type { ModuleSpec } from "../../src/sandbox/port.ts";
import { ByteWriter } from "../../src/sandbox/wasm/writer.ts";
import { specOf, type WatParts, watBytes, watSource } from "./wat-module.ts";

const context = { firstRow: 0, seed: new Uint8Array(32) };
const limits: Partial<ModuleSpec> = { fuelPerCall: 3e6, fuelPerRow: 100, timeoutMs: 20_000 };

function batchOf(rows: number): Batch {
  const writer = new BatchWriter(schemaOf([{ name: "n", type: "i32", nullable: false }]));
  for (let i = 0; i < rows; i++) writer.push([i]);
  return writer.take();
}

/** One real lane for the hostile modules of a file; after each of them a good module has to work in it. */
export function hostileLane(): { verdict(bytes: Uint8Array, more?: Partial<ModuleSpec>): Promise<string> } {
  const lane = openLane();
  const good = watBytes(watSource()).then((bytes) => lane.load(specOf(bytes, limits)));
  afterEach(async () => {
    expect((await (await good).process(batchOf(3), context)).columns[0]?.values).toEqual(Int32Array.of(0, 1, 2));
  });
  afterAll(() => lane.close());
  return {
    /** The code with which a module is refused or stopped, or "no error". */
    async verdict(bytes, more = {}) {
      try {
        const handle = await lane.load(specOf(bytes, { ...limits, ...more }));
        await handle.process(batchOf(4), context);
        return "no error";
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    },
  };
}

/** A module of the ABI that does something bad while it works on rows. */
export function bad(process: string, parts: WatParts = {}): string {
  return watSource({ ...parts, process: `${process} (local.get $batch)` });
}

/** A section's content, by its number. */
export type Sections = readonly (readonly [id: number, ...content: number[]])[];

/** A module of sections as they are given, right or wrong. */
export function sectionsOf(sections: Sections): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter(1024);
  module.copy(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  for (const [id, ...content] of sections) {
    module.byte(id);
    module.u32(content.length);
    module.copy(Uint8Array.from(content));
  }
  return module.take();
}

/** Text as the format has it: its length, then its bytes. */
export function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}
