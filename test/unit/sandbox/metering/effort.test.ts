import { describe, expect, it } from "vitest";
import { instrument } from "../../../../src/sandbox/metering/instrument.ts";
import { ByteWriter } from "../../../../src/sandbox/wasm/writer.ts";
import { OPTIONS } from "../../../support/metered.ts";

/** A module of functions without parameters and results, by their instructions. */
function moduleOf(bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter(1024);
  module.copy(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const section = (id: number, write: (content: ByteWriter) => void): void => {
    const content = new ByteWriter(1024);
    write(content);
    module.byte(id);
    module.u32(content.size);
    module.append(content);
  };
  section(1, (content) => content.copy(Uint8Array.of(1, 0x60, 0, 0)));
  section(3, (content) => {
    content.u32(bodies.length);
    for (const _ of bodies) content.u32(0);
  });
  section(10, (content) => {
    content.u32(bodies.length);
    for (const body of bodies) {
      content.u32(body.length + 2);
      content.byte(0);
      content.copy(body);
      content.byte(0x0b);
    }
  });
  return module.take();
}

function repeated(count: number, ...bytes: number[]): number[] {
  return Array.from({ length: count }, () => bytes).flat();
}

/** Milliseconds to instrument so many functions of one form. */
function effort(copies: number, body: readonly number[]): number {
  const bytes = moduleOf(Array.from({ length: copies }, () => Uint8Array.from(body)));
  expect(WebAssembly.validate(bytes)).toBe(true);
  const begun = performance.now();
  instrument(bytes, OPTIONS);
  return performance.now() - begun;
}

describe("the time that instrumenting takes", () => {
  // A module of half a megabyte; what is proportional to the square of its size takes minutes.
  it.each([
    [
      "branches and then dead blocks",
      [...repeated(60_000, 0x41, 0, 0x0d, 0), 0x00, ...repeated(80_000, 0x02, 0x40, 0x0b)],
    ],
    [
      "dead jumps deep inside blocks",
      [...repeated(250, 0x02, 0x40), 0x00, ...repeated(500_000, 0x00), ...repeated(250, 0x0b)],
    ],
    [
      "branches deep inside blocks",
      [
        ...repeated(250, 0x02, 0x40),
        ...repeated(120_000, 0x41, 0, 0x0d, 0xf9, 1).slice(0, 510_000),
        ...repeated(250, 0x0b),
      ],
    ],
    ["arms inside arms", [...repeated(80_000, 0x41, 0, 0x04, 0x40, 0x05, 0x0b)]],
    ["loops", repeated(170_000, 0x03, 0x40, 0x0b)],
    ["calls deep inside loops", [...repeated(250, 0x03, 0x40), ...repeated(250_000, 0x10, 0), ...repeated(250, 0x0b)]],
  ])("is bounded for %s", (_, body) => {
    expect(body.length).toBeLessThan(512 * 1024);
    expect(effort(1, body)).toBeLessThan(2000);
  });
});
